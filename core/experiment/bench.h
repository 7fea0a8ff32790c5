#pragma once

#include <cstdint>
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

/// How much `benchAttacks` measures.
struct AttackBenchSize {
  std::int64_t images = 256, steps = 20;  ///< LeNet-5 and ConvNet against the plain loop
  std::int64_t longImages = 1000;         ///< LeNet-5 under PGD-100; ConvNet a quarter of them
  std::int64_t trainingImages = 600;      ///< of the models for rank saturation
  int repetitions = 5;
  bool residual = true;  ///< ResNet-18 too
};

/// PGD beside a straightforward loop (contiguous layout, max-pool and batch norm as LibTorch has
/// them, parameters wanting gradients, `backward()`), at LibTorch's default threads and at ours,
/// and beside the bare passes; seconds for 1,000 images of PGD-100; propagations that rank
/// saturation saves. Throws `Error` when both loops do not find the same scores (to 1e-4 on
/// average, of the largest where that is above 1), or when a rank metric changes. The plain loop
/// profits from the kept memory that `setThreads` switches on.
std::vector<BenchResult> benchAttacks(const Registries& registries, int threads, Task& task,
                                      const AttackBenchSize& size = {});

/// How much `benchAttractor` measures.
struct AttractorBenchSize {
  std::vector<std::int64_t> encoder = {500, 300, 300};  ///< as published
  std::int64_t batch = 64;
  std::int64_t epochImages = 1000;
  int repetitions = 3;
  /// Shares of active units, layer by layer: those of the attractor network trained on 1,000 images
  /// of MNIST, more than of the baseline.
  std::vector<double> active = {0.81, 0.69, 0.64, 0.62, 0.71, 0.35};
};

/// The Jacobian term of the attractor loss with its gradient, exactly and estimated, beside one
/// backward pass per output (784), on a fresh network, of which about half of the units are active,
/// and on one as active as a trained one; and the seconds of an epoch with and without it. Throws
/// `Error` when the exact forms differ from the naive one by more than 1e-5.
std::vector<BenchResult> benchAttractor(const Registries& registries, int threads, Task& task,
                                        const AttractorBenchSize& size = {});

/// How much `benchSvdd` measures.
struct SvddBenchSize {
  std::int64_t images = 10000;                           ///< scored
  std::int64_t points = 6000;                            ///< per machine
  std::vector<std::int64_t> dimensions = {16, 64, 128};  ///< of the features
  int repetitions = 5;
};

/// One-class machines: scoring in matrix products beside libsvm's own decision function called for
/// one image after another, by dimension and by support vectors; seconds to fit 10 classes on 2
/// layers, and one machine by points. Throws `Error` when the decision values differ by more than
/// 1e-5 of the sum of the coefficients (nu n).
std::vector<BenchResult> benchSvdd(const Registries& registries, int threads, Task& task,
                                   const SvddBenchSize& size = {});

/// The part of `benchAttacks` about rank saturation (S1), on a standard and an adversarially
/// trained LeNet-5.
std::vector<BenchResult> benchSaturation(const Registries& registries, std::int64_t images,
                                         Task& task);

}  // namespace bulwark
