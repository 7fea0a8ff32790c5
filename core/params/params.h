#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/params/option.h"

namespace bulwark {

/// Checked values for the options of one component.
///
/// Construction validates `given` (a JSON object) against the schema: an unknown key is refused
/// with the nearest known one, a wrong type or range with what was given and what is allowed.
/// Missing keys take their defaults. Every message starts with `path`, e.g. "attacks[0].eps".
class Params {
 public:
  Params() = default;
  /// `ignored`: keys of `given` that belong to the enclosing document ("type", "label").
  Params(const OptionSchema& schema, const Json& given, std::string path = {},
         const std::vector<std::string>& ignored = {"type"});

  bool getBool(const std::string& key) const;
  long long getInt(const std::string& key) const;
  double getNumber(const std::string& key) const;  ///< of an Int or Float option; "8/255" resolved
  std::string getText(const std::string& key) const;
  std::vector<std::string> getTextList(const std::string& key) const;
  std::vector<long long> getIntList(const std::string& key) const;

  bool has(const std::string& key) const;
  /// "attacks[0].eps" for "eps": where a message about this option should point.
  std::string pathOf(const std::string& key) const;

  /// Every option with its value, in the order of the schema.
  const Json& values() const { return values_; }
  /// Only what differs from the defaults.
  Json changed() const;
  /// Throws `std::logic_error` when a component declared an option that it never read: such an
  /// option would be accepted from the user and silently do nothing.
  void requireAllRead() const;

  /// The value in its checked form; throws `Error` (BadInput) as the constructor does.
  static Json check(const Option& option, const Json& value, const std::string& path);

 private:
  const Json& value(const std::string& key, OptionType type) const;

  OptionSchema schema_;
  Json values_ = Json::object();
  std::string path_;
  mutable std::set<std::string> read_;
};

/// One difference between two configurations.
struct ParamDifference {
  std::string path;    ///< "classifier.recipe.epochs"
  std::string before;  ///< compact JSON; empty when absent
  std::string after;
};

/// All leaves in which two JSON documents differ, in document order; arrays by position.
std::vector<ParamDifference> diff(const Json& before, const Json& after);

/// Sets `root["a"]["b"][0]` for "a.b[0]" (or "a.b.0"); `text` is parsed as JSON where it is JSON,
/// else taken as a string. Missing objects and, for "[0]", lists are made; a position may be one
/// past the end. Throws `Error` (BadInput) when the path runs through a scalar; `root` stays then.
void setByPath(Json& root, const std::string& path, const std::string& text);

}  // namespace bulwark
