#include "core/report/load_report.h"

namespace bulwark {

RunReport loadReport(const RunStore& store, std::int64_t run, const ReportParts& parts) {
  RunReport report;
  report.run = store.run(run);
  if (parts.datasets) report.datasets = store.datasets(run);
  if (parts.epochs) report.epochs = store.epochMetrics(run);
  if (parts.results) report.results = store.results(run);
  if (parts.curves) report.curves = store.curves(run);
  if (parts.scores) report.scores = store.scoreSets(run);
  if (parts.pairs) report.pairs = store.imagePairs(run);
  return report;
}

}  // namespace bulwark
