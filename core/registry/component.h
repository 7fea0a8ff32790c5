#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/params/option.h"

namespace bulwark {

/// What the program says about a component before any is built.
struct ComponentInfo {
  std::string name;       ///< the word used in specifications: "mahalanobis"
  std::string title;      ///< for people: "Mahalanobis distance"
  std::string summary;    ///< one line
  std::string reference;  ///< "Lee et al., NeurIPS 2018"
  OptionSchema options;
  /// What it needs or cannot do, in the field's words: "needs classifier", "not differentiable".
  std::vector<std::string> traits;

  Json toJson() const;
};

}  // namespace bulwark
