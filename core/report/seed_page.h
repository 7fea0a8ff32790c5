#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/report/over_seeds.h"

/// What the sections of a results page over seeds share.
namespace bulwark::seed_page {

struct Grouped {
  std::string key;  ///< "A": what the page's tables call it
  SeedGroup group;
  std::vector<SeedRow> rows;
};

/// "97.31 ± 0.12"; the deviation only where there is one.
std::string spreadText(const Spread& spread, double scale, int decimals);
std::string percent(const Spread& spread);
std::string percent(const std::optional<double>& published);  ///< "-" for none

/// A line of a Markdown table.
std::string line(const std::vector<std::string>& cells);
/// The head of one, whose first `words` columns hold words.
std::string heading(const std::vector<std::string>& cells, std::size_t words);

bool startsWith(const std::string& text, const char* with);
const SeedRow* find(const Grouped& of, const Quantity& quantity);
/// The out sets that a metric is there for.
std::vector<std::string> outsOf(const std::vector<Grouped>& groups, const std::string& metric);
/// "support vectors logits" of "fit:support_vectors.logits".
std::string factName(const Quantity& quantity);

/// Whether a group is shown by `detectionSection`: it has figures per predicted class of clean
/// sets.
bool hasDetectionTable(const Grouped& one);
/// Whether that section has all of a group's AUROCs: nothing is attacked.
bool isDetectionAlone(const Grouped& one);
/// TNR at 95 % TPR and AUROC of clean sets: with one threshold, with one per predicted class, and
/// of scores normalised over the sets under test (Zhao et al., tables 2 to 7), published beside.
std::string detectionSection(const std::vector<Grouped>& groups);

/// What the searches for a layer found (core/detectors/layer_search.h), a column per layer.
std::string layersSection(const std::vector<Grouped>& groups);
/// Whether `factsSection` tells a quantity that a detector measured: not what has a section of its
/// own, nor counts by class.
bool isPlainFact(const Quantity& quantity);

}  // namespace bulwark::seed_page
