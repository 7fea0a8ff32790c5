#include "core/training/autoencoder_fit.h"

#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

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

constexpr double kOutputBias = 0.05;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void drawNormal(torch::Tensor tensor, double deviation, Seed seed) {
  const torch::NoGradGuard noGrad;
  const auto values = torch::empty(tensor.sizes(), torch::kFloat32);
  float* data = values.data_ptr<float>();
  Random random(seed);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    data[i] = static_cast<float>(deviation * random.normal());
  }
  tensor.copy_(values);
}

/// The autoencoder with the temporary class heads of its stages, for the optimiser, the checkpoint
/// and the validation. As a classifier it is that of the current stage.
class Stages : public Network {
 public:
  explicit Stages(Autoencoder& network) : Network(network.shape()), network_(network) {
    registerNormalisation();
    const auto& layers = network.layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      register_module("layer" + std::to_string(i + 1), layers[i]);
    }
    for (std::size_t k = 0; k + 1 < depth(); ++k) {
      heads_.push_back(
          register_module("head" + std::to_string(k + 1),
                          torch::nn::Linear(layers[k]->weight.size(0), network.shape().classes)));
    }
    heads_.push_back(register_module("classifier", network.classifier()));
  }

  std::size_t depth() const { return network_.encoderLayers(); }
  std::size_t stage = 0;

  std::vector<std::string> taps() const override { return {"features"}; }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    prepare(taps);
    const std::size_t last = std::min(stage, depth() - 1);
    const torch::Tensor code = encode(images.flatten(1), last + 1);
    keep(taps, "features", code);
    return heads_[last](code);
  }

  /// Weights drawn for each stage anew.
  void draw(Seed seed) {
    const auto& layers = network_.layers();
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const double inputs = static_cast<double>(layers[i]->weight.size(1));
      drawNormal(layers[i]->weight, std::sqrt(2.0 / inputs), seed.child("layer").child(i));
      const torch::NoGradGuard noGrad;
      const bool output = i + 1 == layers.size() && !network_.linearOutput();
      layers[i]->bias.fill_(output ? kOutputBias : 0.0);
    }
    for (std::size_t k = 0; k < heads_.size(); ++k) {
      const double inputs = static_cast<double>(heads_[k]->weight.size(1));
      drawNormal(heads_[k]->weight, std::sqrt(1.0 / inputs), seed.child("head").child(k));
      const torch::NoGradGuard noGrad;
      heads_[k]->bias.zero_();
    }
  }

  /// What the current stage is trained on: its input, output, logits and layers.
  struct Result {
    torch::Tensor input, output, logits;
    ReluChain chain;
    std::size_t code = 1;
  };
  Result forward(const torch::Tensor& images, bool gradientOfInput) {
    Result result;
    if (stage == depth()) {
      const torch::Tensor leaf = images.detach().requires_grad_(gradientOfInput);
      auto pass = network_.pass(leaf);
      result.input = leaf;
      result.output = pass.reconstruction.reshape(images.sizes());
      result.logits = pass.logits;
      result.chain = std::move(pass.chain);
      result.code = depth();
      return result;
    }
    const auto& layers = network_.layers();
    {
      const torch::NoGradGuard noGrad;
      result.input = encode(images.flatten(1), stage);
    }
    result.input = result.input.detach().requires_grad_(gradientOfInput);
    auto hidden = layers[stage], mirror = layers[layers.size() - 1 - stage];
    const bool linear = stage == 0 && network_.linearOutput();
    const auto mask = [](const torch::Tensor& of) {
      return of.detach().gt(0).to(of.scalar_type());
    };
    const torch::Tensor code = torch::relu(hidden->forward(result.input));
    result.output = mirror->forward(code);
    if (!linear) result.output = torch::relu(result.output);
    result.logits = heads_[stage](code);
    result.chain.weights = {hidden->weight, mirror->weight};
    result.chain.masks = {mask(code), linear ? torch::Tensor() : mask(result.output)};
    return result;
  }

 private:
  torch::Tensor encode(torch::Tensor value, std::size_t layers) {
    for (std::size_t i = 0; i < layers; ++i) {
      auto layer = network_.layers()[i];
      value = torch::relu(layer(value));
    }
    return value;
  }

  Autoencoder& network_;
  std::vector<torch::nn::Linear> heads_;
};

class StagedFit {
 public:
  StagedFit(FitContext& context, Autoencoder& network, const AutoencoderFit& fit)
      : context_(context),
        network_(network),
        fit_(fit),
        stages_(network),
        count_(context.train.size()),
        batches_((count_ + fit.batchSize - 1) / fit.batchSize) {}

  void run() {
    requireLabels(context_.train, network_.shape());
    const bool validates = context_.validation && context_.validation->size() > 0;
    if (fit_.patience > 0 && !validates) {
      context_.task.log(LogLevel::Warning,
                        "there are no validation images, so no stage of the training stops early");
    }
    const auto channels = network_.shape().channels;
    network_.setNormalisation(torch::zeros({channels}), torch::ones({channels}));
    stages_.draw(context_.seed.child("init"));
    network_.to(context_.device);
    stages_.to(context_.device);
    network_.train();
    for (auto& parameter : stages_.parameters()) parameter.set_requires_grad(true);
    const TrainedWeights initial(network_);
    begin();
    while (state_.stage < stageCount()) {
      stages_.stage = static_cast<std::size_t>(state_.stage);
      while (!stageDone()) {
        trainEpoch();
        finishEpoch();
        if (!stageDone()) save();
      }
      finishStage();
    }
    initial.requireMoved(network_, fit_.learningRatePath);
    for (auto& parameter : network_.parameters()) parameter.mutable_grad() = torch::Tensor();
    network_.eval();
    context_.task.end();
    std::error_code ignored;
    if (!context_.checkpoint.empty()) std::filesystem::remove(context_.checkpoint, ignored);
  }

 private:
  std::int64_t stageCount() const { return static_cast<std::int64_t>(stages_.depth()) + 1; }
  bool fineTuning() const { return state_.stage + 1 == stageCount(); }
  std::int64_t mostEpochs() const { return fineTuning() ? fit_.epochs : fit_.pretrainingEpochs; }

  double rate() const {
    if (fineTuning() || fit_.pretrainingRates.empty()) return fit_.learningRate;
    const auto stage = static_cast<std::size_t>(state_.stage);
    return fit_.pretrainingRates[std::min(stage, fit_.pretrainingRates.size() - 1)];
  }

  void freshOptimiser() {
    OptimiserOptions options;
    options.kind = OptimiserOptions::Kind::Adam;
    optimiser_.emplace(stages_, options);
  }

  void begin() {
    freshOptimiser();
    bool resumed = false;
    if (!context_.checkpoint.empty()) {
      identity_ = makeIdentity();
      resumed = loadCheckpoint(context_.checkpoint, identity_, stages_, *optimiser_, state_,
                               context_.task);
    }
    const std::int64_t epochs = (stageCount() - 1) * fit_.pretrainingEpochs + fit_.epochs;
    context_.task.begin("train", epochs * count_, "images");
    if (resumed) {
      const std::int64_t before = state_.stage * fit_.pretrainingEpochs + state_.stageEpochs;
      context_.task.skip(before * count_ + begins(state_.batch));
      context_.task.log(LogLevel::Info, "resumed in stage " + std::to_string(state_.stage + 1) +
                                            ", epoch " + std::to_string(state_.stageEpochs + 1));
      for (const auto& metric : state_.metrics) tell(metric);
    }
    saved_ = Clock::now();
  }

  std::string makeIdentity() const {
    Json json;
    json["recipe"] = fit_.recipe;
    json["options"] = fit_.values;
    json["extra"] = context_.identity;
    json["linear"] = network_.linearOutput();
    for (const auto& item : network_.named_parameters()) {
      json["weights"][item.key()] = item.value().sizes().vec();
    }
    json["train"] = context_.train.fingerprint(context_.task);
    if (context_.validation) json["validation"] = context_.validation->fingerprint(context_.task);
    json["seed"] = context_.seed.value();
    return sha256(json.dump());
  }

  std::int64_t begins(std::int64_t batch) const { return batch * count_ / batches_; }

  Seed stageSeed() const {
    return context_.seed.child("stage").child(static_cast<std::uint64_t>(state_.stage));
  }

  void trainEpoch() {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count_));
    std::iota(order.begin(), order.end(), 0);
    Random(stageSeed().child("order").child(static_cast<std::uint64_t>(state_.stageEpochs)))
        .shuffle(order);
    const torch::Tensor positions = torch::tensor(order, torch::kInt64);
    while (state_.batch < batches_) {
      const auto start = Clock::now();
      const auto indices = positions.slice(0, begins(state_.batch), begins(state_.batch + 1));
      withMemoryAdvice(context_.device, indices.numel(), fit_.batchSizePath,
                       [&] { step(indices); });
      ++state_.batch;
      ++state_.iteration;
      state_.seconds += secondsSince(start);
      if (state_.batch < batches_ && secondsSince(saved_) >= context_.checkpointSeconds) save();
      context_.task.advance(indices.numel());
    }
  }

  void step(const torch::Tensor& indices) {
    const auto images = toDevice(context_.train.images(indices), context_.device);
    const auto labels = toDevice(context_.train.labels().index_select(0, indices), context_.device);
    for (auto& parameter : stages_.parameters()) parameter.mutable_grad() = torch::Tensor();
    const auto result = stages_.forward(images, fit_.loss.probes > 0);
    Random probes(
        context_.seed.child("probes").child(static_cast<std::uint64_t>(state_.iteration)));
    const auto loss = fit_.loss(result.input, result.output, result.logits, labels, result.chain,
                                result.code, probes);
    const auto values = loss.values();
    if (!std::isfinite(values[0])) {
      throw Error::failed("the loss became " +
                              std::string(std::isnan(values[0]) ? "NaN" : "infinite") +
                              " in stage " + std::to_string(state_.stage + 1) + ", epoch " +
                              std::to_string(state_.stageEpochs + 1),
                          fit_.learningRatePath,
                          "try a smaller learning rate, for instance " + formatNumber(rate() / 10));
    }
    loss.total.backward();
    optimiser_->step(rate());

    const auto size = static_cast<double>(indices.numel());
    state_.lossSum += values[0] * size;
    state_.lossParts.resize(3);
    for (std::size_t i = 0; i < 3; ++i) state_.lossParts[i] += values[i + 1] * size;
    state_.seen += indices.numel();
    const torch::NoGradGuard noGrad;
    state_.correct += (result.logits.argmax(1) == labels).sum().item<std::int64_t>();
  }

  void finishEpoch() {
    const auto seen = static_cast<double>(state_.seen);
    const std::int64_t epoch = state_.epoch + 1;
    report(epoch, "stage", static_cast<double>(state_.stage + 1));
    report(epoch, "loss", state_.lossSum / seen);
    report(epoch, "reconstruction_loss", state_.lossParts[0] / seen);
    if (fit_.loss.jacobian > 0) report(epoch, "jacobian_loss", state_.lossParts[1] / seen);
    report(epoch, "class_loss", state_.lossParts[2] / seen);
    report(epoch, "accuracy", static_cast<double>(state_.correct) / seen);
    if (context_.validation && context_.validation->size() > 0) {
      const double value =
          withMemoryAdvice(context_.device, fit_.batchSize, fit_.batchSizePath, [&] {
            return shareCorrect(stages_, *context_.validation, context_.device, 256, context_.task,
                                false);
          });
      report(epoch, "validation_accuracy", value);
      if (fit_.patience > 0 && fit_.stop == StageStop::NoBetter && value > state_.bestValue) {
        state_.bestValue = value;
        state_.bestEpoch = epoch;
        state_.best = TensorFile();
        addModule(state_.best, stages_, "best.");
      }
    }
    report(epoch, "learning_rate", rate());
    report(epoch, "seconds", state_.seconds);
    state_.epoch = epoch;
    ++state_.stageEpochs;
    state_.batch = 0;
    state_.lossSum = 0;
    state_.lossParts.clear();
    state_.correct = state_.seen = 0;
    state_.seconds = 0;
  }

  bool stageDone() const {
    if (state_.stageEpochs >= mostEpochs()) return true;
    if (fit_.patience == 0) return false;
    if (fit_.stop == StageStop::NoBetter) {
      return state_.bestEpoch > 0 && state_.epoch - state_.bestEpoch >= fit_.patience;
    }
    std::vector<double> values;  // of this stage
    for (const auto& metric : state_.metrics) {
      const bool ours = metric.epoch > state_.epoch - state_.stageEpochs;
      if (ours && metric.name == "validation_accuracy") values.push_back(metric.value);
    }
    std::int64_t falls = 0;
    for (auto i = values.size(); i > 1 && values[i - 1] < values[i - 2]; --i) ++falls;
    return falls >= fit_.patience;
  }

  /// Takes the best weights and goes on to the next stage.
  void finishStage() {
    context_.task.skip((mostEpochs() - state_.stageEpochs) * count_);
    if (!state_.best.tensors.empty()) {
      loadModule(stages_, state_.best, "best weights", "best.");
      context_.task.log(LogLevel::Info,
                        "stage " + std::to_string(state_.stage + 1) +
                            ": took the weights of epoch " + std::to_string(state_.bestEpoch) +
                            " with validation_accuracy " + formatFixed(state_.bestValue, 4));
    }
    state_.best = TensorFile();
    state_.bestEpoch = 0;
    state_.bestValue = -1;
    ++state_.stage;
    state_.stageEpochs = 0;
    freshOptimiser();
    if (state_.stage < stageCount()) save();
  }

  void report(std::int64_t epoch, const std::string& name, double value) {
    state_.metrics.push_back({epoch, name, value});
    tell(state_.metrics.back());
  }

  void tell(const FitState::Metric& metric) const {
    if (context_.metric) context_.metric(metric.epoch, metric.name, metric.value);
  }

  void save() {
    if (context_.checkpoint.empty()) return;
    saveCheckpoint(context_.checkpoint, identity_, stages_, *optimiser_, state_);
    saved_ = Clock::now();
  }

  FitContext& context_;
  Autoencoder& network_;
  const AutoencoderFit& fit_;
  Stages stages_;
  std::int64_t count_, batches_;
  std::optional<Optimiser> optimiser_;
  std::string identity_;
  FitState state_;
  Clock::time_point saved_{};
};

}  // namespace

void fitAutoencoder(FitContext& context, Autoencoder& network, const AutoencoderFit& fit) {
  StagedFit(context, network, fit).run();
}

}  // namespace bulwark
