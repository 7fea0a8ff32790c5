#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/report/over_seeds.h"

namespace bulwark {

/// What a results page over seeds says beside its figures: words, and statements that the figures
/// bear out or not. Written by people, so it holds no measured figure.
struct PageText {
  std::string title;
  std::vector<std::string> notes;  ///< paragraphs below the title
  Json claims = Json::array();     ///< see `checkClaims`

  /// {"title": "...", "notes": ["..."], "claims": [...]}; unknown keys are errors. Throws `Error`
  /// (BadInput) that names the place.
  static PageText fromJson(const Json& json);
};

/// A statement about the runs, tested seed by seed.
struct ClaimCheck {
  std::string claim, source;
  bool share = true;   ///< whether the values are shares, shown as per cent
  bool least = false;  ///< the bound is a lower one
  Spread value;        ///< one per seed that has all that is asked for
  Spread bound;        ///< the same seeds
  std::size_t held = 0;
  /// Of a claim without a value: what nothing matched (`missingPart`), and where that is asked for.
  std::string missing, place;
};

/// Tests statements of the form
///   {"claim": "...", "source": "...", "of": QUANTITY, "less": QUANTITY?,
///    "at_most" | "at_least": NUMBER | {"of": QUANTITY, "less": QUANTITY?}}
/// where QUANTITY is {"experiment", "metric", "detector", "attack", "setting", "out"} with the
/// words of `Quantity`; what is left out is empty, and the experiment that of the claim's first
/// quantity. A claim without a seed that has all its quantities is returned with no values: which
/// runs are compared is up to the caller, so this is no error.
/// Throws `Error` (BadInput) for claims that are not of this form, and where two groups share the
/// name that a claim asks for.
std::vector<ClaimCheck> checkClaims(const Json& claims, const std::vector<SeedGroup>& groups);

/// "holds", "does not hold", "holds for 3 of 5 seeds", "not measured: no detector 'svd'; did you
/// mean 'svdd'?".
std::string verdict(const ClaimCheck& check);

/// One line per reason for which claims are not measured: "page.claims[3].of and 4 more: ...".
std::vector<std::string> unmeasured(const std::vector<ClaimCheck>& checks);

}  // namespace bulwark
