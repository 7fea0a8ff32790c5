#include "core/training/schedule.h"

#include <cmath>
#include <numbers>
#include <stdexcept>

namespace bulwark {
namespace {

/// From `from` at 0 to `to` at 1 along half a cosine.
double halfCosine(double from, double to, double progress) {
  return to + (from - to) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

}  // namespace

double Schedule::rate(std::int64_t iteration, std::int64_t total) const {
  const double progress = static_cast<double>(iteration) / static_cast<double>(total);
  switch (kind) {
    case Kind::Constant:
      return peak;
    case Kind::Step:
      return peak * (progress >= 0.5 ? stepFactor : 1.0) * (progress >= 0.75 ? stepFactor : 1.0);
    case Kind::Cosine:
      return halfCosine(peak, 0.0, progress);
    case Kind::OneCycle: {
      constexpr double top = 0.3;
      if (progress < top) return halfCosine(peak / 25.0, peak, progress / top);
      return halfCosine(peak, peak / 250000.0, (progress - top) / (1.0 - top));
    }
  }
  throw std::logic_error("unknown schedule");
}

Schedule::Kind Schedule::kindNamed(const std::string& name) {
  if (name == "constant") return Kind::Constant;
  if (name == "step") return Kind::Step;
  if (name == "cosine") return Kind::Cosine;
  if (name == "one_cycle") return Kind::OneCycle;
  throw std::logic_error("unknown schedule " + name);
}

}  // namespace bulwark
