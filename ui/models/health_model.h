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
  /// "H15 knn", or "H15" for the whole run.
  QString name() const { return subject.isEmpty() ? id : id + u' ' + subject; }
  bool operator==(const HealthEntry&) const = default;
  /// "H15 knn: gradients exist: 0.12, limit 0 (…)", for people.
  QString sentence() const;
};

/// The checks of a summary. Reads those of earlier versions as well, whose ids carry the subject
/// and which name no group.
std::vector<HealthEntry> readHealth(const Json& summary);
/// "Health: 1 red (H27 knn), 2 amber (H14 knn, H22 pgd on msp), 4 green": what is worst first.
QString healthLine(const std::vector<HealthEntry>& entries);

/// One of the three lights: the worst verdict among its checks.
struct HealthLight {
  HealthVerdict verdict = HealthVerdict::NotApplicable;
  int green = 0, amber = 0, red = 0, notApplicable = 0;
  /// One for each check that is amber or red, red first, with all subjects and the worst number.
  QStringList sentences;
  QStringList names;  ///< for each sentence, the name of the worst check it speaks of
};
std::array<HealthLight, 3> lightsOf(const std::vector<HealthEntry>& entries);

/// The red checks that concern the whole run, this detector, or one of these attacks on it, as
/// exported tables mark them; empty: the detector's figures may be quoted.
QStringList redChecks(const std::vector<HealthEntry>& entries, const QString& detector,
                      const QStringList& attacks);
/// What stands behind the name of a detector with a red check.
inline constexpr char16_t kRedMark = u'\u2020';

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

/// Lets only ambers and reds pass, when asked to. Sorted by verdict, the worst come first, each
/// verdict in the order of the checks' numbers.
class HealthFilter : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  explicit HealthFilter(QObject* parent = nullptr);
  void setOnlyProblems(bool only);
  bool onlyProblems() const { return only_; }

 protected:
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;
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
