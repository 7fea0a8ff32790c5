#include "core/detectors/detector.h"

#include "core/detectors/builtin.h"

namespace bulwark {

std::map<std::string, torch::Tensor> Detector::intermediates(const torch::Tensor& /*images*/) {
  return {};
}

void registerDetectors(Registry<Detector>& registry) {
  addMsp(registry);
  addMaxLogit(registry);
  addEnergy(registry);
  addOdin(registry);
  addLid(registry);
  addKdBu(registry);
  addFeatureSqueezing(registry);
  addMahalanobis(registry);
  addRelativeMahalanobis(registry);
  addKnn(registry);
  addAttractor(registry);
  addReconstructionError(registry);
  addApae(registry);
  addPrincipals(registry);
  addSvdd(registry);
  addElo(registry);
}

}  // namespace bulwark
