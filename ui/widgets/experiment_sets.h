#pragma once

#include <QWidget>
#include <vector>

#include "core/base/json.h"

class QGridLayout;
class QLabel;

namespace bulwark {

class DraftChecker;
class ExperimentDraft;

/// The in set, the out sets and the open set of the draft, with their limits; all but the in set
/// can be removed. A set that the check of the draft refuses is marked, with the reason under it.
class ExperimentSets : public QWidget {
  Q_OBJECT

 public:
  explicit ExperimentSets(ExperimentDraft* draft, const DraftChecker* checker,
                          QWidget* parent = nullptr);

  /// "fashion-mnist", a folder's label, or the path: how an entry is shown.
  static QString displayName(const Json& entry);

 private:
  enum class Role { In, Out, Open };
  struct Row {
    QString where;  ///< as errors name it: "data.out[0]"
    QLabel* badge;
    QLabel* error;
  };
  void rebuild();
  void markProblem();
  void addRow(int row, Role role, const std::string& pointer, int index = 0);

  ExperimentDraft* draft_;
  const DraftChecker* checker_;
  std::vector<Row> rows_;
  QGridLayout* grid_;
  Json shown_;
};

}  // namespace bulwark
