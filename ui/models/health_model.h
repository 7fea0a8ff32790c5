#pragma once

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>
#include <QStyledItemDelegate>
#include <array>
#include <optional>
#include <vector>

#include "core/base/json.h"

namespace bulwark {

/// From harmless to bad, so that the larger of two is the worse.
enum class HealthVerdict { NotApplicable, Green, Amber, Red };

/// One check as a run's summary tells it.
struct HealthEntry {
  QString id;       ///< "H15"
  QString subject;  ///< detector or attack; empty: the whole run
  int light = 0;    ///< 0 consistent, 1 attackable, 2 converged
  QString title, rule, source, detail;
  HealthVerdict verdict = HealthVerdict::NotApplicable;
  std::optional<double> value, threshold, redAbove;

  bool isProblem() const { return verdict >= HealthVerdict::Amber; }
  /// "H15 knn: gradients exist: 0.12, limit 0 (…)", for people.
  QString sentence() const;
};

/// The checks of a summary. Reads those of earlier versions as well, whose ids carry the subject
/// and which name no group.
std::vector<HealthEntry> readHealth(const Json& summary);

/// One of the three lights: the worst verdict among its checks.
struct HealthLight {
  HealthVerdict verdict = HealthVerdict::NotApplicable;
  int green = 0, amber = 0, red = 0, notApplicable = 0;
  /// One for each check that is amber or red, red first, with all subjects and the worst number.
  QStringList sentences;
};
std::array<HealthLight, 3> lightsOf(const std::vector<HealthEntry>& entries);

/// A sign that differs in shape as well as in colour.
QString signOf(HealthVerdict verdict);
QString wordOf(HealthVerdict verdict);
QColor colourOf(HealthVerdict verdict, bool dark);

/// All checks of a run, one a line.
class HealthModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Verdict, Id, Check, Value, Threshold, Source, ColumnCount };
  enum Role { RuleRole = Qt::UserRole, VerdictRole, SortRole };

  using QAbstractTableModel::QAbstractTableModel;

  void setEntries(std::vector<HealthEntry> entries);
  const std::vector<HealthEntry>& entries() const { return entries_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation,
                      int role = Qt::DisplayRole) const override;

 private:
  std::vector<HealthEntry> entries_;
};

/// Lets only ambers and reds pass, when asked to.
class HealthFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit HealthFilter(QObject* parent = nullptr);
  void setOnlyProblems(bool only);
  bool onlyProblems() const { return only_; }

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

 private:
  bool only_ = false;
};

/// Draws the rule small under the name of its check.
class RuleDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option,
             const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;
};

}  // namespace bulwark
