#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/report/run_report.h"

namespace bulwark::report {

/// A line of a two-column list: what, and its value, both plain text.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Every leaf of a JSON object: "classifier accuracy clean" -> "0.912"; shares whose name says
/// accuracy or share also in per cent; lists of plain values joined by commas.
Facts flatten(const Json& object);
/// What was run, in the words of the specification: data, classifier, detectors, attacks, seed.
Facts specificationFacts(const RunReport& report);
/// Seconds per phase as durations.
Facts timingFacts(const Json& timings);
/// Health lines that the run itself recorded in `summary.health`.
std::vector<std::string> healthLines(const RunRecord& run);
/// What the checks are called that these lines name by number, of all runs together and each once:
/// "H4: more steps and restarts are no weaker; H24: ...". Empty where every light is green.
std::string healthNames(const std::vector<RunReport>& runs);
/// The summary without what `healthLines` shows.
Facts summaryFacts(const RunRecord& run);

/// "pgd (eps 8/255, steps 20)": a component of a specification with its options.
std::string componentText(const Json& component);

}  // namespace bulwark::report
