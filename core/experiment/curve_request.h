#pragma once

#include <string>
#include <vector>

#include "core/experiment/specification.h"

namespace bulwark {

/// The list "curves" of a specification, after its attacks have been read. Throws `Error`
/// (BadInput) naming the entry, what was given and what is allowed.
std::vector<CurveRequest> readCurves(const Json& json, const Specification& specification,
                                     const Registries& registries);
Json toJson(const CurveRequest& curve);

/// The attack that a curve varies.
const ComponentRequest& attackOf(const CurveRequest& curve, const Specification& specification);

/// The attack's option that a curve varies: "eps", "steps", "restarts"; empty for propagations.
std::string variedOption(const CurveRequest& curve);

/// The options of that attack with the varied one at position `index` of the values.
Json optionsAt(const CurveRequest& curve, const ComponentRequest& attack, std::size_t index);

/// The values as numbers.
std::vector<double> numbersOf(const CurveRequest& curve);

}  // namespace bulwark
