#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "core/attacks/progress.h"

namespace bulwark {

/// Progress of one attack on one set, in a folder of its own: one safetensors file per commit,
/// each written atomically, so that a killed execution leaves whole files only. Beside them stands
/// how many seconds have gone into them; without that file, as earlier versions left it, 0.
class FileProgress : public AttackProgress {
 public:
  using Seconds = std::chrono::duration<double>;

  /// Every `interval` of work is worth a commit, or more where writing takes long.
  explicit FileProgress(std::filesystem::path folder, Seconds interval = Seconds(5.0));

  FinishedWalk begin(const std::string& fingerprint) override;
  bool due() override;
  void commit(const std::vector<FinishedSample>& samples,
              const std::vector<std::uint8_t>& settled) override;
  /// What earlier executions have spent up to their last commits; 0 where nothing of them could be
  /// used.
  double earlierSeconds() const { return earlier_.count(); }
  /// The attack is complete and stored elsewhere: removes the folder.
  void discard();

 private:
  using Clock = std::chrono::steady_clock;

  std::filesystem::path file(std::int64_t part) const;
  std::filesystem::path secondsFile() const { return folder_ / "seconds"; }
  Seconds storedSeconds() const;

  std::filesystem::path folder_;
  Seconds interval_, lastCommit_{0.0};
  Seconds earlier_;
  bool resumed_ = false;  // something was taken over
  const Clock::time_point opened_ = Clock::now();
  Clock::time_point committed_ = Clock::now();
  std::string fingerprint_;
  std::int64_t walk_ = -1, parts_ = 0;
};

}  // namespace bulwark
