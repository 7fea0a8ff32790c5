#pragma once

#include "core/health/probes.h"

namespace bulwark {

/// Scores of both sets after an attack; AUROC with both attacked.
struct BothAttacked {
  std::vector<double> in, out;
  double auroc = 0.0;
  torch::Tensor inImages, outImages;  ///< [n, C, H, W] on the CPU
  /// Best scores [n, times] after each of `times` steps, where they were asked for.
  torch::Tensor inPath, outPath;
};

/// Runs attacks on both image sets of a setting.
class ProbeAttacks {
 public:
  ProbeAttacks(const ProbeSetting& setting, Seed seed, Task& task);

  /// The reference with some options changed, as far as it has them.
  std::unique_ptr<Attack> variant(const Json& changes) const;
  /// `attack` on `detector` (null: the setting's own), scored by the setting's own detector.
  /// `times`: steps after which the best score is kept.
  BothAttacked run(const Attack& attack, const std::string& name, Detector* detector = nullptr,
                   const std::vector<std::int64_t>& times = {});
  /// Scores by the setting's detector, without a graph.
  std::vector<double> score(const torch::Tensor& images, Detector* detector = nullptr);

  const std::vector<double>& cleanIn() const { return cleanIn_; }
  const std::vector<double>& cleanOut() const { return cleanOut_; }

 private:
  AttackResult attackOne(const Attack& attack, Detector& detector, const torch::Tensor& images,
                         bool out, const std::string& name, const std::vector<std::int64_t>& times);

  const ProbeSetting& setting_;
  Seed seed_;
  Task& task_;
  std::vector<double> cleanIn_, cleanOut_;
  bool connected_ = true;  ///< the guide has a gradient; without one the white box finds nothing
};

}  // namespace bulwark
