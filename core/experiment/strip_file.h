#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace bulwark {

/// Iterations of some images of a run, from several radii each, as its detector recorded them for
/// looking at (core/detectors/iteration_strips.h). On disk a safetensors file.
struct IterationStrips {
  static constexpr const char* kind = "strips";  ///< of the artefact

  struct Set {
    std::string role;  ///< "train", "in" or "out"
    std::string name;
    bool operator==(const Set&) const = default;
  };
  struct Sample {
    std::size_t set = 0;      ///< in `sets`
    std::int64_t index = 0;   ///< within the set
    std::int64_t label = -1;  ///< true class; -1: not one of the classifier's
    bool operator==(const Sample&) const = default;
  };

  std::string detector;                              ///< label in the results
  double leastSimilarity = 0.8;                      ///< T of the detector's own decision
  std::int64_t passes = 1;                           ///< after which it judges; 0: as each takes
  double reconstructionWeight = 0, classWeight = 0;  ///< of the cost along which x_0 was moved
  std::vector<Set> sets;
  std::vector<std::string> radii;  ///< [R], as written
  std::int64_t iterations = 0;     ///< K
  int channels = 0, height = 0, width = 0;
  std::vector<Sample> samples;           ///< [N]
  std::vector<std::uint8_t> pixels;      ///< [N, R, K + 1, C, H, W]
  std::vector<std::int64_t> classes;     ///< [N, R, K + 1]
  std::vector<double> toInput, toClean;  ///< [N, R, K + 1], correlations

  bool operator==(const IterationStrips&) const = default;

  /// Position of x_j of a sample and radius in `classes`, `toInput` and `toClean`.
  std::size_t at(std::size_t sample, std::size_t radius, std::int64_t j) const {
    return (sample * radii.size() + radius) * static_cast<std::size_t>(iterations + 1) +
           static_cast<std::size_t>(j);
  }
  /// x_j, [C, H, W].
  std::span<const std::uint8_t> picture(std::size_t sample, std::size_t radius,
                                        std::int64_t j) const {
    const auto size = static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
                      static_cast<std::size_t>(width);
    return std::span(pixels).subspan(at(sample, radius, j) * size, size);
  }

  /// Atomic. Throws `Error` (Failed).
  void save(const std::filesystem::path& path) const;
  /// Throws `Error` (BadInput) naming the file and what is wrong with it.
  static IterationStrips load(const std::filesystem::path& path);
};

}  // namespace bulwark
