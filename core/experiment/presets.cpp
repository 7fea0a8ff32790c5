#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/preset_data.h"
#include "core/experiment/specification.h"

namespace bulwark {

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = [] {
    std::vector<Preset> loaded;
    for (const auto& text : presetTexts()) {
      Json json = Json::parse(text.json);
      std::string summary = json.at("name").get<std::string>();
      loaded.push_back({text.name, std::move(summary), std::move(json)});
    }
    return loaded;
  }();
  return list;
}

const Preset& preset(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& candidate : presets()) {
    if (candidate.name == name) return candidate;
    names.push_back(candidate.name);
  }
  const std::string typo = suggestion(name, names);
  throw Error::badInput("there is no preset '" + name + "'", "--preset",
                        (typo.empty() ? "" : typo + " ") + "known: " + join(names, ", "));
}

}  // namespace bulwark
