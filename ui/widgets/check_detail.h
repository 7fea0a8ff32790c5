#pragma once

#include <QWidget>

#include "core/base/json.h"
#include "ui/models/health_model.h"

class QLabel;
class QLineEdit;
class QPushButton;

namespace bulwark {

/// One check of the list: its rule, its limits to edit, and what helps when it is amber or red.
class CheckDetail : public QWidget {
  Q_OBJECT

 public:
  explicit CheckDetail(QWidget* parent = nullptr);

  /// The run's specification and the limits that differ from the published ones in it.
  void setRun(const Json& specification, const Json& thresholds);
  /// What is being typed into the limits stays while the check is the same.
  void showCheck(const HealthEntry& entry);
  void clear();

 Q_SIGNALS:
  /// All limits of the run that differ from the published ones, one of them edited.
  void thresholdsEdited(const bulwark::Json& thresholds);
  /// An experiment that would help.
  void rerunWanted(const bulwark::Json& specification);

 private:
  void readLimits();
  void apply(bool published);

  QLabel* title_;
  QLabel* verdict_;
  QLabel* rule_;
  QWidget* limits_;
  QLabel* found_;
  QLineEdit* green_;
  QLineEdit* red_;
  QLabel* note_;
  QPushButton* apply_;
  QPushButton* reset_;
  QLabel* remedy_;
  QPushButton* rerun_;
  Json specification_, thresholds_ = Json::object(), wanted_;
  HealthEntry entry_;
  bool stale_ = true;  ///< what is shown belongs to an earlier state of the run
};

}  // namespace bulwark
