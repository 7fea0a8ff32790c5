#include <algorithm>
#include <filesystem>
#include <functional>
#include <utility>

#include "core/base/error.h"
#include "core/training/checkpoint.h"
#include "core/training/fit_loop.h"
#include "core/training/recipes.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

/// Outlier exposure (Hendrycks, Mazeika and Dietterich, ICLR 2019, section 3 and the equation of
/// section 4.3): the classifier is to be unsure of outliers,
///   L = E_in CE(f(x), y) + lambda E_open CE(f(x'), U),
/// where U is the uniform distribution over the classes:
///   CE(f(x'), U) = log sum_k exp f_k - mean_k f_k.
/// As the paper's tuned models: a classifier is trained as by `standard`, to the same bits, and
/// then tuned with the outliers at a small rate that falls along half a cosine. Or from scratch,
/// with the outliers in every batch.
class OutlierExposure : public Recipe {
 public:
  OutlierExposure(FitOptions plain, FitOptions tuning, bool fromScratch, double lambda,
                  double perImage)
      : plain_(std::move(plain)),
        tuning_(std::move(tuning)),
        fromScratch_(fromScratch),
        lambda_(lambda),
        perImage_(perImage) {}

  void fit(FitContext& context) override {
    if (!context.open || context.open->size() == 0) {
      throw Error::badInput("training with outliers needs some", "data.open",
                            "name a set for them");
    }
    if (fromScratch_) {
      expose(context, plain_);
      return;
    }
    const std::int64_t before = trainPlainly(context);
    FitContext tuning = context;
    tuning.seed = context.seed.child("exposure");
    const auto report = inStage(2, context);
    tuning.metric = [&](std::int64_t epoch, const std::string& name, double value) {
      report(before + epoch, name, value);
    };
    expose(tuning, tuning_, "tune with outliers");
    std::error_code ignored;
    if (!context.checkpoint.empty()) fs::remove(plainFile(context.checkpoint), ignored);
  }

 private:
  using Metric = std::function<void(std::int64_t, const std::string&, double)>;

  /// Reports to the context, with each epoch's loss the stage that it belongs to: where outliers
  /// are added to the loss, its curve jumps.
  static Metric inStage(int stage, const FitContext& context) {
    return [stage, &context](std::int64_t epoch, const std::string& name, double value) {
      if (!context.metric) return;
      if (name == "loss") context.metric(epoch, "stage", stage);
      context.metric(epoch, name, value);
    };
  }

  void expose(FitContext& context, const FitOptions& options, const char* phase = "train") const {
    FitHooks hooks;
    hooks.recipe = "outlier_exposure";
    hooks.phase = phase;
    hooks.openPerImage = perImage_;
    hooks.openLoss = [this](const torch::Tensor& logits) {
      return lambda_ * (logits.logsumexp(1) - logits.mean(1)).mean();
    };
    runFitLoop(context, options, hooks);
  }

  /// The classifier before it sees outliers; returns the epochs that it took. It is kept beside
  /// the checkpoint until it is tuned: stopped in between, it is not trained again.
  std::int64_t trainPlainly(FitContext& context) const {
    FitHooks hooks;
    hooks.recipe = "outlier_exposure, plain";
    FitState state;
    const bool keeps = !context.checkpoint.empty();
    const std::string identity = keeps ? fitIdentity(context, plain_, hooks) : std::string();
    const fs::path path = plainFile(context.checkpoint);
    Optimiser optimiser(context.network, plain_.optimiser);  // its state ends with the stage
    const auto report = inStage(1, context);
    if (keeps && loadCheckpoint(path, identity, context.network, optimiser, state, context.task)) {
      for (const auto& metric : state.metrics) report(metric.epoch, metric.name, metric.value);
      return state.epoch;
    }
    FitContext plain = context;
    plain.metric = [&](std::int64_t epoch, const std::string& name, double value) {
      state.epoch = std::max(state.epoch, epoch);
      state.metrics.push_back({epoch, name, value});
      report(epoch, name, value);
    };
    hooks.trained = [&] {
      if (keeps) saveCheckpoint(path, identity, context.network, optimiser, state);
    };
    runFitLoop(plain, plain_, hooks);
    return state.epoch;
  }

  static fs::path plainFile(const fs::path& checkpoint) {
    fs::path path = checkpoint;
    return path.replace_filename(checkpoint.stem().string() + "-plain" +
                                 checkpoint.extension().string());
  }

  FitOptions plain_, tuning_;
  bool fromScratch_;
  double lambda_, perImage_;
};

}  // namespace

void addOutlierExposure(Registry<Recipe>& registry) {
  ComponentInfo info;
  info.name = "outlier_exposure";
  info.title = "Outlier exposure";
  info.summary = "trains as standard does, then tunes to be unsure of the images of an open set";
  info.reference = "Hendrycks, Mazeika and Dietterich, ICLR 2019";
  info.traits = {"needs labels", "needs an open set"};
  info.options.number("lambda", 0.5, "weight of the outliers' cross-entropy to the uniform")
      .above(0, 1000)
      .from("Hendrycks et al. 2019, section 4.3")
      .simple();
  info.options
      .choice("exposure", "tuning", {"tuning", "scratch"},
              "tuning: plain training of so many epochs comes first; scratch: outliers from the "
              "first batch on, and the options of the tuning are not used")
      .from("Hendrycks et al. 2019, section 4.3 and released code");
  info.options.integer("tuning_epochs", 10, "passes over the training images with outliers")
      .range(1, 100000)
      .in("epochs")
      .from("Hendrycks et al. 2019, section 4.3")
      .simple();
  info.options
      .number("tuning_learning_rate", 0.001,
              "of the tuning at its start; it falls to 0 along half a cosine")
      .above(0, 10)
      .from("Hendrycks et al. 2019, released code");
  info.options.integer("tuning_batch_size", 128, "images per step of the tuning, without outliers")
      .range(1, 65536)
      .in("images")
      .from("Hendrycks et al. 2019, released code");
  info.options.number("open_per_image", 2.0, "outliers beside each training image of a batch")
      .above(0, 100)
      .from("Hendrycks et al. 2019, released code: 256 beside 128");
  info.options.include(fitSchema());
  registry.add(info, [](const Params& params) {
    const FitOptions plain = readFitOptions(params);
    FitOptions tuning = plain;
    tuning.epochs = params.getInt("tuning_epochs");
    tuning.batchSize = params.getInt("tuning_batch_size");
    tuning.schedule.kind = Schedule::Kind::Cosine;
    tuning.schedule.peak = params.getNumber("tuning_learning_rate");
    tuning.patience = 0;
    tuning.batchSizePath = params.pathOf("tuning_batch_size");
    tuning.learningRatePath = params.pathOf("tuning_learning_rate");
    return std::make_unique<OutlierExposure>(plain, tuning, params.getText("exposure") == "scratch",
                                             params.getNumber("lambda"),
                                             params.getNumber("open_per_image"));
  });
}

}  // namespace bulwark
