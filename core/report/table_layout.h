#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/report/table.h"

namespace bulwark {

struct TableCell {
  double value = 0.0;
  std::optional<std::pair<double, double>> interval;
  std::optional<PublishedValue> published;
};

struct TableColumn {
  std::string out;  ///< empty in a tall table
  std::string attack;
  std::string setting;
};

struct TableRow {
  std::string run;  ///< title; empty when there is only one run
  std::string detector;
  std::string out;   ///< tall tables only
  bool red = false;  ///< a health check of this detector or an attack on it is red: a dagger
  std::vector<std::optional<TableCell>> cells;
};

/// The table of a paper before it is written: order of first appearance everywhere, settings in
/// the order clean, in, out, in_out.
struct PaperTable {
  bool severalRuns = false;
  bool outInRows = false;
  bool severalAttacks = false;
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
  std::string metricTitle;
  std::string caption;
  /// The health line of each run, and what the dagger stands for.
  std::vector<std::string> footnotes;

  /// Titles of the columns that name a row: "Run", "Detector", "Out set".
  std::vector<std::string> keyTitles() const;
  std::vector<std::string> keys(const TableRow& row) const;
  /// "PGD-20: In & Out"; the attack only where there are several.
  std::string columnTitle(const TableColumn& column) const;
};

/// `tallByDefault`: what `TableLayout::Auto` means beyond the number of columns.
PaperTable layOut(const std::vector<RunReport>& runs, const TableOptions& options,
                  bool tallByDefault = false);

/// "0.834 [0.812, 0.855] (published 0.830, Lee 2018)", or "-" for a missing cell.
std::string cellText(const std::optional<TableCell>& cell, const TableOptions& options);

/// Runs of equal neighbours in a list, for header cells that span columns.
struct Span {
  std::string text;
  int count = 0;
};
std::vector<Span> spans(const std::vector<std::string>& texts);

/// Whether a health check of the run, of `detector`, of an attack on it or of one of `attacks` is
/// red: its figures are marked with a dagger; they are never the best.
bool hasRedCheck(const RunReport& report, const std::string& detector,
                 const std::vector<std::string>& attacks);

}  // namespace bulwark
