#pragma once

#include <cstdint>
#include <functional>
#include <vector>

/// Test sets of the metrics' worked examples, written there as normality scores (high = in).
namespace vectors {

using Scores = std::vector<double>;

inline Scores negated(Scores scores) {
  for (double& s : scores) s = -s;
  return scores;
}

inline Scores normalInA() {
  return {0.95, 0.90, 0.85, 0.80, 0.75, 0.70, 0.60, 0.50, 0.40, 0.20};
}
inline Scores normalOutA() {
  return {0.80, 0.60, 0.45, 0.40, 0.35, 0.30, 0.25, 0.20, 0.10, 0.05};
}
inline Scores normalInB() {
  return {0.99, 0.98, 0.97, 0.96, 0.94, 0.93, 0.91, 0.90, 0.88, 0.86,
          0.84, 0.81, 0.79, 0.76, 0.72, 0.68, 0.61, 0.55, 0.42, 0.15};
}
inline Scores normalOutB() {
  return {0.89, 0.77, 0.66, 0.58, 0.52, 0.47, 0.42, 0.38, 0.31, 0.26, 0.19, 0.12};
}

// The same as anomaly scores, which is all that the code knows.
inline Scores inA() {
  return negated(normalInA());
}
inline Scores outA() {
  return negated(normalOutA());
}
inline Scores inB() {
  return negated(normalInB());
}
inline Scores outB() {
  return negated(normalOutB());
}

/// The linear congruential generator of the bootstrap's deterministic example, seed 2026.
inline std::function<std::uint64_t(std::uint64_t)> examplesGenerator() {
  return [x = std::uint64_t{2026}](std::uint64_t n) mutable {
    x = (1103515245ULL * x + 12345ULL) % (1ULL << 31);
    return (x >> 8) % n;
  };
}

}  // namespace vectors
