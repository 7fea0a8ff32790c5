#pragma once

#include <QWidget>

#include "core/base/json.h"

class QGridLayout;

namespace bulwark {

class ExperimentDraft;

/// The in set, the out sets and the open set of the draft, with their limits; all but the in set
/// can be removed.
class ExperimentSets : public QWidget {
  Q_OBJECT

 public:
  explicit ExperimentSets(ExperimentDraft* draft, QWidget* parent = nullptr);

  /// "fashion-mnist", a folder's label, or the path: how an entry is shown.
  static QString displayName(const Json& entry);

 private:
  enum class Role { In, Out, Open };
  void rebuild();
  void addRow(int row, Role role, const std::string& pointer, int index = 0);

  ExperimentDraft* draft_;
  QGridLayout* grid_;
  Json shown_;
};

}  // namespace bulwark
