#pragma once

#include <torch/torch.h>

#include <functional>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/json.h"
#include "core/base/task.h"
#include "core/detectors/detector.h"
#include "core/metrics/class_normalisation.h"
#include "core/store/records.h"

namespace bulwark {

/// Predicted classes and parts of the scores of the images that detectors of the kind
/// `ScoresByClass` have scored.
class ClassTable {
 public:
  /// `images(begin, end)` reads [end - begin, C, H, W] of the `total` images scored. Null for a
  /// detector of another kind.
  static Json measure(Detector& detector, std::int64_t total,
                      const std::function<torch::Tensor(std::int64_t, std::int64_t)>& images,
                      const torch::Device& device, std::int64_t batchSize, Task& task);
  static bool concerns(const Detector& detector);

  /// What `measure` has returned, for the set with these scores.
  void add(const ScoreSet& set, const Json& measured);

  /// Writes the figures of thresholds per predicted class (metrics/per_class.h) into `extra`:
  /// tnr95_per_class and auroc_per_class of the scores, and the same with the ending
  /// _transductive where the detector asks for it. Of a score with two parts also how those figures
  /// change with the weight of the second (report/weight_curve.h). Nothing where a set was not
  /// measured, or no class has both in and out images.
  void writeMetrics(const ScoreSet& in, const ScoreSet& out, Json& extra, Task& task) const;

 private:
  struct Measured {
    ClassedParts images;          // before any normalisation; no parts where nothing needs them
    std::vector<double> weights;  // where they are to be normalised over the sets under test
    std::vector<std::vector<double>> normal;  // the parts as the score adds them
    std::vector<double> partWeights;          // empty: kept by a version that noted no parts
  };
  using Key = std::tuple<std::string, std::string, std::string, bool>;
  static Key keyOf(const ScoreSet& set) { return {set.detector, set.attack, set.dataset, set.out}; }

  static void writeCurve(const Measured& in, const Measured& out, Json& extra, Task& task);

  std::map<Key, Measured> sets_;
};

}  // namespace bulwark
