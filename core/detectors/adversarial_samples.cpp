#include "core/detectors/adversarial_samples.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/base/error.h"
#include "core/nn/device.h"
#include "core/nn/log_odds.h"

namespace bulwark {
namespace {

torch::Tensor shuffled(std::int64_t size, Seed seed) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(size));
  std::iota(rows.begin(), rows.end(), 0);
  Random random(seed);
  random.shuffle(rows);
  return torch::tensor(rows, torch::kInt64);
}

torch::Tensor noiseLike(const torch::Tensor& images, double deviation, Seed seed) {
  auto noise = torch::empty(images.sizes(), torch::kFloat32);
  Random random(seed);
  float* data = noise.data_ptr<float>();
  for (std::int64_t i = 0; i < noise.numel(); ++i) {
    data[i] = static_cast<float>(deviation * random.normal());
  }
  return noise;
}

/// FGSM (Goodfellow, Shlens and Szegedy, ICLR 2015, section 4). The gradient is that of the
/// log-odds, which has the sign of the cross-entropy's and does not vanish where that saturates.
torch::Tensor fgsm(Network& network, const torch::Tensor& images, const torch::Tensor& classes,
                   double epsilon) {
  const torch::AutoGradMode enabled(true);
  const auto leaf = images.detach().requires_grad_(true);
  const auto loss = negativeLogOdds(network.forward(leaf), classes);
  const auto gradient = torch::autograd::grad({loss.sum()}, {leaf})[0];
  return (images + epsilon * gradient.sign()).clamp(0, 1);
}

/// The attack with the parameters of the code of Ma et al. 2018: 50 steps of 0.01 within 0.4 on
/// MNIST and of 0.005 within 0.05 on CIFAR-10; JSMA and C&W with random targets.
Json publishedAttack(const std::string& type, double epsilon, bool grey) {
  if (type == "jsma") return {{"type", type}, {"target", "random"}};
  if (type == "cw_l2") return {{"type", type}, {"target", "random"}, {"bounded", false}};
  const double step = grey || epsilon > 0.05 ? 0.01 : 0.005;  // SVHN: 0.01 within 0.13
  return {{"type", type}, {"eps", epsilon}, {"steps", 50}, {"step_size", step}};
}

/// Deviation of the noise that is as large as the attack in l2, by the code of Ma et al. 2018 for
/// MNIST and CIFAR-10.
double publishedNoise(const std::string& attack, bool grey) {
  if (attack == "bim_a") return grey ? 0.111 : 0.0084;
  if (attack == "bim_b") return grey ? 0.167 : 0.0428;
  if (attack == "cw_l2") return grey ? 0.207 : 0.007;
  return grey ? 0.271 : 0.0504;
}

/// The counterpart of JSMA in that code: as many values of each image as the attack has changed,
/// drawn at random, become 1.
torch::Tensor flippedLike(const torch::Tensor& clean, const torch::Tensor& adversarial, Seed seed) {
  auto flipped = clean.clone().contiguous();
  const auto changed = adversarial.ne(clean).flatten(1).sum(1);
  const std::int64_t values = clean[0].numel();
  for (std::int64_t i = 0; i < clean.size(0); ++i) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(values));
    std::iota(order.begin(), order.end(), 0);
    Random random(seed.child(static_cast<std::uint64_t>(i)));
    random.shuffle(order);
    float* image = flipped.data_ptr<float>() + i * values;
    const auto count = static_cast<std::size_t>(changed[i].item<std::int64_t>());
    for (std::size_t k = 0; k < count; ++k) image[order[k]] = 1.0F;
  }
  return flipped;
}

}  // namespace

void SampleOptions::declare(OptionSchema& options) {
  options
      .choice("samples_attack", "fgsm", {"fgsm", "bim_a", "bim_b", "jsma", "cw_l2"},
              "Attack on the classifier that makes the adversarial images it is trained on")
      .from(
          "Zhao et al., tables 3 and 6: FGSM, tested on all; table 9: the attack it is tested on");
  options
      .integer("samples", 2000,
               "Validation images (training images where there are none) that the logistic "
               "regression is trained on: as they are, with noise and attacked")
      .range(20, 1000000)
      .in("images")
      .from("Ma et al. 2018: 8,000 images of the test set, which is not touched here");
  options
      .number(
          "eps", 0.0,
          "Radius of the FGSM or BIM images that it is trained on; 0: 0.4 for grey images, 0.05 "
          "for colour")
      .range(0, 1)
      .in("fraction of the [0,1] range")
      .from("code of Ma et al. 2018: 0.4 MNIST, 0.05 CIFAR-10, 0.13 SVHN");
  options
      .number("noise", 0.0,
              "Deviation of the noise of its noisy images; 0: as large as the attack, as published "
              "for grey and colour images")
      .range(0, 1)
      .in("fraction of the [0,1] range")
      .from(
          "code of Ma et al. 2018, grey and colour: FGSM 0.271, 0.0504; BIM-a 0.111, 0.0084; BIM-b "
          "0.167, 0.0428; C&W 0.207, 0.007; JSMA: as many values as it changes become 1");
}

SampleOptions SampleOptions::from(const Params& params) {
  return {params.getInt("samples"), params.getText("samples_attack"), params.getNumber("eps"),
          params.getNumber("noise")};
}

torch::Tensor shuffledTrainingRows(const DetectorContext& context, std::int64_t from,
                                   std::int64_t to) {
  return shuffled(context.train.size(), context.seed.child("order")).slice(0, from, to).clone();
}

AdversarialSamples adversarialSamples(const DetectorContext& context, const SampleOptions& options,
                                      std::int64_t reserved, const std::string& detector) {
  const bool validates = context.validation && context.validation->size() > 0;
  const ImageSet& set = validates ? *context.validation : context.train;
  const auto order = validates ? shuffled(set.size(), context.seed.child("order"))
                               : shuffledTrainingRows(context, reserved, set.size());
  const auto drawn = std::get<0>(order.slice(0, 0, options.count).sort());
  const bool grey = set.shape().channels == 1;
  const double epsilon = options.epsilon > 0 ? options.epsilon : grey ? 0.4 : 0.05;
  const double deviation = options.noise > 0 ? options.noise : publishedNoise(options.attack, grey);

  const bool crafts = options.attack != "fgsm";
  if (crafts && !context.craft) {
    throw Error::failed("there are no attacks at hand", detector, "use samples_attack fgsm");
  }

  std::vector<torch::Tensor> clean, adversarial, rows;
  context.task.begin("adversarial images for " + detector, drawn.size(0), "images");
  for (const auto& part : drawn.split(context.batchSize)) {
    const torch::NoGradGuard noGrad;
    const auto images = toDevice(set.images(part), context.device);
    const auto labels = toDevice(set.labels().index_select(0, part), context.device);
    const auto told = context.classifier->forward(images).argmax(1);
    const auto right = ((told == labels) | (labels < 0)).nonzero().squeeze(1);
    const auto kept = images.index_select(0, right);
    rows.push_back(part.index_select(0, right.to(torch::kCPU)));
    clean.push_back(kept.to(torch::kCPU));
    if (kept.size(0) > 0) {
      const auto classes = told.index_select(0, right);
      const auto made =
          crafts ? context.craft(publishedAttack(options.attack, epsilon, grey), kept, classes)
                 : fgsm(*context.classifier, kept, classes, epsilon);
      adversarial.push_back(made.to(torch::kCPU));
    }
    // An attack tells its images itself.
    context.task.advance(crafts ? part.size(0) - kept.size(0) : part.size(0));
  }
  context.task.end();
  constexpr std::int64_t least = 10;
  const auto kept = rows.empty() ? torch::empty({0}, torch::kInt64) : torch::cat(rows);
  if (kept.size(0) < least) {
    throw Error::badInput("'" + detector + "' is trained on images that the classifier gets " +
                              "right, and there are " + std::to_string(kept.size(0)),
                          set.name(), "raise the number of validation or training images");
  }
  AdversarialSamples samples;
  samples.clean = torch::cat(clean);
  samples.adversarial = torch::cat(adversarial);
  const Seed seed = context.seed.child("noise");
  if (options.attack == "jsma" && options.noise == 0) {
    samples.noisy = flippedLike(samples.clean, samples.adversarial, seed);
  } else {
    samples.noisy = (samples.clean + noiseLike(samples.clean, deviation, seed)).clamp(0, 1);
  }
  if (!validates) samples.rows = kept;
  return samples;
}

torch::Tensor AdversarialSamples::features(
    const DetectorContext& context, const std::string& phase,
    const std::function<torch::Tensor(const torch::Tensor&)>& features) const {
  const torch::NoGradGuard noGrad;
  std::vector<torch::Tensor> parts;
  context.task.begin(phase, 3 * clean.size(0), "images");
  for (const auto& version : {clean, noisy, adversarial}) {
    for (const auto& batch : version.split(context.batchSize)) {
      parts.push_back(features(toDevice(batch, context.device)).to(torch::kCPU, torch::kFloat64));
      context.task.advance(batch.size(0));
    }
  }
  context.task.end();
  return torch::cat(parts);
}

torch::Tensor AdversarialSamples::positive() const {
  const std::int64_t count = clean.size(0);
  return torch::arange(3 * count) >= 2 * count;
}

torch::Tensor AdversarialSamples::fold(std::int64_t folds) const {
  const std::int64_t count = clean.size(0);
  return torch::div(torch::arange(count) * folds, count, "floor").repeat({3});
}

}  // namespace bulwark
