#include "ui/bridge/artefact_set.h"

#include <algorithm>

namespace bulwark {

bool hasDetector(const Json& specification, const std::vector<std::string>& types) {
  const Json detectors =
      specification.is_object() ? specification.value("detectors", Json()) : Json();
  if (!detectors.is_array()) return false;
  return std::any_of(detectors.begin(), detectors.end(), [&](const Json& detector) {
    const Json type = detector.is_object() ? detector.value("type", Json()) : detector;
    return type.is_string() &&
           std::find(types.begin(), types.end(), type.get<std::string>()) != types.end();
  });
}

}  // namespace bulwark
