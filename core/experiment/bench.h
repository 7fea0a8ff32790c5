#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/task.h"
#include "core/registry/registries.h"

namespace bulwark {

/// One measured case: our rate beside a baseline's, taken in turns in the same process.
struct BenchResult {
  std::string bench;
  std::string caseName;
  double value = 0.0;  ///< median of the repetitions, in `unit`
  std::string unit;
  std::string baseline;  ///< what it is compared with
  double baselineValue = 0.0;
  double ratio = 0.0;  ///< value / baselineValue; higher is better
  int threads = 0;
  /// The object of design.md section 7 ("case" for `caseName`), with "baseline_value".
  Json toJson() const;
};

struct BenchInfo {
  std::string name;
  std::string summary;
  std::function<std::vector<BenchResult>(const Registries&, int threads, Task&)> run;
};

/// Every bench the program has.
const std::vector<BenchInfo>& benches();

/// PGD-20 on the cross-entropy: images x steps per second, beside the raw rate of forward plus
/// gradient with respect to the image of the same network, at the same batch size.
std::vector<BenchResult> benchPgd(const Registries& registries, int threads, Task& task);

}  // namespace bulwark
