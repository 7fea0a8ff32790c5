#include "core/experiment/crafted_sets.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/attacks/classification_objective.h"
#include "core/attacks/resources.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/split.h"
#include "core/experiment/classifier.h"
#include "core/experiment/file_progress.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"
#include "core/params/params.h"

namespace bulwark {
namespace {

constexpr char kKind[] = "images";

Json asked(const DatasetRequest& request, const std::string& path) {
  const auto found = request.options.find("attack");
  const std::string text = found == request.options.end() || !found->is_string()
                               ? std::string()
                               : found->get<std::string>();
  if (text.empty() || text.front() != '{') return {{"type", text}};
  try {
    Json json = Json::parse(text);
    if (json.is_object() && json.contains("type") && json.at("type").is_string()) return json;
  } catch (const Json::parse_error&) {
    // told below
  }
  throw Error::badInput("'" + text + "' names no attack", path,
                        "write a name or {\"type\": \"fgsm\", \"eps\": 0.4}");
}

bool has(const ComponentInfo& info, const char* trait) {
  return std::find(info.traits.begin(), info.traits.end(), trait) != info.traits.end();
}

/// Positions of the images that the classifier gets right.
torch::Tensor rightRows(Network& classifier, const ImageSet& set, std::int64_t batchSize,
                        const torch::Device& device, Task& task) {
  const torch::NoGradGuard noGrad;
  std::vector<torch::Tensor> parts = {torch::empty({0}, torch::kInt64)};
  task.begin("classify " + set.name(), set.size(), "images");
  for (std::int64_t begin = 0; begin < set.size(); begin += batchSize) {
    const std::int64_t end = std::min(begin + batchSize, set.size());
    const auto said =
        classifier.forward(toDevice(set.range(begin, end), device)).argmax(1).to(torch::kCPU);
    parts.push_back(said.eq(set.labels().slice(0, begin, end)).nonzero().flatten() + begin);
    task.advance(end - begin);
  }
  task.end();
  return torch::cat(parts);
}

struct Crafted {
  torch::Tensor images, labels, rows, margins;
};

/// What one set asks for.
struct CraftedRequest {
  std::string name, path;
  std::string images;  ///< correct, all, fooled
  std::int64_t limit = 0;
  std::string subset;  ///< which images a limit takes
  std::unique_ptr<Attack> attack;
};

AttackResult attacked(Attack& attack, Network& classifier, const torch::Tensor& images,
                      const torch::Tensor& labels, const torch::Device& device,
                      std::int64_t batchSize, Seed seed, AttackProgress* progress, Task& task) {
  ClassificationObjective objective(classifier, labels);
  AttackResources resources;
  resources.classifier = &classifier;
  resources.labels = labels;
  AttackContext context{.device = device, .batchSize = batchSize, .seed = seed, .task = task};
  context.progress = progress;
  // A margin of 0 is where an image becomes misclassified. No attack stops there but those that
  // look for the nearest such point, or for the first: the others go on as published.
  context.thresholds = {0.0};
  context.resources = &resources;
  return attack.perturb(objective, images, context);
}

Crafted craft(const CraftedRequest& request, Network& classifier, const ImageSet& in,
              std::int64_t batchSize, const torch::Device& device, Seed seed,
              AttackProgress& progress, Task& task) {
  Crafted made;
  made.rows = request.images == "all" ? torch::arange(in.size(), torch::kInt64)
                                      : rightRows(classifier, in, batchSize, device, task);
  if (request.limit > 0 && request.limit < made.rows.numel()) {
    made.rows = made.rows.index_select(
        0, subsetIndices(in.labels().index_select(0, made.rows), request.limit, request.subset,
                         seed.child("limit")));
  }
  if (made.rows.numel() == 0) return made;
  made.labels = in.labels().index_select(0, made.rows).contiguous();
  task.begin("craft " + request.name, made.rows.numel(), "images");
  const auto result = attacked(*request.attack, classifier, in.images(made.rows), made.labels,
                               device, batchSize, seed.child("attack"), &progress, task);
  task.end();
  made.images = result.images;
  made.margins = result.values.to(torch::kFloat64);
  if (request.images == "fooled") {
    const auto kept = made.margins.gt(0.0).nonzero().flatten();
    for (auto* part : {&made.images, &made.labels, &made.rows, &made.margins}) {
      *part = part->index_select(0, kept).contiguous();
    }
  }
  return made;
}

}  // namespace

bool isCrafted(const DatasetRequest& request, const DatasetCatalogue& catalogue) {
  return !request.dataset.empty() && catalogue.info(request.dataset).format == kCraftedFormat;
}

namespace {

/// The attack in its published form: nearest points unbounded, the last point kept.
std::unique_ptr<Attack> publishedForm(Json json, const Registries& registries,
                                      const std::string& at) {
  const auto type = json.at("type").get<std::string>();
  const auto& info = registries.attacks.info(type, at);
  if (has(info, "in images only") || has(info, "needs gradient of the source")) {
    throw Error::badInput("'" + type + "' does not attack a classifier alone", at,
                          "use fgsm, bim_a, bim_b, jsma, cw_l2 or pgd");
  }
  json.erase("type");
  if (has(info, "minimum distance") && !json.contains("bounded")) {
    // Published is the nearest adversarial image, wherever it lies.
    for (const auto& option : info.options.options()) {
      if (option.key == "bounded") json["bounded"] = false;
    }
  }
  for (const auto& option : info.options.options()) {
    if (option.key == "keep" && !json.contains("keep")) json["keep"] = "last";
  }
  const Params params(info.options, json, at, {});
  return registries.attacks.make(type, params.values(), at);
}

}  // namespace

std::unique_ptr<Attack> craftingAttack(const DatasetRequest& request, const Registries& registries,
                                       const std::string& path) {
  const std::string at = path + ".options.attack";
  return publishedForm(asked(request, at), registries, at);
}

CraftImages imageCrafter(const Registries& registries, Network& classifier,
                         const torch::Device& device, std::int64_t batchSize, Seed seed,
                         Task& task) {
  return [&registries, &classifier, device, batchSize, seed, &task, calls = std::uint64_t{0}](
             const Json& attack, const torch::Tensor& images, const torch::Tensor& labels) mutable {
    const auto classes = labels.to(torch::kCPU).contiguous();
    const auto made = publishedForm(attack, registries, "samples_attack");
    return attacked(*made, classifier, images.to(torch::kCPU), classes, device, batchSize,
                    seed.child(calls++), nullptr, task)
        .images;
  };
}

void addCraftedSets(const Specification& spec, const Registries& registries,
                    const DatasetCatalogue& catalogue, Network& classifier,
                    const torch::Device& device, Seed seed, Journal& journal, Task& task,
                    ExperimentData& data) {
  for (std::size_t i = 0; i < spec.out.size(); ++i) {
    const DatasetRequest& asked = spec.out[i];
    if (!isCrafted(asked, catalogue)) continue;
    const Params params(catalogue.info(asked.dataset).options, asked.options, "data.out", {});
    const std::string path = "data.out[" + std::to_string(i) + "]";
    const CraftedRequest request{
        asked.displayName(), path,         params.getText("images"),
        asked.testLimit,     asked.subset, craftingAttack(asked, registries, path)};
    const std::string file = "crafted-" + std::to_string(i) + ".safetensors";
    FileProgress progress(journal.folder() / "progress" / ("crafted-" + std::to_string(i)),
                          FileProgress::Seconds(journal.secondsWorthKeeping()));
    Crafted made;
    if (const auto stored = findArtefact(journal, kKind, file)) {
      const TensorFile kept = TensorFile::load(*stored);
      made.images = kept.require("images", {-1, -1, -1, -1}, stored->string());
      made.labels = kept.require("labels", {made.images.size(0)}, stored->string());
      made.margins = kept.require("margins", {made.images.size(0)}, stored->string());
    } else {
      withMemoryAdvice(device, spec.evaluation.batchSize, "evaluation.batch_size", [&] {
        made = craft(request, classifier, *data.in.set, spec.evaluation.batchSize, device,
                     seed.child("crafted").child(request.name), progress, task);
      });
      if (!made.images.defined() || made.images.size(0) == 0) {
        throw Error::failed("no image of '" + request.name + "' is left", path,
                            request.images == "fooled"
                                ? "the attack fooled the classifier nowhere; set images to correct"
                                : "the classifier gets no in test image right");
      }
      TensorFile kept;
      kept.tensors = {{"images", made.images},
                      {"labels", made.labels},
                      {"rows", made.rows},
                      {"margins", made.margins}};
      kept.save(journal.folder() / file);
      recordArtefact(journal, kKind, file);
      task.log(LogLevel::Info,
               request.name + ": " + std::to_string(made.images.size(0)) + " images, " +
                   formatFixed(
                       100.0 * made.margins.gt(0.0).to(torch::kFloat64).mean().item<double>(), 1) +
                   " % of them misclassified");
    }
    progress.discard();
    const Json details = {
        {"dataset", asked.dataset},
        {"generated", "in test images turned against the classifier of this run"},
        {"crafted", true},
        {"images", made.images.size(0)},
        {"misclassified", made.margins.gt(0.0).to(torch::kFloat64).mean().item<double>()},
        {"options", asked.options}};
    data.outs.push_back(
        {request.name, std::make_shared<TensorImageSet>(request.name, made.images, made.labels,
                                                        data.train->classNames(), details)});
  }
}

}  // namespace bulwark
