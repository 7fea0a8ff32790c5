#pragma once

#include <vector>

namespace bulwark {

/// AUROC has no threshold, so an attack that needs a decision tries three: the 5, 50 and 95 %
/// quantiles of all clean scores (the in set's and every out set's), times the adversary's
/// `direction`.
std::vector<double> rankThresholds(const std::vector<std::vector<double>>& clean, double direction);

}  // namespace bulwark
