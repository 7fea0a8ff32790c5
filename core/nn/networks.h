#pragma once

#include "core/nn/network.h"

namespace bulwark {

using NetworkRegistry = Registry<Network, NetworkShape>;

// One per file of this folder; `registerNetworks` calls them all.
void addMlp(NetworkRegistry& registry);
void addAutoencoder(NetworkRegistry& registry);
void addLenet5(NetworkRegistry& registry);
void addConvNet(NetworkRegistry& registry);
void addResnet18(NetworkRegistry& registry);
void addPreactResnet18(NetworkRegistry& registry);
void addResnetCifar(NetworkRegistry& registry);
void addVgg16(NetworkRegistry& registry);

}  // namespace bulwark
