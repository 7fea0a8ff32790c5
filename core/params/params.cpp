#include "core/params/params.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

std::string shown(const Json& value) {
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    return formatNumber(value.get<double>());
  }
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

[[noreturn]] void refuse(const Option& option, const Json& value, const std::string& path,
                         const std::string& expected) {
  throw Error::badInput(shown(value) + " is not " + expected, path, "expected " + option.allowed());
}

bool insideRange(const Option& option, double value) {
  if (!std::isfinite(value)) return false;
  if (option.minimumExclusive ? value <= option.minimum : value < option.minimum) return false;
  return value <= option.maximum;
}

Json checkNumber(const Option& option, const Json& value, const std::string& path) {
  double number = 0.0;
  if (value.is_number()) {
    number = value.get<double>();
  } else if (value.is_string()) {
    const auto parsed = parseFraction(value.get<std::string>());
    if (!parsed) refuse(option, value, path, "a number or a fraction");
    number = *parsed;
  } else {
    refuse(option, value, path, "a number or a fraction");
  }
  if (!insideRange(option, number)) refuse(option, value, path, "allowed");
  return value;
}

Json checkInteger(const Option& option, const Json& value, const std::string& path) {
  long long number = 0;
  if (value.is_number_integer()) {
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
      refuse(option, value, path, "allowed");
    }
    number = value.get<long long>();
  } else if (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>() &&
             std::abs(value.get<double>()) < 1e15) {
    number = static_cast<long long>(value.get<double>());
  } else {
    refuse(option, value, path, "a whole number");
  }
  if (!insideRange(option, static_cast<double>(number))) refuse(option, value, path, "allowed");
  return number;
}

Json checkList(const Option& option, const Json& value, const std::string& path) {
  if (!value.is_array()) refuse(option, value, path, "a list");
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string itemPath = path + "[" + std::to_string(i) + "]";
    if (option.type == OptionType::IntList) {
      checkInteger(option, value[i], itemPath);
      continue;
    }
    if (!value[i].is_string()) refuse(option, value[i], itemPath, "a text");
    const auto item = value[i].get<std::string>();
    if (!option.choices.empty() &&
        std::find(option.choices.begin(), option.choices.end(), item) == option.choices.end()) {
      throw Error::badInput(
          shown(value[i]) + " is unknown", itemPath,
          suggestion(item, option.choices) + " known: " + join(option.choices, ", "));
    }
  }
  return value;
}

void collect(const Json& before, const Json& after, const std::string& path,
             std::vector<ParamDifference>& found) {
  if (before.is_object() && after.is_object()) {
    const auto extended = [&](const std::string& key) {
      return path.empty() ? key : path + "." + key;
    };
    for (const auto& [key, value] : before.items()) {
      if (after.contains(key)) {
        collect(value, after.at(key), extended(key), found);
      } else {
        found.push_back({extended(key), value.dump(), ""});
      }
    }
    for (const auto& [key, value] : after.items()) {
      if (!before.contains(key)) found.push_back({extended(key), "", value.dump()});
    }
    return;
  }
  if (before.is_array() && after.is_array()) {
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      const std::string item = path + "[" + std::to_string(i) + "]";
      if (i < before.size() && i < after.size()) {
        collect(before[i], after[i], item, found);
      } else if (i < before.size()) {
        found.push_back({item, before[i].dump(), ""});
      } else {
        found.push_back({item, "", after[i].dump()});
      }
    }
    return;
  }
  if (before != after) found.push_back({path, before.dump(), after.dump()});
}

}  // namespace

Json Params::check(const Option& option, const Json& value, const std::string& path) {
  switch (option.type) {
    case OptionType::Bool:
      if (!value.is_boolean()) refuse(option, value, path, "true or false");
      return value;
    case OptionType::Int:
      return checkInteger(option, value, path);
    case OptionType::Float:
      return checkNumber(option, value, path);
    case OptionType::Text:
      if (!value.is_string()) refuse(option, value, path, "a text");
      return value;
    case OptionType::Choice: {
      if (!value.is_string()) refuse(option, value, path, "a text");
      const auto name = value.get<std::string>();
      if (std::find(option.choices.begin(), option.choices.end(), name) == option.choices.end()) {
        const std::string typo = suggestion(name, option.choices);
        throw Error::badInput(shown(value) + " is unknown", path,
                              (typo.empty() ? "" : typo + " ") + "expected " + option.allowed());
      }
      return value;
    }
    case OptionType::TextList:
    case OptionType::IntList:
      return checkList(option, value, path);
  }
  return value;
}

Params::Params(const OptionSchema& schema, const Json& given, std::string path,
               const std::vector<std::string>& ignored)
    : schema_(schema), path_(std::move(path)) {
  if (!given.is_null() && !given.is_object()) {
    throw Error::badInput(shown(given) + " is not an object", path_, "expected {\"key\": value}");
  }
  for (const auto& [key, value] : given.items()) {
    if (std::find(ignored.begin(), ignored.end(), key) != ignored.end()) continue;
    if (!schema_.find(key)) {
      const std::string typo = suggestion(key, schema_.keys());
      throw Error::badInput("unknown key", pathOf(key),
                            !typo.empty() ? typo : "known keys: " + join(schema_.keys(), ", "));
    }
  }
  for (const auto& option : schema_.options()) {
    const bool present = given.is_object() && given.contains(option.key);
    values_[option.key] =
        present ? check(option, given.at(option.key), pathOf(option.key)) : option.defaultValue;
  }
}

std::string Params::pathOf(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

bool Params::has(const std::string& key) const {
  return values_.contains(key);
}

const Json& Params::value(const std::string& key, OptionType type) const {
  const Option* option = schema_.find(key);
  if (!option) throw std::logic_error("option '" + key + "' is not declared");
  const bool text = type == OptionType::Text && option->type == OptionType::Choice;
  const bool number = type == OptionType::Float && option->type == OptionType::Int;
  if (option->type != type && !text && !number) {
    throw std::logic_error("option '" + key + "' is read as another type than declared");
  }
  read_.insert(key);
  return values_.at(key);
}

bool Params::getBool(const std::string& key) const {
  return value(key, OptionType::Bool).get<bool>();
}

long long Params::getInt(const std::string& key) const {
  return value(key, OptionType::Int).get<long long>();
}

double Params::getNumber(const std::string& key) const {
  const Json& number = value(key, OptionType::Float);
  return number.is_string() ? parseFraction(number.get<std::string>()).value()
                            : number.get<double>();
}

std::string Params::getText(const std::string& key) const {
  return value(key, OptionType::Text).get<std::string>();
}

std::vector<std::string> Params::getTextList(const std::string& key) const {
  return value(key, OptionType::TextList).get<std::vector<std::string>>();
}

std::vector<long long> Params::getIntList(const std::string& key) const {
  return value(key, OptionType::IntList).get<std::vector<long long>>();
}

Json Params::changed() const {
  Json json = Json::object();
  for (const auto& option : schema_.options()) {
    if (values_.at(option.key) != option.defaultValue) json[option.key] = values_.at(option.key);
  }
  return json;
}

void Params::requireAllRead() const {
  for (const auto& option : schema_.options()) {
    if (!read_.contains(option.key)) {
      throw std::logic_error("option '" + pathOf(option.key) + "' is declared but never read");
    }
  }
}

std::vector<ParamDifference> diff(const Json& before, const Json& after) {
  std::vector<ParamDifference> found;
  collect(before, after, "", found);
  return found;
}

void setByPath(Json& root, const std::string& path, const std::string& text) {
  struct Part {
    std::string name;
    bool position = false;  ///< written in brackets: makes a list where there is nothing yet
  };
  std::vector<Part> parts(1);
  for (const char c : path) {
    if (c == '.' || c == '[') {
      parts.push_back({"", c == '['});
    } else if (c != ']') {
      parts.back().name += c;
    }
  }
  Json changed = root;  // a path that fails half-way leaves no half-made keys behind
  Json* node = &changed;
  for (const auto& [name, position] : parts) {
    if (name.empty()) {
      throw Error::badInput("'" + path + "' is not a path", "--set", "expected a.b[0]=value");
    }
    if (node->is_null() && position) *node = Json::array();
    if (node->is_array()) {
      const bool digits =
          std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
      if (!digits || name.size() > 6 || std::stoul(name) > node->size()) {
        throw Error::badInput(
            "'" + name + "' is not a position in a list of " + std::to_string(node->size()), path);
      }
      const auto index = std::stoul(name);
      if (index == node->size()) node->push_back(nullptr);
      node = &(*node)[index];
    } else if (node->is_object() || node->is_null()) {
      node = &(*node)[name];
    } else {
      throw Error::badInput("the path runs through a value that has no keys", path);
    }
  }
  Json parsed = Json::parse(text, nullptr, false);
  *node = parsed.is_discarded() ? Json(text) : std::move(parsed);
  root = std::move(changed);
}

}  // namespace bulwark
