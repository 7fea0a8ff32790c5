#include "core/projection/pca.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/projection/neighbours.h"

namespace bulwark {

PrincipalComponents principalComponents(const torch::Tensor& points, std::int64_t components,
                                        Task& task) {
  const torch::NoGradGuard noGrad;
  requirePoints(points);
  const std::int64_t count = points.size(0), features = points.size(1);
  components = std::min({components, count, features});
  if (components < 1) throw Error::badInput("there is nothing to project", "projection");
  const auto given = points.detach().to(torch::kCPU, torch::kFloat64);
  PrincipalComponents found;
  found.mean = given.mean(0);
  const auto x = given - found.mean;
  const bool byFeatures = features <= count;
  const auto products = (byFeatures ? x.t().mm(x) : x.mm(x.t())) / static_cast<double>(count);
  task.checkpoint();
  const auto [values, vectors] = torch::linalg_eigh(products, "L");  // ascending
  task.checkpoint();
  found.variances = values.flip(0).slice(0, 0, components).clamp_min(0.0).contiguous();
  auto directions = vectors.flip(1).slice(1, 0, components);
  if (!byFeatures) {
    // x^T u has the length sqrt(N variance); where there is no variance, any direction does.
    directions = x.t().mm(directions);
    directions = directions / directions.norm(2, 0, true).clamp_min(1e-300);
  }
  const auto largest = std::get<1>(directions.abs().max(0, true));
  const auto signs = torch::where(directions.gather(0, largest) < 0, -1.0, 1.0);
  found.components = (directions * signs).t().contiguous();
  found.coordinates = x.mm(found.components.t());
  return found;
}

}  // namespace bulwark
