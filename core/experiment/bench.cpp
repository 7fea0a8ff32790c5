#include "core/experiment/bench.h"

namespace bulwark {

Json BenchResult::toJson() const {
  return {{"bench", bench}, {"case", caseName},     {"value", value},
          {"unit", unit},   {"baseline", baseline}, {"baseline_value", baselineValue},
          {"ratio", ratio}, {"threads", threads}};
}

const std::vector<BenchInfo>& benches() {
  static const std::vector<BenchInfo> list = {
      {"pgd", "PGD against the raw rate of the network's forward and input gradient", benchPgd},
  };
  return list;
}

}  // namespace bulwark
