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
      {"attacks", "Attacks against a plain loop, PGD-100 on 1,000 images, rank saturation",
       [](const Registries& registries, int threads, Task& task) {
         return benchAttacks(registries, threads, task);
       }},
      {"attractor", "The Jacobian term of the attractor loss against one backward pass per output",
       [](const Registries& registries, int threads, Task& task) {
         return benchAttractor(registries, threads, task);
       }},
      {"svdd", "One-class machines in matrix products against libsvm image by image, and their fit",
       [](const Registries& registries, int threads, Task& task) {
         return benchSvdd(registries, threads, task);
       }},
  };
  return list;
}

}  // namespace bulwark
