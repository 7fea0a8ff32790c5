#pragma once

#include <limits>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace bulwark {

enum class OptionType {
  Bool,
  Int,
  Float,  ///< number, or a fraction written as "8/255"
  Text,
  Choice,    ///< one of `choices`
  TextList,  ///< JSON array of strings
  IntList,   ///< JSON array of integers
};

/// How deep in a form the option shows: Simple fits a first run, Expert is everything.
enum class Visibility { Simple, Normal, Expert };

/// One option of a component, declared once: validation, forms, tooltips, `describe` and the
/// reference page are all made from this.
struct Option {
  std::string key;
  OptionType type = OptionType::Text;
  Json defaultValue;
  std::string help;    ///< one line
  std::string source;  ///< where the default comes from, e.g. "Madry et al. 2018, section 5"
  std::string unit;    ///< "images", "fraction of the [0,1] range"; empty if none
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool minimumExclusive = false;
  std::vector<std::string> choices;
  Visibility visibility = Visibility::Normal;

  // Chained setters, so that a declaration reads as one sentence.
  Option& range(double least, double most);
  Option& above(double least, double most = std::numeric_limits<double>::infinity());
  Option& from(std::string literature);
  Option& in(std::string unitName);
  Option& simple();
  Option& expert();

  /// "0 < eps <= 1", "one of linf, l2", "true or false", ...
  std::string allowed() const;
  Json toJson() const;
};

/// The options of one component, in the order in which they are shown.
class OptionSchema {
 public:
  Option& boolean(std::string key, bool value, std::string help);
  Option& integer(std::string key, long long value, std::string help);
  Option& number(std::string key, Json value, std::string help);  ///< 0.1 or "8/255"
  Option& text(std::string key, std::string value, std::string help);
  Option& choice(std::string key, std::string value, std::vector<std::string> choices,
                 std::string help);
  Option& textList(std::string key, std::vector<std::string> value, std::string help);
  Option& integerList(std::string key, std::vector<long long> value, std::string help);
  /// Appends another schema's options, e.g. those all recipes share.
  OptionSchema& include(const OptionSchema& other);

  const std::vector<Option>& options() const { return options_; }
  const Option* find(const std::string& key) const;
  std::vector<std::string> keys() const;
  Json toJson() const;

 private:
  Option& add(OptionType type, std::string key, Json value, std::string help);

  std::vector<Option> options_;
};

std::string toString(OptionType type);
std::string toString(Visibility visibility);

}  // namespace bulwark
