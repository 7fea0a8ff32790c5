#include "core/params/layer_option.h"

#include <algorithm>
#include <stdexcept>

namespace bulwark {
namespace {

const std::string kLayer = "layer";
const std::string kComma = ", ";

}  // namespace

Option& namesLayers(Option& option, const std::vector<std::string>& others) {
  if (option.type != OptionType::Text && option.type != OptionType::TextList) {
    throw std::logic_error("option '" + option.key + "' is no text and names no layer");
  }
  option.unit = kLayer;
  for (const auto& other : others) option.unit += kComma + other;
  return option;
}

std::optional<std::vector<std::string>> layerWords(const Option& option) {
  if (option.type != OptionType::Text && option.type != OptionType::TextList) return std::nullopt;
  if (option.unit != kLayer && !option.unit.starts_with(kLayer + kComma)) return std::nullopt;
  std::vector<std::string> words;
  std::size_t begin = kLayer.size();
  while (begin < option.unit.size()) {
    begin += kComma.size();
    const std::size_t end = std::min(option.unit.find(kComma, begin), option.unit.size());
    words.push_back(option.unit.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

}  // namespace bulwark
