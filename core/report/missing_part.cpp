#include "core/report/missing_part.h"

#include <algorithm>
#include <iterator>

#include "core/base/text.h"

namespace bulwark {
namespace {

constexpr std::size_t kShown = 8;  // names told where none is near

struct Part {
  const char* name;
  std::string Quantity::*value;
};
/// From what decides which others there are to what depends on them.
constexpr Part kParts[] = {{"metric", &Quantity::metric},
                           {"detector", &Quantity::detector},
                           {"out set", &Quantity::out},
                           {"attack", &Quantity::attack},
                           {"setting", &Quantity::setting}};

void addOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

std::string quoted(const std::string& name) {
  std::string text(1, '\'');
  text += name;
  text += '\'';
  return text;
}

/// The name that was meant, else those that there are.
std::string hint(const std::string& name, const std::vector<std::string>& known) {
  if (known.empty()) return {};
  if (!name.empty()) {
    const std::string meant = suggestion(name, known);
    if (!meant.empty()) return "; " + meant;
  }
  std::vector<std::string> shown;
  for (const auto& one : known) {
    if (shown.size() < kShown) shown.push_back(quoted(one));
  }
  std::string text = "; known: ";
  text += join(shown, ", ");
  if (known.size() > kShown) text += ", ...";
  return text;
}

/// What the parts before `until` are, where they say anything.
std::string among(const Quantity& asked, std::size_t until) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < until; ++i) {
    const std::string& value = asked.*kParts[i].value;
    if (!value.empty()) words.push_back(join({kParts[i].name, quoted(value)}, " "));
  }
  std::string text;
  if (!words.empty()) text += " with ";
  return text += join(words, ", ");
}

/// Of `rows`, which match the parts before `at`, none matches that one.
std::string told(const Quantity& asked, std::size_t at, const std::vector<SeedRow>& rows,
                 const std::vector<SeedRow>& all) {
  const auto& [part, member] = kParts[at];
  const std::string& value = asked.*member;
  std::vector<std::string> known;
  for (const SeedRow& row : rows) {
    const std::string& name = row.quantity.*member;
    if (!name.empty()) addOnce(known, name);
  }
  std::string text = "no ";
  text += part;
  if (value.empty()) {
    text = member == &Quantity::attack ? "nothing without an attack" : text + " is named";
    return text += hint(value, known);
  }
  text += ' ';
  text += quoted(value);
  // A name that others of the experiment have is not mistyped.
  const bool elsewhere = std::any_of(
      all.begin(), all.end(), [&](const SeedRow& row) { return row.quantity.*member == value; });
  if (elsewhere || known.empty()) text += among(asked, at);
  if (!known.empty()) return text += hint(value, known);
  text += "; leave the ";
  text += part;
  return text += " out";
}

}  // namespace

std::string missingPart(const std::string& experiment, const Quantity& quantity,
                        const std::vector<SeedGroup>& groups) {
  std::vector<std::string> names;
  for (const SeedGroup& group : groups) {
    addOnce(names, group.name);
    if (group.name != experiment) continue;
    Quantity asked = quantity;
    asked.detector = detectorLabel(group.runs.front()->run.specification, asked.detector);
    const auto all = overSeeds(group);
    if (all.empty()) return "nothing was recorded of experiment " + quoted(experiment);
    std::vector<SeedRow> left = all;
    for (std::size_t at = 0; at < std::size(kParts); ++at) {
      std::vector<SeedRow> matching;
      std::copy_if(left.begin(), left.end(), std::back_inserter(matching), [&](const SeedRow& row) {
        return row.quantity.*kParts[at].value == asked.*kParts[at].value;
      });
      if (matching.empty()) return told(asked, at, left, all);
      left = std::move(matching);
    }
    return {};
  }
  std::string text = "no experiment ";
  text += quoted(experiment);
  return text += hint(experiment, names);
}

}  // namespace bulwark
