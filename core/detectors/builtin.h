#pragma once

#include "core/registry/registries.h"

namespace bulwark {

// Each defined in the file that holds the detector.
void addMsp(Registry<Detector>& registry);
void addMaxLogit(Registry<Detector>& registry);
void addEnergy(Registry<Detector>& registry);
void addMahalanobis(Registry<Detector>& registry);
void addOdin(Registry<Detector>& registry);
void addLid(Registry<Detector>& registry);
void addKdBu(Registry<Detector>& registry);
void addFeatureSqueezing(Registry<Detector>& registry);
void addRelativeMahalanobis(Registry<Detector>& registry);
void addKnn(Registry<Detector>& registry);
void addAttractor(Registry<Detector>& registry);
void addReconstructionError(Registry<Detector>& registry);
void addApae(Registry<Detector>& registry);
void addPrincipals(Registry<Detector>& registry);
void addSvdd(Registry<Detector>& registry);
void addElo(Registry<Detector>& registry);

}  // namespace bulwark
