#pragma once

#include <cstdint>
#include <vector>

#include "core/base/task.h"

namespace bulwark {

/// One nu-one-class problem with the kernel K(u, v) = exp(-gamma ||u - v||^2) (Schoelkopf et al.
/// 2001; in libsvm's scaling):
///   min_a 1/2 a^T Q a,   0 <= a_i <= 1,   sum a_i = nu n,   Q_ij = K(x_i, x_j).
struct OneClassProblem {
  std::vector<double> points;  ///< [n, D], row-major
  std::int64_t dimension = 0;  ///< D
  double gamma = 1.0;
  double nu = 0.1;
  double tolerance = 1e-3;  ///< largest violation of the optimality conditions
};

struct OneClassSolution {
  std::vector<std::int64_t> rows;    ///< [S], ascending: the points with a_i > 0
  std::vector<double> coefficients;  ///< [S], their a_i
  double rho = 0.0;                  ///< a point is inside where sum_i a_i K(x_i, x) >= rho
};

/// Solves all problems with libsvm's SMO, as many at a time as LibTorch has threads (each solution
/// depends on its problem alone), and advances `task` by one per problem.
///
/// libsvm cannot be interrupted: when `task` is cancelled, which is noticed within 50 ms, this
/// throws at once and leaves the problem under way to threads of its own, which share nothing with
/// the caller and end with it. At most 1 GiB of kernel matrices is held. Throws `Error`.
std::vector<OneClassSolution> solveOneClass(std::vector<OneClassProblem> problems, Task& task);

}  // namespace bulwark
