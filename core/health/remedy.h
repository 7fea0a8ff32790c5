#pragma once

#include <string>

#include "core/base/json.h"

namespace bulwark {

/// What helps when a check is amber or red.
struct Remedy {
  std::string text;
  /// The experiment to run instead; null where no other attack helps.
  Json specification = nullptr;
  std::string change = {};  ///< what it changes: "pgd with 200 steps"
};

/// For the check `id` of `subject` ("knn", "pgd on knn" or ""), in a run made by `specification`
/// (as a run stores it, with all options). An unknown id gives an empty text.
Remedy remedyOf(const std::string& id, const std::string& subject, const Json& specification);

}  // namespace bulwark
