#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/training/autoencoder_fit.h"
#include "core/training/recipes.h"

namespace bulwark {
namespace {

constexpr const char* kPaper = "Alipour and Seyyedsalehi (attractors)";

/// The two trainings of the attractor paper; they differ in the weight of the Jacobian term.
class AutoencoderRecipe : public Recipe {
 public:
  explicit AutoencoderRecipe(AutoencoderFit fit) : fit_(std::move(fit)) {}

  void fit(FitContext& context) override {
    fitAutoencoder(context, requireAutoencoder(context.network, "classifier.network"), fit_);
  }

 private:
  AutoencoderFit fit_;
};

/// Options that both recipes share.
OptionSchema stagesSchema() {
  OptionSchema schema;
  schema.integer("epochs", 100, "passes over the training images with all layers trained, at most")
      .range(1, 100000)
      .in("epochs")
      .from(std::string(kPaper) + ", section 3.1.2")
      .simple();
  schema
      .integer(
          "pretraining_epochs", 100,
          "passes over the training images for each pair of layers before that, at most; 0: no "
          "layer-wise pre-training")
      .range(0, 100000)
      .in("epochs")
      .from(std::string(kPaper) + ", sections 2.4 and 3.1.2")
      .simple();
  schema.number("learning_rate", 0.0005, "step length of Adam with all layers trained")
      .above(0, 10)
      .from(std::string(kPaper) + ", section 3.1.2");
  schema
      .textList(
          "pretraining_rates", {"0.001", "0.005", "0.005"},
          "step lengths of Adam in the pre-training, outermost pair of layers first; the last "
          "holds for all further pairs")
      .from(std::string(kPaper) + ", section 3.1.2");
  schema.integer("batch_size", 64, "images per step")
      .range(1, 65536)
      .in("images")
      .from(std::string(kPaper) + ", section 3.1.2");
  schema
      .integer("early_stopping_patience", 8,
               "epochs without a better validation accuracy after which a stage ends; 0: none does")
      .range(0, 100000)
      .in("epochs")
      .from(std::string(kPaper) + ", section 3.1.2");
  schema
      .choice("stopping", "no_better", {"no_better", "falling"},
              "no_better: patience epochs without a new best, whose weights are taken; falling: so "
              "many in a row, each below the one before, and the last weights")
      .from(std::string(kPaper) + ", section 3.1.2, can be read either way")
      .expert();
  schema
      .choice("squared_error", "mean", {"mean", "sum"},
              "of an image over its pixels; the paper leaves it open")
      .from("the usual mean squared error")
      .expert();
  schema.number("class_weight", 0.01, "weight of the cross-entropy in the loss")
      .above(0, 1e6)
      .from(std::string(kPaper) + ", section 2.5.2")
      .expert();
  return schema;
}

AutoencoderFit readStages(const std::string& name, const Params& params) {
  AutoencoderFit fit;
  fit.recipe = name;
  fit.epochs = params.getInt("epochs");
  fit.pretrainingEpochs = params.getInt("pretraining_epochs");
  fit.learningRate = params.getNumber("learning_rate");
  for (const auto& text : params.getTextList("pretraining_rates")) {
    const auto rate = parseFraction(text);
    if (!rate || *rate <= 0 || *rate > 10) {
      throw Error::badInput("'" + text + "' is no learning rate",
                            params.pathOf("pretraining_rates"),
                            "expected numbers above 0 and at most 10, such as [\"0.001\"]");
    }
    fit.pretrainingRates.push_back(*rate);
  }
  fit.batchSize = params.getInt("batch_size");
  fit.patience = params.getInt("early_stopping_patience");
  fit.stop = params.getText("stopping") == "falling" ? StageStop::Falling : StageStop::NoBetter;
  fit.loss.reconstruction = params.getNumber("reconstruction_weight");
  fit.loss.classes = params.getNumber("class_weight");
  fit.loss.sumOverPixels = params.getText("squared_error") == "sum";
  fit.values = params.values();
  fit.batchSizePath = params.pathOf("batch_size");
  fit.learningRatePath = params.pathOf("learning_rate");
  return fit;
}

void addReconstructionWeight(OptionSchema& options, double value) {
  options.number("reconstruction_weight", value, "weight of the squared error in the loss")
      .above(0, 1e6)
      .from(std::string(kPaper) + ", section 2.5.2")
      .expert();
}

}  // namespace

void addAutoencoder(Registry<Recipe>& registry) {
  ComponentInfo info;
  info.name = "autoencoder";
  info.title = "Autoencoder and classifier";
  info.summary = "layer by layer, then as a whole: reconstructs the images and tells their classes";
  info.reference = std::string(kPaper) + ", the baseline of section 2.5.2";
  info.traits = {"needs labels", "needs an autoencoder"};
  info.options = stagesSchema();
  addReconstructionWeight(info.options, 0.99);
  registry.add(info, [](const Params& params) {
    auto fit = readStages("autoencoder", params);
    fit.loss.jacobian = 0;
    return std::make_unique<AutoencoderRecipe>(std::move(fit));
  });
}

void addAttractor(Registry<Recipe>& registry) {
  ComponentInfo info;
  info.name = "attractor";
  info.title = "Attractor network";
  info.summary =
      "the autoencoder recipe with a loss on its Jacobian, which makes training images stable "
      "fixed points";
  info.reference = std::string(kPaper) + ", section 2.5.2, equations 4 and 5";
  info.traits = {"needs labels", "needs an autoencoder"};
  info.options
      .number(
          "jacobian_weight", 0.002,
          "weight of half the squared Frobenius norm of the Jacobian; 0: the control without it")
      .range(0, 1e6)
      .from(std::string(kPaper) + ", section 2.5.2")
      .simple();
  info.options.include(stagesSchema());
  addReconstructionWeight(info.options, 0.988);
  info.options
      .choice("jacobian", "exact", {"exact", "hutchinson"},
              "how the norm is found: exactly through the code, or estimated by random projections")
      .from("exact: no paper estimates it; hutchinson: Hutchinson 1990")
      .expert();
  info.options.integer("probes", 1, "random projections per image and step of the estimate")
      .range(1, 10000)
      .in("backward passes")
      .expert();
  registry.add(info, [](const Params& params) {
    auto fit = readStages("attractor", params);
    fit.loss.jacobian = params.getNumber("jacobian_weight");
    const auto probes = params.getInt("probes");
    fit.loss.probes = params.getText("jacobian") == "hutchinson" ? probes : 0;
    return std::make_unique<AutoencoderRecipe>(std::move(fit));
  });
}

}  // namespace bulwark
