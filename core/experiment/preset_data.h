#pragma once

#include <string>
#include <vector>

namespace bulwark {

/// A preset file as it stands in resources/presets: its name and its JSON text.
struct PresetText {
  std::string name;
  std::string json;
};

/// All of them, by name; generated at build time.
const std::vector<PresetText>& presetTexts();

}  // namespace bulwark
