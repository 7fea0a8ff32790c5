#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/attacks/apgd.h"
#include "core/attacks/ascent.h"
#include "core/attacks/ball.h"
#include "core/attacks/builtin.h"
#include "core/attacks/classification_objective.h"
#include "core/attacks/resources.h"
#include "core/attacks/snapshots.h"
#include "core/attacks/threat.h"
#include "core/base/error.h"
#include "core/nn/device.h"
#include "core/nn/log_odds.h"
#include "core/nn/network.h"

namespace bulwark {
namespace {

/// Raises a classifier's confidence in the class that it predicts for the clean image: what makes
/// an image of no known class look like one of them.
class ConfidenceObjective : public Objective {
 public:
  ConfidenceObjective(Network& network, const torch::Tensor& images, const AttackContext& context)
      : network_(network) {
    const torch::NoGradGuard noGrad;
    std::vector<torch::Tensor> classes = {torch::empty({0}, torch::kInt64)};
    const auto width = std::max<std::int64_t>(1, context.batchSize);
    for (std::int64_t begin = 0; begin < images.size(0); begin += width) {
      context.task.checkpoint();
      const auto part = toDevice(images.slice(0, begin, begin + width), context.device);
      classes.push_back(network.forward(part).argmax(1).to(torch::kCPU));
    }
    predicted_ = torch::cat(classes);
  }

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    const auto classes = predicted_.index_select(0, samples).to(images.device());
    const auto value = -negativeLogOdds(network_.forward(images), classes);
    return {value, value.detach()};
  }

 private:
  Network& network_;
  torch::Tensor predicted_;
};

struct TransferPlan {
  SourceRequest source;
  ThreatModel threat;
  std::string inner = "pgd";
  std::int64_t steps = 100;
};

/// Crafts on one model, is judged by another (ATD, table 2). Without a source of its own it crafts
/// on the classifier's loss and never looks at the detector: the threat model of the detectors that
/// were published against attacks on the classifier, labelled as what it is.
///
/// The source's loss is its detector's score, in the attack's direction; or, of a plain classifier,
/// the cross-entropy of the true classes where they are known (in images), and the confidence in
/// the predicted class, to be raised, where there is none (out images).
class Transfer : public Attack {
 public:
  explicit Transfer(TransferPlan plan) : plan_(std::move(plan)) {}

  ThreatModel threat() const override { return plan_.threat; }
  std::int64_t forwardsPerImage() const override { return plan_.steps + 5; }
  std::int64_t backwardsPerImage() const override { return plan_.steps; }

  AttackResult perturb(Objective& objective, const torch::Tensor& images,
                       const AttackContext& context) const override {
    requireImages(images, "transfer");
    Source source;
    Objective* followed = &objective;  // of a classifier without another source
    std::int64_t forwards = 0;
    const bool other =
        plan_.source.run > 0 || !plan_.source.weights.empty() || !plan_.source.detector.empty();
    if (other || objective.classes() == 0) {
      source = findSource(objective.classes() > 0, other, context);
      if (!source.objective) {
        if (context.resources->labels.defined()) {
          source.objective =
              std::make_unique<ClassificationObjective>(*source.network, context.resources->labels);
        } else {
          source.objective =
              std::make_unique<ConfidenceObjective>(*source.network, images, context);
          forwards += images.size(0);
        }
      }
      followed = source.objective.get();
    }
    AttackContext crafting = context;
    // Values, bounds and thresholds are the target's.
    crafting.clean = torch::Tensor();
    crafting.mode = AttackMode::Maximise;
    crafting.saturation = std::numeric_limits<double>::infinity();
    crafting.thresholds.clear();
    crafting.snapshotSamples.clear();
    crafting.snapshotSteps.clear();
    const auto crafted = craft(*followed, images, crafting);

    AttackResult result;
    result.forwards = forwards + crafted.forwards;
    result.backwards = crafted.backwards;
    result.zeroGradient = crafted.zeroGradient;
    const auto width = passSize(images.size(0), std::max<std::int64_t>(1, context.batchSize));
    const auto before = context.clean.defined()
                            ? context.clean.to(torch::kCPU, torch::kFloat64)
                            : judgeImages(objective, images, width, context, result);
    const auto after = judgeImages(objective, crafted.images, width, context, result);
    const auto better = after > before;
    result.values = torch::where(better, after, before);
    result.images = torch::where(perRow(better), crafted.images, images);
    result.saturated = result.values > finishBound(context);
    if (images.size(0) > 0) {
      result.trajectory = {before.mean().item<double>(), result.values.mean().item<double>()};
    }
    snapshots(result, images, before, context);
    auditPerturbation(images, result.images, plan_.threat, "transfer");
    return result;
  }

 private:
  Source findSource(bool classifier, bool other, const AttackContext& context) const {
    if (!context.resources) {
      throw Error::failed("no model to craft on is known here", "transfer");
    }
    if (other) {
      if (!context.resources->source) {
        throw Error::failed("no other models are known here", "transfer");
      }
      SourceRequest request = plan_.source;
      // A classifier is attacked through the source's classifier, not through a score.
      if (classifier) request.detector.clear();
      Source source = context.resources->source(request);
      if (source.objective || source.network) return source;
    } else if (context.resources->classifier) {
      Source source;
      source.network = context.resources->classifier;
      return source;
    }
    throw Error::badInput("there is no classifier to craft on", "transfer",
                          "name a source: run, weights or source_detector");
  }

  AttackResult craft(Objective& objective, const torch::Tensor& images,
                     const AttackContext& context) const {
    if (plan_.inner == "apgd") {
      ApgdPlan plan;
      plan.threat = plan_.threat;
      plan.steps = plan_.steps;
      return makeApgd(plan)->perturb(objective, images, context);
    }
    const bool fgsm = plan_.inner == "fgsm";
    AscentPlan plan;
    plan.name = "transfer";
    plan.threat = plan_.threat;
    plan.steps = fgsm ? 1 : plan_.steps;
    plan.stepSize = plan_.threat.epsilon * (fgsm ? 1.0 : 2.5 / static_cast<double>(plan_.steps));
    plan.randomStart = !fgsm;
    return ascend(plan, objective, images, context);
  }

  /// Before the first step the clean image, after it the result.
  static void snapshots(AttackResult& result, const torch::Tensor& images,
                        const torch::Tensor& before, const AttackContext& context) {
    startSnapshots(images, context, result);
    for (const std::int64_t sample :
         std::set<std::int64_t>(context.snapshotSamples.begin(), context.snapshotSamples.end())) {
      keepSnapshots(
          sample, 0, 0, before[sample].item<double>(), [&] { return images[sample]; }, context,
          result);
      keepSnapshots(
          sample, 1, std::numeric_limits<std::int64_t>::max(), result.values[sample].item<double>(),
          [&] { return result.images[sample]; }, context, result);
    }
  }

  TransferPlan plan_;
};

}  // namespace

void addTransfer(Registry<Attack>& registry) {
  ComponentInfo info;
  info.name = "transfer";
  info.title = "Transfer attack";
  info.summary =
      "Crafts on another model (by default the plain classifier's loss), is judged by this one";
  info.reference = "Papernot et al. 2016; Azizmalayeri et al., NeurIPS 2022 (ATD), table 2";
  info.traits = {"black box", "needs gradient of the source", "no intermediate results"};
  addThreatOptions(info.options, "ATD, table 2: 8 of 255");
  info.options
      .text("source_detector", "",
            "Detector whose score is followed, by label or type; empty: the classifier's "
            "own loss")
      .from("ATD, table 2")
      .simple();
  info.options.integer("run", 0, "Run in the same database to craft on; 0: this one")
      .range(0, 1e15)
      .in("run id")
      .from("ATD, table 2");
  info.options.text("weights", "", "Weights of the same network to craft on (.safetensors)")
      .from("ATD, table 2");
  info.options.choice("attack", "pgd", {"pgd", "fgsm", "apgd"}, "Attack on the source")
      .from("ATD, table 2 (fgsm); pgd is the stronger default");
  info.options.integer("steps", 100, "Gradient steps on the source, but for fgsm")
      .range(1, 100000)
      .in("steps")
      .from("Madry et al. 2018, section 5");
  registry.add(info, [](const Params& params) {
    TransferPlan plan;
    plan.threat = threatOf(params, "transfer");
    plan.source.run = params.getInt("run");
    plan.source.weights = params.getText("weights");
    plan.source.detector = params.getText("source_detector");
    plan.inner = params.getText("attack");
    plan.steps = params.getInt("steps");
    if (plan.source.run > 0 && !plan.source.weights.empty()) {
      throw Error::badInput("a run and a file of weights are two sources", params.pathOf("weights"),
                            "give one of them");
    }
    return std::make_unique<Transfer>(plan);
  });
}

}  // namespace bulwark
