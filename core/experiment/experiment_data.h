#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/data/image_set.h"
#include "core/experiment/specification.h"
#include "core/store/records.h"

namespace bulwark {

/// `DatasetInfo::format` of sets that are evolved against the run's classifier; see
/// core/experiment/evolved_sets.h.
inline constexpr char kEvolvedFormat[] = "evolved";

/// `DatasetInfo::format` of sets that an attack makes of the in test images, against the run's
/// classifier; see core/experiment/crafted_sets.h.
inline constexpr char kCraftedFormat[] = "crafted";

/// An out set with the name it has in the results.
struct NamedSet {
  std::string name;
  std::shared_ptr<ImageSet> set;
};

/// The image sets of an experiment, one role each, none sharing an image with another.
struct ExperimentData {
  std::shared_ptr<ImageSet> train;       ///< labelled 0..K-1
  std::shared_ptr<ImageSet> validation;  ///< part of the training split; null when the share is 0
  NamedSet open;                         ///< outliers for training; null where none are asked for
  NamedSet in;                           ///< test images of the in set
  std::vector<NamedSet> outs;
  ConversionRule conversion;
  std::int64_t classes = 0;
};

/// Loads, converts and splits the data of a specification.
///
/// Roles never overlap: a training image that is also a test image is left out of training, a
/// shared image is left out of the out set, both with a warning that counts them; an out set that
/// shares more than 1 % with the in set is refused. No image of the open set is an in image or
/// tested on; it is refused where more than 1 % of it or of an out set are in both. Optional sets
/// that are not installed are skipped with a log line. Sets that are made against the classifier
/// are not among the out sets yet. Throws `Error`.
ExperimentData loadExperimentData(const Specification& specification,
                                  const DatasetCatalogue& catalogue, Seed seed, Task& task);

/// An attack may ask for the labels that out images have in their own sets (`out_label`: own);
/// throws `Error` (BadInput) where a set has none, or none that are classes of the in set.
void requireOwnLabels(const Specification& specification, const ExperimentData& data);

/// Whether the set is made against the trained classifier: evolved or crafted.
bool isMadeLater(const DatasetRequest& request, const DatasetCatalogue& catalogue);

/// What the run keeps of them.
std::vector<DatasetRecord> describe(const ExperimentData& data, Task& task);

}  // namespace bulwark
