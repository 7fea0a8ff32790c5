#pragma once

#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/base/task.h"
#include "core/experiment/class_table.h"
#include "core/experiment/specification.h"
#include "core/store/records.h"

namespace bulwark {

/// Score sets of a run, found by what was scored.
class ScoreTable {
 public:
  void add(ScoreSet set);
  /// Throws `std::logic_error` when it was never computed.
  const ScoreSet& at(const std::string& detector, const std::string& attack,
                     const std::string& dataset, bool out) const;
  const std::vector<ScoreSet>& sets() const { return sets_; }

 private:
  std::vector<ScoreSet> sets_;
};

struct Tabulated {
  std::vector<ResultRow> rows;
  std::vector<CurveRecord> curves;
};

/// Results and curves of every (detector, attack, setting, out set) of the specification.
///
/// `in_out` is built from the same two attacked sets as `in` and `out`, and all settings of one
/// (detector, out set) share their bootstrap resamples, so that intervals compare the same images.
/// Rows of detectors that `classes` knows hold the figures per predicted class as well.
Tabulated tabulate(const Specification& specification, const std::string& in,
                   const std::vector<std::string>& outs, const ScoreTable& scores,
                   const ClassTable& classes, Seed seed, Task& task);

}  // namespace bulwark
