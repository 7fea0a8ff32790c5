#include "core/attacks/nearest_boundary.h"

#include <limits>

#include "core/attacks/class_gradients.h"

namespace bulwark {

Boundary nearestBoundary(const Sight& sight, Distance distance, double tiny) {
  auto& gradients = *sight.gradients;
  const auto row = [](const torch::Tensor& images) {
    return images.flatten(1).to(torch::kFloat64);
  };
  const auto boundary = [&](const torch::Tensor& f, const torch::Tensor& w) {
    Boundary found{f, w, {}, {}};
    found.dual = distance == Distance::L2 ? w.square().sum(1).sqrt() : w.abs().sum(1);
    const auto length = found.dual + tiny;
    constexpr double never = std::numeric_limits<double>::infinity();
    found.distance = torch::where(length > 0, f.abs() / length, torch::full_like(f, never));
    return found;
  };
  const auto& f = sight.values;
  if (gradients.count() == 1) return boundary(f.select(1, 0), row(gradients.of(0)));

  const auto own = sight.labels.unsqueeze(1);
  const auto ownValue = f.gather(1, own).squeeze(1);
  const auto ownGradient = row(gradients.ofRows(sight.labels));
  Boundary best;
  for (std::int64_t k = 0; k < gradients.count(); ++k) {
    auto found = boundary(f.select(1, k) - ownValue, row(gradients.of(k)) - ownGradient);
    // The true class is no boundary of its own.
    found.distance.masked_fill_(sight.labels == k, std::numeric_limits<double>::infinity());
    if (k == 0) {
      best = found;
      continue;
    }
    const auto nearer = found.distance < best.distance;
    best.value = torch::where(nearer, found.value, best.value);
    best.normal = torch::where(nearer.unsqueeze(1), found.normal, best.normal);
    best.dual = torch::where(nearer, found.dual, best.dual);
    best.distance = torch::where(nearer, found.distance, best.distance);
  }
  return best;
}

}  // namespace bulwark
