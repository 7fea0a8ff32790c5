#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace bulwark {

/// Where a detector that judges an image as one of its predicted class sees the clean images of a
/// run: their features, laid out in the plane class by class (Zhao et al., figures 2 to 6).
/// Recorded for looking at (experiment/record_class_map.h). On disk a safetensors file.
struct ClassMap {
  static constexpr const char* kind = "class_map";  ///< of the artefact
  static constexpr std::int64_t pooled = -1;        ///< `Layout::predicted` of all classes together

  struct Set {
    std::string role;  ///< "in" or "out"; the in set is the first
    std::string name;
    bool operator==(const Set&) const = default;
  };
  /// What one machine of every class looks at.
  struct Part {
    std::string name;  ///< "layer", "logits"
    std::string tap;   ///< of the network: "conv1", "logits"
    bool operator==(const Part&) const = default;
  };
  struct Sample {
    std::size_t set = 0;         ///< in `sets`
    std::int64_t index = 0;      ///< within the set
    std::int64_t predicted = 0;  ///< class
    std::int64_t label = -1;  ///< true class; -1: none of the classifier's (sets of other things)
    double score = 0.0;       ///< anomaly score, higher = more anomalous; that of the results
    bool operator==(const Sample&) const = default;
  };
  /// Positions of the images that are predicted as one class, by the features of one part. In and
  /// out images of all sets share it, at most 600 of them, half of them in images.
  struct Layout {
    std::size_t part = 0;              ///< in `parts`
    std::int64_t predicted = pooled;   ///< class, or `pooled`
    std::vector<std::size_t> samples;  ///< [n], in `samples`, ascending
    std::vector<float> x, y;           ///< [n]; only distances mean something
    double trustworthiness = 0.0;      ///< in [0, 1] (Venna and Kaski); NaN: too few points
    bool operator==(const Layout& other) const;  ///< NaN equals NaN
  };

  std::string detector;  ///< label in the results
  std::vector<std::string> classNames;
  std::int64_t neighbours = 0;  ///< options of the layouts
  double minDist = 0.0;
  std::vector<Set> sets;
  std::vector<Part> parts;                  ///< [P]
  std::vector<Sample> samples;              ///< [N], ordered by set, then index
  std::vector<double> normality;            ///< [N, P], higher = more normal; 0 to 1 in training
  std::vector<Layout> layouts;              ///< part by part: pooled, then the classes, ascending;
                                            ///< a class that no sample is predicted as has none
  int channels = 0, height = 0, width = 0;  ///< 0: the images are too large to be kept
  std::vector<std::uint8_t> pixels;         ///< [N, C, H, W] or empty

  bool operator==(const ClassMap&) const = default;

  /// Null where there is none.
  const Layout* layout(std::size_t part, std::int64_t predicted) const;
  /// Classes that at least one sample is predicted as, ascending.
  std::vector<std::int64_t> classesSeen() const;
  bool hasPictures() const { return !pixels.empty(); }
  /// [C, H, W]; empty without pictures.
  std::span<const std::uint8_t> picture(std::size_t sample) const;

  /// Atomic. Throws `Error` (Failed).
  void save(const std::filesystem::path& path) const;
  /// Throws `Error` (BadInput) naming the file and what is wrong with it.
  static ClassMap load(const std::filesystem::path& path);
};

}  // namespace bulwark
