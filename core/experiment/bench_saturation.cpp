#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/score_set.h"
#include "core/experiment/bench.h"
#include "core/metrics/detection.h"
#include "core/nn/network.h"
#include "core/training/recipe.h"

namespace bulwark {
namespace {

constexpr std::int64_t kSide = 16;
constexpr std::int64_t kBatch = 64;

/// Noisy stripes of three orientations, or with another period as outliers.
torch::Tensor stripes(std::int64_t count, std::uint64_t seed, double frequency) {
  auto images = torch::empty({count, 1, kSide, kSide});
  Random random(Seed{seed});
  auto pixel = images.accessor<float, 4>();
  for (std::int64_t n = 0; n < count; ++n) {
    const double phase = 6.3 * random.uniform();
    for (std::int64_t y = 0; y < kSide; ++y) {
      for (std::int64_t x = 0; x < kSide; ++x) {
        const auto along = static_cast<double>(n % 3 == 0 ? y : n % 3 == 1 ? x : x + y);
        const double value =
            0.5 + 0.08 * std::sin(frequency * along + phase) + 0.02 * random.normal();
        pixel[n][0][y][x] = static_cast<float>(std::clamp(value, 0.0, 1.0));
      }
    }
  }
  return images;
}

std::vector<double> toVector(const torch::Tensor& values) {
  const auto flat = values.to(torch::kFloat64).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// Everything that hangs on ranks alone, for In, Out and In&Out.
std::vector<double> rankMetrics(const torch::Tensor& cleanIn, const torch::Tensor& cleanOut,
                                const AttackResult& in, const AttackResult& out) {
  std::vector<double> all;
  BootstrapOptions options;
  options.replicates = 20;
  const auto attackedOut = -out.values;
  for (const auto& [i, o] : {std::pair{in.values, cleanOut}, std::pair{cleanIn, attackedOut},
                             std::pair{in.values, attackedOut}}) {
    const auto m = evaluate(toVector(i), toVector(o), options);
    all.insert(all.end(), {m.auroc, m.auprOut, m.auprIn, m.fpr95Id, m.fpr95Ood, m.tnr95,
                           m.detectionAccuracy, m.tieShare, m.ciLow, m.ciHigh});
  }
  return all;
}

}  // namespace

std::vector<BenchResult> benchSaturation(const Registries& registries, std::int64_t images,
                                         Task& task) {
  const auto inImages = stripes(300, 5, 0.9), outImages = stripes(300, 6, 1.4);
  const TensorImageSet train("stripes", stripes(images, 1, 0.9), torch::arange(images).remainder(3),
                             {"rows", "columns", "diagonals"});
  const auto attack = registries.attacks.make("pgd", {{"eps", "24/255"}, {"steps", 40}}, "attack");
  std::vector<BenchResult> results;
  for (const std::string recipe : {"standard", "adversarial"}) {
    const auto network =
        registries.networks.make("lenet5", Json::object(), "", NetworkShape{1, kSide, kSide, 3});
    network->initialise(Seed{4});
    Json options = {{"epochs", 6}, {"batch_size", kBatch}};
    if (recipe == "adversarial") options["eps"] = "24/255";
    FitContext fit{.network = *network, .train = train, .task = task};
    registries.recipes.make(recipe, options, "recipe")->fit(fit);
    network->freeze();
    for (const std::string name : {"energy", "mahalanobis"}) {
      const auto detector = registries.detectors.make(name, Json::object(), "detector");
      DetectorContext context{.train = train, .task = task};
      context.classifier = network.get();
      detector->fit(context);
      const auto cleanIn = scoreImages(*detector, inImages, torch::kCPU, kBatch, task);
      const auto cleanOut = scoreImages(*detector, outImages, torch::kCPU, kBatch, task);
      struct Found {
        AttackResult in, out;
        double propagations() const {
          return static_cast<double>(in.forwards + in.backwards + out.forwards + out.backwards);
        }
      };
      const auto run = [&](bool saturate) {
        const auto perturb = [&](const torch::Tensor& at, const torch::Tensor& clean, int direction,
                                 double bound) {
          DetectorObjective objective(*detector, direction);
          AttackContext around{.batchSize = kBatch, .seed = Seed{9}, .task = task};
          around.clean = direction * clean;
          if (saturate) around.saturation = bound;
          return attack->perturb(objective, at, around);
        };
        return Found{perturb(inImages, cleanIn, 1, cleanOut.max().item<double>()),
                     perturb(outImages, cleanOut, -1, -cleanIn.min().item<double>())};
      };
      const Found full = run(false), saturated = run(true);
      if (rankMetrics(cleanIn, cleanOut, full.in, full.out) !=
          rankMetrics(cleanIn, cleanOut, saturated.in, saturated.out)) {
        throw Error::failed("rank saturation has changed a rank metric of " + name, "bench attacks",
                            "this is a fault of the program; please report it");
      }
      const double count = static_cast<double>(inImages.size(0) + outImages.size(0));
      results.push_back({"attacks",
                         "rank saturation, PGD-40 on " + name + ", " + recipe +
                             " model, rank metrics bit-identical",
                         saturated.propagations() / count, "propagations / image", "without it",
                         full.propagations() / count,
                         full.propagations() / saturated.propagations(), 0});
    }
  }
  return results;
}

}  // namespace bulwark
