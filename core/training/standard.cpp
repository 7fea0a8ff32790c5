#include "core/training/fit_loop.h"
#include "core/training/recipes.h"

namespace bulwark {
namespace {

/// Cross-entropy on the images as they are.
class Standard : public Recipe {
 public:
  explicit Standard(FitOptions options) : options_(std::move(options)) {}

  void fit(FitContext& context) override {
    FitHooks hooks;
    hooks.recipe = "standard";
    runFitLoop(context, options_, hooks);
  }

 private:
  FitOptions options_;
};

}  // namespace

void addStandard(Registry<Recipe>& registry) {
  ComponentInfo info;
  info.name = "standard";
  info.title = "Standard training";
  info.summary = "minimises the cross-entropy on clean images";
  info.reference = "He, Zhang, Ren and Sun, CVPR 2016, section 4.2";
  info.options = fitSchema();
  info.traits = {"needs labels"};
  registry.add(info, [](const Params& params) {
    return std::make_unique<Standard>(readFitOptions(params));
  });
}

void registerRecipes(Registry<Recipe>& registry) {
  addStandard(registry);
  addAdversarial(registry);
  addOutlierExposure(registry);
  addAutoencoder(registry);
  addAttractor(registry);
}

}  // namespace bulwark
