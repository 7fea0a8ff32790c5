#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/random.h"
#include "core/base/task.h"
#include "core/projection/neighbours.h"

namespace bulwark {

struct UmapOptions {
  std::int64_t neighbours = 15;  ///< k, at least 2; one less than the points where those are fewer
  double minDist = 0.1;          ///< how close points may lie in the plane
  double spread = 1.0;           ///< scale of the plane
  std::int64_t epochs = 0;       ///< 0: 500, beyond 10,000 points 200
  std::int64_t negatives = 5;    ///< repulsive samples per attractive one
  double learningRate = 1.0;     ///< falls linearly to 0
};

/// Membership strength in the plane, (1 + a d^(2b))^-1.
struct UmapCurve {
  double a = 1.0, b = 1.0;
};
/// Least squares, at 300 distances up to 3 spread, against 1 where d <= minDist and
/// exp(-(d - minDist) / spread) beyond (McInnes et al., definition 11). Throws `Error` (BadInput)
/// unless 0 <= minDist < 3 spread.
UmapCurve umapCurve(double minDist, double spread);

/// Where a point's neighbourhood begins and how quickly it fades.
struct UmapScale {
  double rho = 0.0;    ///< distance of the nearest other point that is not at the same place
  double sigma = 1.0;  ///< so that sum_j exp(-max(0, d_j - rho) / sigma) = log2(k)
};
/// Of the distances [k] to a point's neighbours (McInnes et al., algorithm 3). `sigma` is at least
/// a thousandth of their mean: more than log2(k) neighbours at one distance have no such sigma.
UmapScale umapScale(std::span<const double> distances);

/// The fuzzy graph: an edge from every point to every point that either counts as a neighbour.
struct UmapGraph {
  std::vector<std::int64_t> from, to;  ///< by `from`, then `to`; every edge in both directions
  std::vector<double> weight;          ///< in (0, 1]
};
/// The union of all points' neighbourhoods, B = A + A^T - A o A^T (McInnes et al., section 3.1).
UmapGraph umapGraph(const Neighbours& neighbours);

/// Points in the plane, float32 [N, 2], by UMAP (McInnes, Healy and Melville 2018): for features
/// `points` [N, F], up to some 10,000. It starts from the two principal components. A seed gives
/// the same layout with any number of threads. Throws `Error` (BadInput, Cancelled).
torch::Tensor umap(const torch::Tensor& points, const UmapOptions& options, Seed seed, Task& task);

struct UmapProblem {
  torch::Tensor points;  ///< [N, F]; no points: no positions
  Seed seed{0};
};
/// Several layouts, as many at once as LibTorch has threads; each is that of `umap` alone. Reports
/// epochs to `task`, in the phase under way.
std::vector<torch::Tensor> umap(const std::vector<UmapProblem>& problems,
                                const UmapOptions& options, Task& task);
/// What those will report in all.
std::int64_t umapEpochs(const std::vector<UmapProblem>& problems, const UmapOptions& options);

}  // namespace bulwark
