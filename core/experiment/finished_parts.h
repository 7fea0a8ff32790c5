#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/base/json.h"
#include "core/health/check.h"

namespace bulwark {

/// What a run finds beside scores and takes long to find, kept as JSON in the run's folder as soon
/// as it is complete: an execution that was cut short takes it over instead of finding it again.
class FinishedParts {
 public:
  explicit FinishedParts(std::filesystem::path folder);

  /// The part of that name (a file's name, without its ending) as an earlier execution has kept it,
  /// or else what `make` returns, kept. Either way the same JSON. Throws `Error` (BadInput) naming
  /// the file when it is damaged, and whatever `make` throws.
  Json take(const std::string& name, const std::function<Json()>& make) const;
  /// Nothing where no earlier execution has kept it.
  std::optional<Json> find(const std::string& name) const;
  HealthReport takeReport(const std::string& name, const std::function<HealthReport()>& make) const;

 private:
  std::filesystem::path fileOf(const std::string& name) const { return folder_ / (name + ".json"); }

  std::filesystem::path folder_;
};

}  // namespace bulwark
