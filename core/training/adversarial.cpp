#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/device.h"
#include "core/training/adversary.h"
#include "core/training/evaluate.h"
#include "core/training/fit_loop.h"
#include "core/training/recipes.h"

namespace bulwark {
namespace {

/// The adversary of the training.
struct Inner {
  bool linf = true;
  double epsilon = 0;
  double stepSize = 0;  ///< 0: 2.5 epsilon / steps
  std::int64_t steps = 7;
  bool randomStart = true;

  double step() const {
    return stepSize > 0 ? stepSize : 2.5 * epsilon / static_cast<double>(steps);
  }
};

/// Euclidean norm of each image, as [B, 1, 1, 1].
torch::Tensor norms(const torch::Tensor& images) {
  return images.flatten(1).norm(2, 1).reshape({-1, 1, 1, 1});
}

/// A point drawn uniformly from the ball around each image.
torch::Tensor startIn(const Inner& inner, const torch::Tensor& images, Random& random) {
  torch::Tensor noise = torch::empty(images.sizes(), torch::kFloat32);
  float* data = noise.data_ptr<float>();
  const std::int64_t pixels = noise.numel();
  if (inner.linf) {
    for (std::int64_t i = 0; i < pixels; ++i) {
      data[i] = static_cast<float>(inner.epsilon * (2.0 * random.uniform() - 1.0));
    }
    return (images + toDevice(noise, images.device())).clamp_(0.0, 1.0);
  }
  for (std::int64_t i = 0; i < pixels; ++i) data[i] = static_cast<float>(random.normal());
  const std::int64_t count = images.size(0);
  torch::Tensor radius = torch::empty({count, 1, 1, 1}, torch::kFloat32);
  const double dimension = static_cast<double>(pixels) / static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    radius.data_ptr<float>()[i] =
        static_cast<float>(inner.epsilon * std::pow(random.uniform(), 1.0 / dimension));
  }
  noise *= radius / norms(noise).clamp_min(1e-12);
  return (images + toDevice(noise, images.device())).clamp_(0.0, 1.0);
}

/// One step up the gradient and back into the ball and [0, 1].
class Mover {
 public:
  Mover(const Inner& inner, const torch::Tensor& images) : inner_(inner), images_(images) {
    if (!inner.linf) return;
    low_ = (images - inner.epsilon).clamp_min_(0.0);
    high_ = (images + inner.epsilon).clamp_max_(1.0);
  }

  torch::Tensor move(const torch::Tensor& at, const torch::Tensor& gradient) const {
    if (inner_.linf) {
      const torch::Tensor next = gradient.sign().mul_(inner_.step()).add_(at);
      return torch::min(torch::max(next, low_), high_);
    }
    const torch::Tensor next = at + inner_.step() * gradient / norms(gradient).clamp_min(1e-12);
    const torch::Tensor offset = next - images_;
    const torch::Tensor scale = (inner_.epsilon / norms(offset).clamp_min(1e-12)).clamp_max(1.0);
    return (images_ + offset * scale).clamp_(0.0, 1.0);
  }

 private:
  const Inner& inner_;
  torch::Tensor images_, low_, high_;
};

/// Projected gradient ascent on the cross-entropy; the last iterate, as in Madry et al. 2018.
///
/// A loop of its own and not an `Attack`: it needs no value per sample, where an `Attack` keeps the
/// best point, judges it in one more forward and brings the images to the CPU and back.
class LastIterate : public Adversary {
 public:
  explicit LastIterate(Inner inner) : inner_(inner) {}

  torch::Tensor perturb(Network& network, const torch::Tensor& images, const torch::Tensor& labels,
                        double share, Seed seed, Task& task) const override {
    Inner inner = inner_;
    inner.epsilon *= share;
    inner.stepSize *= share;
    if (inner.epsilon == 0) return images;
    const FrozenScope frozen(network);
    const Mover mover(inner, images);
    Random random(seed);
    torch::Tensor at = inner.randomStart ? startIn(inner, images, random) : images;
    for (std::int64_t i = 0; i < inner.steps; ++i) {
      task.checkpoint();
      at = at.detach().requires_grad_(true);
      const torch::Tensor loss = torch::nn::functional::cross_entropy(
          network.forward(at), labels,
          torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
      const torch::Tensor gradient = torch::autograd::grad({loss}, {at})[0];
      const torch::NoGradGuard noGrad;
      at = mover.move(at, gradient);
    }
    return at.detach();
  }

  double propagationsPerImage() const override { return 2.0 * static_cast<double>(inner_.steps); }

 private:
  Inner inner_;
};

/// Adversarial training: each step is taken on images perturbed against the present weights.
class Adversarial : public Recipe {
 public:
  /// `name` tells adversaries apart; empty: the published one.
  Adversarial(FitOptions options, std::unique_ptr<Adversary> adversary, std::string name,
              double warmupEpochs, std::int64_t robustImages)
      : options_(std::move(options)),
        adversary_(std::move(adversary)),
        name_(std::move(name)),
        warmupEpochs_(warmupEpochs),
        robustImages_(robustImages) {}

  void fit(FitContext& context) override {
    FitHooks hooks;
    hooks.recipe = name_.empty() ? "adversarial" : "adversarial " + name_;
    hooks.perturb = [&](const TrainingBatch& batch) {
      const double share = warmupEpochs_ > 0 ? std::min(1.0, batch.epochs / warmupEpochs_) : 1.0;
      return adversary_->perturb(context.network, batch.images, batch.labels, share,
                                 batch.seed.child("start"), context.task);
    };
    if (context.validation && context.validation->size() > 0 && robustImages_ > 0) {
      hooks.robustAccuracy = [&] { return robustAccuracy(context); };
    }
    runFitLoop(context, options_, hooks);
  }

 private:
  /// Share of a fixed, evenly spread part of the validation images that is classified rightly both
  /// clean and as the adversary leaves it; the starts are the same in every epoch.
  double robustAccuracy(FitContext& context) const {
    const ImageSet& set = *context.validation;
    const EvaluationScope evaluation(context.network);
    const std::int64_t count = std::min(robustImages_, set.size());
    const torch::Tensor positions =
        torch::div(torch::arange(count, torch::kInt64) * set.size(), count, "floor");
    std::int64_t right = 0;
    for (std::int64_t begin = 0; begin < count; begin += options_.batchSize) {
      const std::int64_t end = std::min(begin + options_.batchSize, count);
      const torch::Tensor indices = positions.slice(0, begin, end);
      const torch::Tensor images = toDevice(set.images(indices), context.device);
      const torch::Tensor labels = toDevice(set.labels().index_select(0, indices), context.device);
      const Seed seed = context.seed.child("robust").child(static_cast<std::uint64_t>(begin));
      const torch::Tensor attacked =
          adversary_->perturb(context.network, images, labels, 1.0, seed, context.task);
      const torch::NoGradGuard noGrad;
      const torch::Tensor kept = (context.network.forward(images).argmax(1) == labels) &
                                 (context.network.forward(attacked).argmax(1) == labels);
      right += kept.sum().item<std::int64_t>();
    }
    return static_cast<double>(right) / static_cast<double>(count);
  }

  FitOptions options_;
  std::unique_ptr<Adversary> adversary_;
  std::string name_;
  double warmupEpochs_;
  std::int64_t robustImages_;
};

}  // namespace

void addAdversarial(Registry<Recipe>& registry) {
  ComponentInfo info;
  info.name = "adversarial";
  info.title = "Adversarial training";
  info.summary = "minimises the cross-entropy on images perturbed at every step, by PGD as a rule";
  info.reference = "Madry et al., ICLR 2018";
  info.traits = {"needs labels"};
  info.options.number("eps", "8/255", "radius of the perturbation")
      .range(0, 100)
      .in("fraction of the [0,1] range; for l2 the Euclidean length, which may exceed 1")
      .from("Madry et al. 2018, section 4 (CIFAR-10; MNIST: 0.3)")
      .simple();
  info.options.integer("steps", 7, "gradient steps of the perturbation")
      .range(1, 1000)
      .from("Madry et al. 2018, section 4 (CIFAR-10; MNIST: 40)");
  info.options.number("step_size", 0.0, "length of one step; 0: 2.5 eps / steps")
      .range(0, 100)
      .from("Madry et al. 2018, section 5")
      .expert();
  info.options.boolean("random_start", true, "start at a random point of the ball")
      .from("Madry et al. 2018, section 3")
      .expert();
  info.options
      .text("attack", "",
            "attack that perturbs, by name or as {\"type\": \"pgd\", \"restarts\": 2}: fgsm, pgd, "
            "apgd, bim_a, bim_b, least_likely; eps, norm, steps, step_size and random_start are "
            "those given here unless it has its own; empty: PGD's last iterate")
      .from("Madry et al. 2018, section 4: PGD's last iterate")
      .expert();
  info.options.choice("norm", "linf", {"linf", "l2"}, "what the radius is measured in")
      .from("Madry et al. 2018");
  info.options
      .number("warmup_epochs", 1.0,
              "epochs over which eps grows from 0; large radii stall small networks without it")
      .range(0, 10000)
      .in("epochs")
      .from("Gowal et al. 2018 ramp eps so; 0: Madry et al. 2018");
  info.options
      .integer("robust_images", 256,
               "validation images attacked after each epoch for robust_accuracy; 0: none")
      .range(0, 1000000)
      .in("images")
      .expert();
  info.options.include(fitSchema());
  registry.add(info, [](const Params& params) {
    Inner inner;
    inner.linf = params.getText("norm") == "linf";
    inner.epsilon = params.getNumber("eps");
    if (inner.linf && inner.epsilon > 1) {
      throw Error::badInput(formatNumber(inner.epsilon) + " is more than the whole [0,1] range",
                            params.pathOf("eps"), "expected 0 <= eps <= 1 with the norm linf");
    }
    inner.stepSize = params.getNumber("step_size");
    inner.steps = params.getInt("steps");
    inner.randomStart = params.getBool("random_start");
    const std::string attack = params.getText("attack");
    std::unique_ptr<Adversary> adversary;
    if (attack.empty()) {
      adversary = std::make_unique<LastIterate>(inner);
    } else {
      adversary = makeAttackAdversary(attack, params.values(), params.pathOf("attack"));
    }
    return std::make_unique<Adversarial>(readFitOptions(params), std::move(adversary), attack,
                                         params.getNumber("warmup_epochs"),
                                         params.getInt("robust_images"));
  });
}

}  // namespace bulwark
