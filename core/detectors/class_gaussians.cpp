#include "core/detectors/class_gaussians.h"

#include "core/base/error.h"
#include "core/detectors/features.h"
#include "core/params/layer_option.h"

namespace bulwark {

void ClassGaussianOptions::declare(OptionSchema& options) {
  namesLayers(options.text("tap", "features",
                           "Layer whose features are modelled; spatial ones are averaged"),
              {kLogits})
      .from("Lee et al. 2018, section 2.1: the penultimate layer");
  options.number("ridge", 1e-6, "Added to the covariance's diagonal, in mean variances")
      .range(0, 1)
      .from("not in the paper: keeps the covariance invertible when units are dead")
      .expert();
}

ClassGaussianOptions ClassGaussianOptions::from(const Params& params) {
  return {params.getText("tap"), params.pathOf("tap"), params.getNumber("ridge")};
}

FeatureMoments gatherMoments(const DetectorContext& context, const ClassGaussianOptions& options,
                             const std::string& detector) {
  requireTap(requireClassifier(context.classifier, detector), options.tap, options.tapPath);
  const auto& labels = context.train.labels();
  if (labels.numel() == 0 || labels.min().item<std::int64_t>() < 0) {
    throw Error::badInput("'" + detector + "' needs the class of every training image",
                          context.train.name(), "choose a labelled training set");
  }
  const std::int64_t classes = labels.max().item<std::int64_t>() + 1;
  const auto counts = torch::bincount(labels, {}, classes);
  const auto empty = (counts == 0).nonzero();
  if (empty.size(0) > 0) {
    throw Error::badInput(
        "class " + std::to_string(empty[0][0].item<std::int64_t>()) + " has no training image",
        context.train.name(), "raise train_limit, or number the classes without gaps");
  }
  FeatureMoments moments(classes);
  streamFeatures(context, options.tap, "fit " + detector, {},
                 [&](const torch::Tensor& features, const torch::Tensor& batchLabels) {
                   moments.add(features, batchLabels);
                 });
  return moments;
}

}  // namespace bulwark
