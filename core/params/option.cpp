#include "core/params/option.h"

#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/base/text.h"

namespace bulwark {

Option& Option::range(double least, double most) {
  minimum = least;
  maximum = most;
  minimumExclusive = false;
  return *this;
}

Option& Option::above(double least, double most) {
  minimum = least;
  maximum = most;
  minimumExclusive = true;
  return *this;
}

Option& Option::from(std::string literature) {
  source = std::move(literature);
  return *this;
}

Option& Option::in(std::string unitName) {
  unit = std::move(unitName);
  return *this;
}

Option& Option::simple() {
  visibility = Visibility::Simple;
  return *this;
}

Option& Option::expert() {
  visibility = Visibility::Expert;
  return *this;
}

std::string Option::allowed() const {
  switch (type) {
    case OptionType::Bool:
      return "true or false";
    case OptionType::Text:
      return "text";
    case OptionType::Choice:
      return "one of " + join(choices, ", ");
    case OptionType::TextList:
      return choices.empty() ? "a list of texts" : "a list of " + join(choices, ", ");
    case OptionType::IntList:
      return "a list of whole numbers";
    case OptionType::Int:
    case OptionType::Float:
      break;
  }
  std::string text;
  if (std::isfinite(minimum)) text += formatNumber(minimum) + (minimumExclusive ? " < " : " <= ");
  text += key;
  if (std::isfinite(maximum)) text += " <= " + formatNumber(maximum);
  if (text == key) return type == OptionType::Int ? "a whole number" : "a number or a fraction";
  return text;
}

Json Option::toJson() const {
  Json json;
  json["key"] = key;
  json["type"] = toString(type);
  json["default"] = defaultValue;
  json["allowed"] = allowed();
  if (!choices.empty()) json["choices"] = choices;
  if (!unit.empty()) json["unit"] = unit;
  json["visibility"] = toString(visibility);
  json["help"] = help;
  if (!source.empty()) json["source"] = source;
  return json;
}

Option& OptionSchema::add(OptionType type, std::string key, Json value, std::string help) {
  if (find(key)) throw std::logic_error("option '" + key + "' is declared twice");
  Option option;
  option.key = std::move(key);
  option.type = type;
  option.defaultValue = std::move(value);
  option.help = std::move(help);
  return options_.emplace_back(std::move(option));
}

Option& OptionSchema::boolean(std::string key, bool value, std::string help) {
  return add(OptionType::Bool, std::move(key), value, std::move(help));
}

Option& OptionSchema::integer(std::string key, long long value, std::string help) {
  return add(OptionType::Int, std::move(key), value, std::move(help));
}

Option& OptionSchema::number(std::string key, Json value, std::string help) {
  return add(OptionType::Float, std::move(key), std::move(value), std::move(help));
}

Option& OptionSchema::text(std::string key, std::string value, std::string help) {
  return add(OptionType::Text, std::move(key), std::move(value), std::move(help));
}

Option& OptionSchema::choice(std::string key, std::string value, std::vector<std::string> choices,
                             std::string help) {
  Option& option = add(OptionType::Choice, std::move(key), std::move(value), std::move(help));
  option.choices = std::move(choices);
  return option;
}

Option& OptionSchema::textList(std::string key, std::vector<std::string> value, std::string help) {
  return add(OptionType::TextList, std::move(key), std::move(value), std::move(help));
}

Option& OptionSchema::integerList(std::string key, std::vector<long long> value, std::string help) {
  return add(OptionType::IntList, std::move(key), std::move(value), std::move(help));
}

OptionSchema& OptionSchema::include(const OptionSchema& other) {
  for (const auto& option : other.options_) {
    if (find(option.key)) throw std::logic_error("option '" + option.key + "' is declared twice");
    options_.push_back(option);
  }
  return *this;
}

const Option* OptionSchema::find(const std::string& key) const {
  for (const auto& option : options_) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

std::vector<std::string> OptionSchema::keys() const {
  std::vector<std::string> names;
  for (const auto& option : options_) names.push_back(option.key);
  return names;
}

Json OptionSchema::toJson() const {
  Json json = Json::array();
  for (const auto& option : options_) json.push_back(option.toJson());
  return json;
}

std::string toString(OptionType type) {
  switch (type) {
    case OptionType::Bool:
      return "bool";
    case OptionType::Int:
      return "int";
    case OptionType::Float:
      return "float";
    case OptionType::Text:
      return "text";
    case OptionType::Choice:
      return "choice";
    case OptionType::TextList:
      return "text list";
    case OptionType::IntList:
      return "int list";
  }
  return {};
}

std::string toString(Visibility visibility) {
  switch (visibility) {
    case Visibility::Simple:
      return "simple";
    case Visibility::Normal:
      return "normal";
    case Visibility::Expert:
      return "expert";
  }
  return {};
}

}  // namespace bulwark
