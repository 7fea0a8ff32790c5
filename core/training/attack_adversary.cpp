#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/attacks/classification_objective.h"
#include "core/attacks/demands.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/device.h"
#include "core/training/adversary.h"
#include "core/training/evaluate.h"

namespace bulwark {
namespace {

const std::vector<std::string> kShared = {"eps", "norm", "steps", "step_size", "random_start"};

/// Climbing attacks of a fixed, affordable number of steps.
bool trains(const ComponentInfo& info) {
  const auto has = [&](const char* trait) {
    return std::find(info.traits.begin(), info.traits.end(), trait) != info.traits.end();
  };
  return has("needs gradient") && !has("minimum distance") && !has("few pixels") &&
         !has("ensemble") && !has("in images only");
}

/// The classifier's objective, which can be cancelled between two steps.
class TrainingObjective : public ClassificationObjective {
 public:
  TrainingObjective(Network& network, const torch::Tensor& labels, Task& task)
      : ClassificationObjective(network, labels), task_(task) {}

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override {
    task_.checkpoint();
    return ClassificationObjective::evaluate(images, samples);
  }
  torch::Tensor logits(const torch::Tensor& images) override {
    task_.checkpoint();
    return ClassificationObjective::logits(images);
  }

 private:
  Task& task_;
};

class AttackAdversary : public Adversary {
 public:
  AttackAdversary(const std::string& asked, const Json& usual, std::string path)
      : path_(std::move(path)) {
    registerAttacks(attacks_);
    options_ = parse(asked);
    type_ = options_.at("type").get<std::string>();
    const auto& info = attacks_.info(type_, path_);
    if (!trains(info)) {
      std::vector<std::string> known;
      for (const auto& other : attacks_.list()) {
        if (trains(other)) known.push_back(other.name);
      }
      throw Error::badInput("'" + type_ + "' makes no sense in training: it needs gradient steps " +
                                "within a ball, of a fixed number",
                            path_, "use one of " + join(known, ", "));
    }
    for (const auto& key : kShared) {
      const bool automatic = key == "step_size" && usual.at(key) == 0.0;
      if (automatic) continue;  // each attack has a step of its own
      if (info.options.find(key) && !options_.contains(key)) options_[key] = usual.at(key);
    }
    passes_ = propagationsOf(*attack(1.0), {});
  }

  torch::Tensor perturb(Network& network, const torch::Tensor& images, const torch::Tensor& labels,
                        double share, Seed seed, Task& task) const override {
    const FrozenScope frozen(network);
    TrainingObjective objective(network, labels.to(torch::kCPU), task);
    Task silent;  // the progress is that of the training
    AttackContext context{.device = images.device(),
                          .batchSize = std::max<std::int64_t>(1, images.size(0)),
                          .seed = seed,
                          .task = silent,
                          .thresholds = {0.0}};
    const auto found =
        attack(share)->perturb(objective, images.to(torch::kCPU).contiguous(), context);
    return toDevice(found.images, images.device());
  }

  double propagationsPerImage() const override {
    return static_cast<double>(passes_.forwards + passes_.backwards);
  }

 private:
  Json parse(const std::string& asked) const {
    if (asked.find('{') == std::string::npos) return {{"type", asked}};
    try {
      Json object = Json::parse(asked);
      if (object.is_object() && object.contains("type") && object.at("type").is_string()) {
        return object;
      }
    } catch (const Json::parse_error&) {
      throw Error::badInput("this is not JSON", path_, "expected {\"type\": \"pgd\", ...}");
    }
    throw Error::badInput("the type is missing", path_,
                          "expected {\"type\": \"pgd\", ...} or the name of an attack");
  }

  std::unique_ptr<Attack> attack(double share) const {
    Json options = options_;
    for (const char* key : {"eps", "step_size"}) {
      if (share == 1.0 || !options.contains(key)) continue;
      const Json& full = options.at(key);
      const auto fraction =
          full.is_string() ? parseFraction(full.get<std::string>()) : full.get<double>();
      if (fraction) options[key] = *fraction * share;
    }
    return attacks_.make(type_, options, path_);
  }

  std::string path_, type_;
  Registry<Attack> attacks_{"attack"};
  Json options_;
  Propagations passes_;
};

}  // namespace

std::unique_ptr<Adversary> makeAttackAdversary(const std::string& asked, const Json& usual,
                                               const std::string& path) {
  return std::make_unique<AttackAdversary>(asked, usual, path);
}

}  // namespace bulwark
