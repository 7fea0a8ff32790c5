#pragma once

#include <QWidget>

#include "core/base/json.h"

class QGridLayout;

namespace bulwark {

class ExperimentDraft;

/// The in set and the out sets of the draft, with their limits; out sets can be removed.
class ExperimentSets : public QWidget {
  Q_OBJECT

 public:
  explicit ExperimentSets(ExperimentDraft* draft, QWidget* parent = nullptr);

  /// "fashion-mnist", a folder's label, or the path: how an entry is shown.
  static QString displayName(const Json& entry);

 private:
  void rebuild();
  void addRow(int row, const QString& role, const std::string& pointer, bool in, int index);

  ExperimentDraft* draft_;
  QGridLayout* grid_;
  Json shown_;
};

}  // namespace bulwark
