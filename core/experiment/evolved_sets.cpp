#include "core/experiment/evolved_sets.h"

#include <memory>
#include <string>

#include "core/attacks/fooling.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/classifier.h"
#include "core/nn/safetensors.h"
#include "core/params/params.h"

namespace bulwark {
namespace {

FoolingPlan planOf(const DatasetRequest& request, const DatasetInfo& info,
                   const ImageShape& shape) {
  const Params params(info.options, request.options, "data.out", {});
  FoolingPlan plan;
  plan.count = request.testLimit > 0 ? request.testLimit : 1000;
  plan.generations = params.getInt("generations");
  plan.population = params.getInt("population");
  plan.confidence = params.getNumber("confidence");
  // Zhao et al., section 5.2: 99.99 % on MNIST, 99.9 % on the others.
  if (plan.confidence == 0.0) plan.confidence = shape.channels == 1 ? 0.9999 : 0.999;
  if (request.dataset == "fooling-cppn") {
    plan.encoding = FoolingPlan::Encoding::Cppn;
  } else {
    plan.mutation = params.getNumber("mutation");
    plan.crossover = params.getNumber("crossover");
  }
  params.requireAllRead();
  return plan;
}

Json detailsOf(const DatasetRequest& request, const FoolingPlan& plan, Seed seed) {
  return {{"dataset", request.dataset},
          {"generated", "images evolved against the classifier of this run"},
          {"evolved", true},
          {"seed", seed.value()},
          {"places", plan.count},
          {"generations", plan.generations},
          {"population", plan.population},
          {"confidence", plan.confidence},
          {"options", request.options}};
}

}  // namespace

bool isEvolved(const DatasetRequest& request, const DatasetCatalogue& catalogue) {
  return !request.dataset.empty() && catalogue.info(request.dataset).format == kEvolvedFormat;
}

void addEvolvedSets(const Specification& spec, const DatasetCatalogue& catalogue,
                    Network& classifier, const torch::Device& device, Seed seed, Journal& journal,
                    Task& task, ExperimentData& data) {
  for (std::size_t i = 0; i < spec.out.size(); ++i) {
    const DatasetRequest& request = spec.out[i];
    if (!isEvolved(request, catalogue)) continue;
    const std::string name = request.displayName();
    const std::string file = "evolved-" + std::to_string(i) + ".safetensors";
    const Seed own = seed.child("evolved").child(name);
    const FoolingPlan plan =
        planOf(request, catalogue.info(request.dataset), data.conversion.shape);
    Json details = detailsOf(request, plan, own);
    torch::Tensor images, labels;
    if (const auto stored = findArtefact(journal, "images", file)) {
      const TensorFile kept = TensorFile::load(*stored);
      images = kept.require("images", {-1, -1, -1, -1}, stored->string());
      labels = kept.require("labels", {-1}, stored->string());
    } else {
      task.begin("evolve " + name, plan.count, "images");
      const auto made = evolveFooling(classifier, plan, device, own, task);
      task.end();
      images = made.images;
      labels = made.labels;
      if (made.rejected > 0) {
        task.log(LogLevel::Warning, std::to_string(made.rejected) + " of " +
                                        std::to_string(plan.count) + " images of '" + name +
                                        "' did not reach the confidence " +
                                        formatNumber(plan.confidence) + " and are left out.");
      }
      if (images.size(0) == 0) {
        throw Error::failed(
            "no evolved image reached the confidence " + formatNumber(plan.confidence),
            "data.out[" + std::to_string(i) + "]",
            "this classifier is not fooled this way; leave the set out");
      }
      TensorFile kept;
      kept.tensors = {{"images", images}, {"labels", labels}, {"confidence", made.confidences}};
      kept.metadata["details"] = details.dump();
      kept.save(journal.folder() / file);
      recordArtefact(journal, "images", file);
    }
    details["images"] = images.size(0);
    data.outs.push_back({name, std::make_shared<TensorImageSet>(
                                   name, images, labels, data.train->classNames(), details)});
  }
}

}  // namespace bulwark
