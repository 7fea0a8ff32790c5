#include "core/training/fit_loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <typeinfo>
#include <unordered_set>
#include <vector>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/nn/device.h"
#include "core/training/checkpoint.h"
#include "core/training/evaluate.h"
#include "core/training/trained_weights.h"

namespace bulwark {
namespace {

using Clock = std::chrono::steady_clock;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class FitLoop {
 public:
  FitLoop(FitContext& context, const FitOptions& options, const FitHooks& hooks)
      : context_(context),
        options_(options),
        hooks_(hooks),
        network_(context.network),
        count_(context.train.size()),
        // Batches of equal size (to one image), so that none is too small for batch norm.
        batches_((count_ + options.batchSize - 1) / options.batchSize) {}

  void run() {
    requireLabels(context_.train, network_.shape());
    if (options_.patience > 0 && !context_.validation) {
      throw Error::badInput("early stopping needs validation images", options_.patiencePath,
                            "keep some of the training images for validation, or set it to 0");
    }
    network_.to(context_.device);
    network_.train();
    for (auto& parameter : network_.parameters()) parameter.set_requires_grad(true);
    const TrainedWeights initial(network_);
    Optimiser optimiser(network_, options_.optimiser);
    begin(optimiser);
    bool stopped = stopsEarly();
    while (state_.epoch < options_.epochs && !stopped) {
      trainEpoch(optimiser);
      finishEpoch();
      stopped = stopsEarly();
      if (state_.epoch < options_.epochs && !stopped) save(optimiser);
    }
    optimiser.clearGradients();
    if (!state_.best.tensors.empty()) {
      loadModule(network_, state_.best, "best weights", "best.");
      context_.task.log(LogLevel::Info, "took the weights of epoch " +
                                            std::to_string(state_.bestEpoch) + " with " +
                                            watched() + " " + formatFixed(state_.bestValue, 4));
    }
    initial.requireMoved(network_, options_.learningRatePath);
    network_.eval();
    context_.task.end();
    if (hooks_.trained) hooks_.trained();
    std::error_code ignored;
    if (!context_.checkpoint.empty()) std::filesystem::remove(context_.checkpoint, ignored);
  }

 private:
  /// Resumes, or starts from the beginning.
  void begin(Optimiser& optimiser) {
    bool resumed = false;
    if (!context_.checkpoint.empty()) {
      identity_ = fitIdentity(context_, options_, hooks_);
      resumed = loadCheckpoint(context_.checkpoint, identity_, network_, optimiser, state_,
                               context_.task);
    }
    if (!resumed) {
      const ChannelStatistics statistics = channelStatistics(context_.train, context_.task);
      network_.setNormalisation(statistics.mean, statistics.deviation);
    }
    context_.task.begin(hooks_.phase, options_.epochs * count_, "images");
    if (resumed) {
      context_.task.skip(state_.epoch * count_ + begins(state_.batch));
      context_.task.log(LogLevel::Info, "resumed in epoch " + std::to_string(state_.epoch + 1) +
                                            ", iteration " + std::to_string(state_.iteration));
      for (const auto& metric : state_.metrics) tell(metric);
    }
    saved_ = Clock::now();
  }

  /// First image of a batch within the epoch.
  std::int64_t begins(std::int64_t batch) const { return batch * count_ / batches_; }

  void trainEpoch(Optimiser& optimiser) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count_));
    std::iota(order.begin(), order.end(), 0);
    Random(context_.seed.child("order").child(static_cast<std::uint64_t>(state_.epoch)))
        .shuffle(order);
    const torch::Tensor positions = torch::tensor(order, torch::kInt64);
    while (state_.batch < batches_) {
      const Clock::time_point start = Clock::now();
      const torch::Tensor indices =
          positions.slice(0, begins(state_.batch), begins(state_.batch + 1));
      withMemoryAdvice(context_.device, indices.numel(), options_.batchSizePath,
                       [&] { step(optimiser, indices); });
      ++state_.batch;
      ++state_.iteration;
      state_.seconds += secondsSince(start);
      if (state_.batch < batches_ && secondsSince(saved_) >= context_.checkpointSeconds) {
        save(optimiser);
      }
      context_.task.advance(indices.numel());
    }
  }

  void step(Optimiser& optimiser, const torch::Tensor& indices) {
    const Seed seed =
        context_.seed.child("iteration").child(static_cast<std::uint64_t>(state_.iteration));
    TrainingBatch batch;
    batch.images = toDevice(context_.train.images(indices), context_.device);
    batch.labels = toDevice(context_.train.labels().index_select(0, indices), context_.device);
    batch.epochs = static_cast<double>(state_.iteration + 1) / static_cast<double>(batches_);
    batch.seed = seed;
    Random changes(seed.child("augmentation"));
    batch.images = augment(options_.augmentation, batch.images, changes);
    if (hooks_.openPerImage > 0) batch.open = openImages(batch, changes);
    const torch::Tensor shown = hooks_.perturb ? hooks_.perturb(batch) : batch.images;

    optimiser.clearGradients();
    // Outliers go through together with the batch, so that batch norm sees both as one.
    const bool open = batch.open.defined();
    const torch::Tensor all = network_.forward(open ? torch::cat({shown, batch.open}) : shown);
    const torch::Tensor logits = open ? all.narrow(0, 0, shown.size(0)) : all;
    torch::Tensor loss = torch::nn::functional::cross_entropy(
        logits, batch.labels,
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.labelSmoothing));
    if (open) loss = loss + hooks_.openLoss(all.slice(0, shown.size(0)));
    const double value = loss.item<double>();
    if (!std::isfinite(value)) {
      throw Error::failed(
          "the loss became " + std::string(std::isnan(value) ? "NaN" : "infinite") + " in epoch " +
              std::to_string(state_.epoch + 1) + ", iteration " + std::to_string(state_.batch + 1) +
              " of " + std::to_string(batches_),
          options_.learningRatePath,
          "try a smaller learning rate, for instance " + formatNumber(options_.schedule.peak / 10));
    }
    loss.backward();
    optimiser.step(rate(state_.iteration));

    const auto size = static_cast<double>(indices.numel());
    state_.lossSum += value * size;
    state_.seen += indices.numel();
    const torch::NoGradGuard noGrad;
    state_.correct += (logits.argmax(1) == batch.labels).sum().item<std::int64_t>();
  }

  /// So many of the open set for this batch, drawn without putting back within it.
  torch::Tensor openImages(const TrainingBatch& batch, Random& changes) const {
    const ImageSet& set = *context_.open;
    const auto asked =
        std::llround(hooks_.openPerImage * static_cast<double>(batch.images.size(0)));
    const std::int64_t count = std::clamp<std::int64_t>(asked, 1, set.size());
    Random random(batch.seed.child("open"));
    std::unordered_set<std::int64_t> drawn;
    std::vector<std::int64_t> rows;
    while (static_cast<std::int64_t>(rows.size()) < count) {
      const auto row =
          static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(set.size())));
      if (drawn.insert(row).second) rows.push_back(row);
    }
    const auto images = set.images(torch::tensor(rows, torch::kInt64));
    return augment(options_.augmentation, toDevice(images, context_.device), changes);
  }

  double rate(std::int64_t iteration) const {
    return options_.schedule.rate(iteration, options_.epochs * batches_);
  }

  /// Measures, reports and goes on to the next epoch.
  void finishEpoch() {
    const auto seen = static_cast<double>(state_.seen);
    const std::int64_t epoch = state_.epoch + 1;
    report(epoch, "loss", state_.lossSum / seen);
    report(epoch, "accuracy", static_cast<double>(state_.correct) / seen);
    double watchedValue = -1;
    if (context_.validation && context_.validation->size() > 0) {
      watchedValue =
          withMemoryAdvice(context_.device, options_.batchSize, options_.batchSizePath, [&] {
            return shareCorrect(network_, *context_.validation, context_.device, options_.batchSize,
                                context_.task, false);
          });
      report(epoch, "validation_accuracy", watchedValue);
    }
    if (hooks_.robustAccuracy) {
      watchedValue = hooks_.robustAccuracy();
      report(epoch, "robust_accuracy", watchedValue);
    }
    report(epoch, "learning_rate", rate(state_.iteration - 1));
    report(epoch, "seconds", state_.seconds);
    if (options_.patience > 0 && watchedValue > state_.bestValue) {
      state_.bestValue = watchedValue;
      state_.bestEpoch = epoch;
      state_.best = TensorFile();
      addModule(state_.best, network_, "best.");
    }
    state_.epoch = epoch;
    state_.batch = 0;
    state_.lossSum = 0;
    state_.correct = state_.seen = 0;
    state_.seconds = 0;
  }

  std::string watched() const {
    return hooks_.robustAccuracy ? "robust_accuracy" : "validation_accuracy";
  }

  bool stopsEarly() const {
    return options_.patience > 0 && state_.epoch - state_.bestEpoch >= options_.patience &&
           state_.bestEpoch > 0;
  }

  void report(std::int64_t epoch, const std::string& name, double value) {
    state_.metrics.push_back({epoch, name, value});
    tell(state_.metrics.back());
  }

  void tell(const FitState::Metric& metric) const {
    if (context_.metric) context_.metric(metric.epoch, metric.name, metric.value);
  }

  void save(const Optimiser& optimiser) {
    if (context_.checkpoint.empty()) return;
    saveCheckpoint(context_.checkpoint, identity_, network_, optimiser, state_);
    saved_ = Clock::now();
  }

  FitContext& context_;
  const FitOptions& options_;
  const FitHooks& hooks_;
  Network& network_;
  std::int64_t count_, batches_;
  std::string identity_;
  FitState state_;
  Clock::time_point saved_{};
};

}  // namespace

std::string fitIdentity(const FitContext& context, const FitOptions& options,
                        const FitHooks& hooks) {
  Json json;
  json["recipe"] = hooks.recipe;
  json["options"] = options.values;
  json["extra"] = context.identity;
  json["network"] = typeid(context.network).name();
  for (const auto& item : context.network.named_parameters()) {
    json["weights"][item.key()] = item.value().sizes().vec();
  }
  json["train"] = context.train.fingerprint(context.task);
  if (hooks.openPerImage > 0) json["open"] = context.open->fingerprint(context.task);
  if (context.validation) json["validation"] = context.validation->fingerprint(context.task);
  json["seed"] = context.seed.value();
  return sha256(json.dump());
}

void runFitLoop(FitContext& context, const FitOptions& options, const FitHooks& hooks) {
  FitLoop(context, options, hooks).run();
}

}  // namespace bulwark
