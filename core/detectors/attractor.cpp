#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/detectors/builtin.h"
#include "core/detectors/convergence.h"
#include "core/detectors/features.h"
#include "core/detectors/iteration_strips.h"
#include "core/detectors/own_threshold.h"
#include "core/detectors/score_set.h"
#include "core/metrics/threshold.h"
#include "core/nn/device.h"
#include "core/nn/fixed_point.h"

namespace bulwark {
namespace {

constexpr const char* kName = "attractor";
constexpr const char* kState = "attractor.threshold";
constexpr const char* kRadii = "attractor.radii";
constexpr const char* kConvergence = "attractor.convergence";

struct AttractorOptions {
  IterationPlan iteration;
  double similarity = 0.8;
  bool calibrated = false;
  double keep = 0.95;
  std::int64_t stabilityImages = 100;
  ConvergencePlan convergence;
  StripPlan strips;
};

/// Similarity of an image to where the network takes it (Alipour and Seyyedsalehi, section 2.5.3,
/// equations 6 and 7):
///   s(x) = 1 - pearson(x, G^n(x)),   accepted where the correlation is at least T = 0.8.
///
/// In-distribution images lie near attractors of G and stay alike. n is not given in the paper; its
/// figure 11 finds no considerable change after the first iteration. The class of an accepted image
/// is F(G^{n-1}(x)), of the image fed last. The gradient goes through all iterations.
class Attractor : public Detector,
                  public HasThreshold,
                  public HasFitFacts,
                  public HasClasses,
                  public HasPasses,
                  public HasStrips {
 public:
  explicit Attractor(AttractorOptions options) : options_(options) {}

  DetectorTraits traits() const override { return {}; }

  void fit(const DetectorContext& context) override {
    use(context.classifier);
    measureStability(context);
    measureConvergence(context);
    threshold_ = 1.0 - options_.similarity;
    if (!options_.calibrated) return;
    const ImageSet& set =
        context.validation && context.validation->size() > 0 ? *context.validation : context.train;
    context.task.begin(std::string("fit ") + kName, set.size(), "images");
    const auto scores =
        scoreSet(*this, set, context.device, context.batchSize, context.task).contiguous();
    context.task.end();
    const auto* data = scores.data_ptr<double>();
    threshold_ = SortedScores(std::span<const double>(data, data + scores.numel()))
                     .keepingBelow(options_.keep);
  }

  torch::Tensor score(const torch::Tensor& images) override {
    return 1.0 - pearson(images, iterate(network(), images, options_.iteration).last);
  }

  double threshold() const override { return threshold_; }

  std::int64_t passesPerScore() const override { return options_.iteration.most; }

  StripPlan strips() const override { return options_.strips; }
  std::int64_t judgedAfter() const override {
    return options_.iteration.tolerance > 0 ? 0 : options_.iteration.most;
  }

  /// F(G^{n-1}(x)): the network's own class where n is 1, or what its option `passes` says.
  std::shared_ptr<void> ownClasses() const override {
    const auto& plan = options_.iteration;
    const auto& present = network().iteration();
    const bool same =
        plan.most == present.most && (plan.most == 1 || plan.tolerance == present.tolerance);
    return same ? nullptr : std::make_shared<ClassesAfter>(network(), plan);
  }

  /// How many of the training images would be stable fixed points: those at which the Jacobian's
  /// spectral radius is below 1 (the vector form of the paper's equation 3).
  Json fitFacts() const override {
    if (radii_.numel() == 0) return Json::object();
    const auto sorted = std::get<0>(radii_.sort());
    const auto images = sorted.size(0);
    Json facts = {{"images", images},
                  {"share_below_1", radii_.lt(1.0).to(torch::kFloat64).mean().item<double>()},
                  {"least", sorted[0].item<double>()},
                  {"median", sorted[images / 2].item<double>()},
                  {"largest", sorted[images - 1].item<double>()}};
    if (!convergence_.empty()) facts["convergence"] = convergence_;
    return facts;
  }

  void save(TensorFile& file) const override {
    file.metadata["detector"] = kName;
    file.tensors[kState] = torch::tensor(threshold_, torch::kFloat64);
    file.tensors[kRadii] = radii_;
    file.metadata[kConvergence] = convergence_.dump();
  }

  void load(const TensorFile& file, Network* classifier, const torch::Device& /*device*/) override {
    requireDetector(file, kName);
    use(classifier);
    threshold_ = file.require(kState, {}, kName).item<double>();
    radii_ = file.require(kRadii, {-1}, kName);
    const auto told = file.metadata.find(kConvergence);
    convergence_ = told == file.metadata.end() ? Json::object() : Json::parse(told->second);
  }

  std::map<std::string, torch::Tensor> intermediates(const torch::Tensor& images) override {
    const torch::NoGradGuard noGrad;
    const auto found = iterate(network(), images, options_.iteration);
    return {{"similarity", pearson(images, found.last)},
            {"reconstruction", found.last},
            {"logits", network().classify(found.code)},
            {"iterations", found.used}};
  }

 private:
  /// Training images spread evenly over the set.
  std::int64_t probed(const DetectorContext& context) const {
    return std::min(options_.stabilityImages, context.train.size());
  }
  static torch::Tensor probedRows(const DetectorContext& context, std::int64_t begin,
                                  std::int64_t end, std::int64_t count) {
    return torch::div(torch::arange(begin, end, torch::kInt64) * context.train.size(), count,
                      "floor");
  }

  void measureConvergence(const DetectorContext& context) {
    constexpr std::int64_t most = 1000;
    const std::int64_t count = std::min(most, probed(context));
    convergence_ = Json::object();
    if (count == 0 || options_.convergence.radii.empty()) return;
    const auto rows = probedRows(context, 0, count, count);
    const auto labels = context.train.labels().index_select(0, rows);
    if ((labels < 0).any().item<bool>()) return;  // the cost needs classes
    context.task.begin("iterate perturbed training images", 0, "images");
    convergence_ =
        convergence(network(), toDevice(context.train.images(rows), context.device),
                    toDevice(labels, context.device), options_.convergence, context.task);
    context.task.end();
  }

  void measureStability(const DetectorContext& context) {
    const std::int64_t count = probed(context);
    std::vector<torch::Tensor> parts = {torch::empty({0}, torch::kFloat64)};
    context.task.begin("spectral radius at training images", count, "images");
    constexpr std::int64_t atOnce = 4;
    for (std::int64_t begin = 0; begin < count; begin += atOnce) {
      const std::int64_t end = std::min(begin + atOnce, count);
      const auto rows = probedRows(context, begin, end, count);
      parts.push_back(
          jacobianRadius(network(), toDevice(context.train.images(rows), context.device)));
      context.task.advance(end - begin);
    }
    context.task.end();
    radii_ = torch::cat(parts);
  }

  void use(Network* classifier) {
    network_ = &requireAutoencoder(requireClassifier(classifier, kName), kName);
  }

  Autoencoder& network() const {
    requireClassifier(network_, kName);
    return *network_;
  }

  AttractorOptions options_;
  Autoencoder* network_ = nullptr;
  double threshold_ = 0.2;
  torch::Tensor radii_ = torch::empty({0}, torch::kFloat64);
  Json convergence_ = Json::object();
};

void requireRadii(const std::vector<std::string>& radii, const std::string& where) {
  for (const auto& radius : radii) {
    const auto value = parseFraction(radius);
    if (value && *value >= 0 && *value <= 1) continue;
    throw Error::badInput("'" + radius + "' is no radius", where,
                          "expected numbers or fractions from 0 to 1, such as [\"20/255\"]");
  }
}

}  // namespace

void addAttractor(Registry<Detector>& registry) {
  ComponentInfo info;
  info.name = kName;
  info.title = "Attractor similarity";
  info.summary = "How little an image correlates with where the autoencoder takes it";
  info.reference = "Alipour and Seyyedsalehi (attractors), section 2.5.3";
  info.traits = {"needs classifier", "needs an autoencoder"};
  info.options.integer("iterations", 1, "Passes through the network, at most")
      .range(1, 1000)
      .in("iterations")
      .from("Alipour and Seyyedsalehi leave n open; figure 11: no considerable change after one")
      .simple();
  info.options
      .number("tolerance", 0.0,
              "An image stops once none of its pixels changes by more; 0: all passes are made")
      .range(0, 1)
      .in("fraction of the [0,1] range")
      .from("off: the paper speaks of as many iterations as it takes to reach the attractor");
  info.options
      .choice("threshold", "fixed", {"fixed", "calibrated"},
              "The detector's own decision: at a similarity, or so that a share of validation "
              "images (training images where there are none) is kept")
      .from("Alipour and Seyyedsalehi, equation 6: fixed");
  info.options.number("similarity", 0.8, "Least correlation of an accepted image, if fixed")
      .range(-1, 1)
      .from("Alipour and Seyyedsalehi, section 3.2.1: T = 0.8");
  info.options.number("keep", 0.95, "Share of images kept, if calibrated")
      .above(0, 1)
      .from("the usual rate of the field")
      .expert();
  info.options
      .integer("stability_images", 100,
               "Training images at which the Jacobian's spectral radius is measured, for the "
               "summary; 0: none")
      .range(0, 1e9)
      .in("images")
      .expert();
  info.options
      .textList("convergence_radii", {"0", "20/255", "1"},
                "Radii by which those images (1,000 at most) are perturbed along the training cost "
                "to see where ten passes take them, for the summary")
      .from("Alipour and Seyyedsalehi, figure 11: 20/255 and 255/255")
      .expert();
  info.options
      .integer("strip_images", 8,
               "Images of the training set and of each test set whose iterations the run keeps for "
               "the window; 0: none")
      .range(0, 1000)
      .in("images")
      .from("figures to look at; no score depends on them")
      .expert();
  info.options
      .textList("strip_radii", {"0", "1/255", "5/255", "10/255", "20/255", "255/255"},
                "Radii by which those images are perturbed along the training cost first")
      .from("Alipour and Seyyedsalehi, figures 10 to 12: 1/255 to 20/255 and 255/255")
      .expert();
  info.options.integer("strip_iterations", 5, "Passes that are kept of each of those images")
      .range(1, 100)
      .in("passes")
      .from("enough to see where the images settle")
      .expert();
  registry.add(info, [](const Params& params) {
    AttractorOptions options;
    options.iteration.most = params.getInt("iterations");
    options.iteration.tolerance = params.getNumber("tolerance");
    options.calibrated = params.getText("threshold") == "calibrated";
    options.similarity = params.getNumber("similarity");
    options.keep = params.getNumber("keep");
    options.stabilityImages = params.getInt("stability_images");
    options.convergence.radii = params.getTextList("convergence_radii");
    requireRadii(options.convergence.radii, params.pathOf("convergence_radii"));
    options.strips.images = params.getInt("strip_images");
    options.strips.radii = params.getTextList("strip_radii");
    options.strips.iterations = params.getInt("strip_iterations");
    requireRadii(options.strips.radii, params.pathOf("strip_radii"));
    return std::make_unique<Attractor>(options);
  });
}

}  // namespace bulwark
