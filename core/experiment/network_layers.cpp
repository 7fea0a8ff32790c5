#include "core/experiment/network_layers.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/nn/layer_names.h"
#include "core/params/layer_option.h"

namespace bulwark {
namespace {

void requireLayer(const std::string& layer, const std::vector<std::string>& known,
                  const std::string& network, const std::string& path) {
  if (std::find(known.begin(), known.end(), layer) != known.end()) return;
  const std::string typo = suggestion(layer, known);
  std::string problem = "the network '";
  problem += network + "' has no layer '" + layer + "'";
  throw Error::badInput(problem, path,
                        (typo.empty() ? "" : typo + " ") + "known: " + join(known, ", "));
}

}  // namespace

std::vector<std::string> networkLayers(const Json& network, const Registries& registries) {
  const bool named = network.is_object() && network.contains("type");
  const Json& type = named ? network.at("type") : network;
  if (!type.is_string()) return {};
  const auto name = type.get<std::string>();
  if (!registries.networks.contains(name)) return {};
  try {
    const Params options(registries.networks.info(name).options,
                         named ? network : Json(Json::object()), {}, {"type", "label"});
    return layerNames(name, options).value_or(std::vector<std::string>());
  } catch (const Error&) {
    return {};
  }
}

void requireKnownLayers(const Specification& specification, const Registries& registries) {
  if (specification.network.type.empty()) return;
  Json network = specification.network.options;
  network["type"] = specification.network.type;
  const auto layers = networkLayers(network, registries);
  if (layers.empty()) return;
  for (std::size_t i = 0; i < specification.detectors.size(); ++i) {
    const auto& request = specification.detectors[i];
    const OptionSchema options = registries.detectors.info(request.type).options;
    for (const auto& option : options.options()) {
      const auto words = layerWords(option);
      if (!words) continue;
      auto known = layers;
      known.insert(known.end(), words->begin(), words->end());
      std::string path = "detectors[";
      path += std::to_string(i) + "]." + option.key;
      const Json& value = request.options.at(option.key);
      const auto check = [&](const Json& one) {
        requireLayer(one.get<std::string>(), known, specification.network.type, path);
      };
      if (value.is_array()) {
        std::for_each(value.begin(), value.end(), check);
      } else {
        check(value);
      }
    }
  }
}

}  // namespace bulwark
