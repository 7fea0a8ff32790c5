#pragma once

#include <cstdint>

#include "core/registry/registry.h"

namespace bulwark {

class Network;
class Recipe;
class Detector;
class Attack;

/// Channels, height, width of the images that a network takes, and how many classes it tells apart.
struct NetworkShape {
  std::int64_t channels = 1;
  std::int64_t height = 28;
  std::int64_t width = 28;
  std::int64_t classes = 10;
};

/// Every component the program knows. Passed around, never global; plugins add to it at start.
struct Registries {
  Registry<Network, NetworkShape> networks{"network"};
  Registry<Recipe> recipes{"recipe"};
  Registry<Detector> detectors{"detector"};
  Registry<Attack> attacks{"attack"};
};

/// All built-in components (defined in core/experiment, which may see every folder).
Registries builtinRegistries();

}  // namespace bulwark
