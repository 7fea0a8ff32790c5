#include "core/training/fit_loop.h"

#include <chrono>
#include <cmath>
#include <numeric>
#include <typeinfo>

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
    std::error_code ignored;
    if (!context_.checkpoint.empty()) std::filesystem::remove(context_.checkpoint, ignored);
  }

 private:
  /// Resumes, or starts from the beginning.
  void begin(Optimiser& optimiser) {
    bool resumed = false;
    if (!context_.checkpoint.empty()) {
      identity_ = makeIdentity();
      resumed = loadCheckpoint(context_.checkpoint, identity_, network_, optimiser, state_,
                               context_.task);
    }
    if (!resumed) {
      const ChannelStatistics statistics = channelStatistics(context_.train, context_.task);
      network_.setNormalisation(statistics.mean, statistics.deviation);
    }
    context_.task.begin("train", options_.epochs * count_, "images");
    if (resumed) {
      context_.task.skip(state_.epoch * count_ + begins(state_.batch));
      context_.task.log(LogLevel::Info, "resumed in epoch " + std::to_string(state_.epoch + 1) +
                                            ", iteration " + std::to_string(state_.iteration));
      for (const auto& metric : state_.metrics) tell(metric);
    }
    saved_ = Clock::now();
  }

  std::string makeIdentity() const {
    Json json;
    json["recipe"] = hooks_.recipe;
    json["options"] = options_.values;
    json["extra"] = context_.identity;
    json["network"] = typeid(network_).name();
    for (const auto& item : network_.named_parameters()) {
      json["weights"][item.key()] = item.value().sizes().vec();
    }
    json["train"] = context_.train.fingerprint(context_.task);
    if (context_.validation) json["validation"] = context_.validation->fingerprint(context_.task);
    json["seed"] = context_.seed.value();
    return sha256(json.dump());
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
    const torch::Tensor shown = hooks_.perturb ? hooks_.perturb(batch) : batch.images;

    optimiser.clearGradients();
    const torch::Tensor logits = network_.forward(shown);
    const torch::Tensor loss = torch::nn::functional::cross_entropy(
        logits, batch.labels,
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(options_.labelSmoothing));
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

void runFitLoop(FitContext& context, const FitOptions& options, const FitHooks& hooks) {
  FitLoop(context, options, hooks).run();
}

}  // namespace bulwark
