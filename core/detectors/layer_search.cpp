#include "core/detectors/layer_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/detectors/features.h"
#include "core/detectors/validation_outliers.h"
#include "core/metrics/operating_point.h"
#include "core/metrics/roc.h"
#include "core/nn/device.h"
#include "core/params/layer_option.h"

namespace bulwark {
namespace {

/// Features [N, F] on the CPU at every tap for N images that `read` hands out.
template <class Read>
std::map<std::string, torch::Tensor> featuresOf(const DetectorContext& context, std::int64_t total,
                                                const Read& read) {
  const torch::NoGradGuard noGrad;
  std::map<std::string, std::vector<torch::Tensor>> parts;
  for (std::int64_t begin = 0; begin < total; begin += context.batchSize) {
    const std::int64_t end = std::min(begin + context.batchSize, total);
    TapValues taps;
    context.classifier->run(toDevice(read(begin, end), context.device), &taps);
    for (const auto& [name, value] : taps) {
      const auto flat = value.dim() > 2 ? value.flatten(2).mean(2) : value;
      parts[name].push_back(flat.to(torch::kCPU));
    }
    context.task.advance(end - begin);
  }
  std::map<std::string, torch::Tensor> found;
  for (const auto& [name, values] : parts) found[name] = torch::cat(values);
  return found;
}

/// `count` of 0..size-1 in ascending order, drawn with `seed`, and the rest in the drawn order.
std::pair<torch::Tensor, torch::Tensor> drawn(std::int64_t count, std::int64_t size, Seed seed) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(size));
  std::iota(rows.begin(), rows.end(), 0);
  Random random(seed);
  random.shuffle(rows);
  const auto border = rows.begin() + std::min(count, size);
  std::sort(rows.begin(), border);
  const std::vector<std::int64_t> first(rows.begin(), border), rest(border, rows.end());
  return {torch::tensor(first, torch::kInt64), torch::tensor(rest, torch::kInt64)};
}

/// Anomaly scores.
std::vector<double> scores(const OneClassMachine& machine, const torch::Tensor& features) {
  const auto sums = (-machine.kernelSum(features.to(torch::kFloat64))).contiguous();
  const auto* data = sums.data_ptr<double>();
  return {data, data + sums.numel()};
}

Json figure(double value) {
  return std::isfinite(value) ? Json(value) : Json();
}

}  // namespace

void LayerOptions::declare(OptionSchema& options, const std::string& source) {
  namesLayers(options.text("layer", "auto",
                           "Layer whose channel means are described; auto: the one that tells "
                           "validation images from outliers made of them best"),
              {"auto", kLogits})
      .from(source)
      .simple();
  options.integer("search_points", 5000, "Training images per layer in the search for it")
      .range(2, 1e9)
      .in("images")
      .from("not in the paper, which takes all")
      .expert();
  options.integer("search_images", 2000, "Validation images and outliers of the search, at most")
      .range(8, 1e9)
      .in("images")
      .expert();
  options
      .textList("search_outliers", validationOutlierKinds(),
                "Kinds of outliers of the search, made from validation images")
      .from(
          "Hendrycks et al. 2019, appendix A, without the noises that are test sets; the paper "
          "chooses on its test sets")
      .expert();
}

LayerOptions LayerOptions::from(const Params& params) {
  LayerOptions options;
  options.layer = params.getText("layer");
  options.path = params.pathOf("layer");
  options.points = params.getInt("search_points");
  options.images = params.getInt("search_images");
  options.outliers = params.getTextList("search_outliers");
  const auto& known = validationOutlierKinds();
  for (const auto& kind : options.outliers) {
    if (std::find(known.begin(), known.end(), kind) != known.end()) continue;
    throw Error::badInput("there are no outliers '" + kind + "'", params.pathOf("search_outliers"),
                          "known: " + join(known, ", "));
  }
  if (options.outliers.empty()) {
    throw Error::badInput("there is no kind of outliers", params.pathOf("search_outliers"),
                          "known: " + join(known, ", "));
  }
  return options;
}

Json searchLayer(const DetectorContext& context, const LayerOptions& options,
                 const OneClassOptions& machine, const std::string& detector) {
  const Seed seed = context.seed.child("layer search");
  const bool validated = context.validation && context.validation->size() >= 2;
  const std::int64_t asked = std::max<std::int64_t>(2, options.images / 2);
  // Without a validation set some training images are held back from the machines.
  const std::int64_t training = context.train.size();
  const std::int64_t held =
      validated ? 0 : std::min(asked, std::max<std::int64_t>(2, training / 5));
  if (training - held < 2) {
    throw Error::badInput("there are too few training images to choose a layer with", options.path,
                          "raise train_limit, or name the layer");
  }
  const auto [points, rest] =
      drawn(std::min(options.points, training - held), training, seed.child("points"));
  const ImageSet& set = validated ? *context.validation : context.train;
  const auto inRows = validated ? drawn(asked, set.size(), seed.child("images")).first
                                : std::get<0>(rest.slice(0, 0, held).sort());
  const auto images = set.images(inRows);
  const auto outliers = validationOutliers(images, options.outliers, seed.child("outliers"));

  context.task.begin("search the layer of " + detector, points.size(0) + 2 * images.size(0),
                     "images");
  const auto fitted = featuresOf(context, points.size(0), [&, rows = points](auto begin, auto end) {
    return context.train.images(rows.slice(0, begin, end));
  });
  const auto in = featuresOf(context, images.size(0),
                             [&](auto begin, auto end) { return images.slice(0, begin, end); });
  const auto out = featuresOf(context, outliers.size(0),
                              [&](auto begin, auto end) { return outliers.slice(0, begin, end); });
  context.task.end();

  std::vector<std::string> usable;
  std::vector<torch::Tensor> matrices;
  for (const auto& tap : context.classifier->taps()) {
    const auto& features = fitted.at(tap);
    if (!torch::isfinite(features).all().item<bool>()) {
      throw Error::failed("the network's layer '" + tap + "' is not finite on the training images",
                          detector, "the classifier's training has diverged; train it again");
    }
    if ((features == features[0]).all().item<bool>()) continue;  // dead
    usable.push_back(tap);
    matrices.push_back(features);
  }
  context.task.begin("fit layers of " + detector, static_cast<std::int64_t>(usable.size()),
                     "machines");
  const auto machines = OneClassMachine::fit(matrices, machine, torch::kCPU, context.task);
  context.task.end();

  Json layers = Json::array();
  std::string best;
  double least = std::numeric_limits<double>::infinity();
  for (const auto& tap : context.classifier->taps()) {
    double error = std::nan(""), area = std::nan("");
    const auto found = std::find(usable.begin(), usable.end(), tap);
    if (found != usable.end()) {
      const auto& fit = machines[static_cast<std::size_t>(found - usable.begin())];
      const auto levels = scoreLevels(scores(fit, in.at(tap)), scores(fit, out.at(tap)));
      error = detectionError(levels);
      area = auroc(levels);
      if (error < least) {
        least = error;
        best = tap;
      }
    }
    layers.push_back({{"layer", tap},
                      {"features", fitted.at(tap).size(1)},
                      {"detection_error", figure(error)},
                      {"auroc", figure(area)}});
  }
  if (best.empty()) {
    throw Error::badInput("every layer gives the same features for all training images",
                          options.path, "the classifier is dead; train it again");
  }
  return {{"layer", best},
          {"points", points.size(0)},
          {"in_images", images.size(0)},
          {"in_from", validated ? "validation" : "training"},
          {"outlier_kinds", options.outliers},
          {"layers", layers}};
}

std::string chosenLayer(const DetectorContext& context, const LayerOptions& options,
                        const OneClassOptions& machine, const std::string& detector, Json& facts) {
  const bool named = options.layer != "auto";
  facts = named ? Json{{"layer", options.layer}} : searchLayer(context, options, machine, detector);
  const auto layer = facts.at("layer").get<std::string>();
  requireTap(requireClassifier(context.classifier, detector), layer, options.path);
  return layer;
}

}  // namespace bulwark
