#pragma once

#include <QWidget>
#include <vector>

#include "core/experiment/runner.h"
#include "core/store/records.h"
#include "ui/bridge/app_context.h"
#include "ui/bridge/background.h"

class QComboBox;
class QLineEdit;
class QSpinBox;

namespace bulwark {

class ComponentForm;
class DetailSwitch;
class ElidedLabel;
class LinePlot;
class StartBar;

/// Sets up the classifier and the run, starts it, and shows its curves while it trains.
class TrainPage : public QWidget {
  Q_OBJECT

 public:
  explicit TrainPage(const AppContext& context, QWidget* parent = nullptr);

 private:
  QWidget* makeForms();
  QWidget* makeCurves();
  void showDraft();
  void showDevices(const std::vector<DeviceInfo>& devices);
  void showProblem();
  void refreshCurves();
  void showCurves(const RunRecord& run, const std::vector<EpochMetric>& metrics);

  AppContext context_;
  QComboBox* preset_;
  DetailSwitch* detail_;
  ComponentForm* network_;
  ComponentForm* recipe_;
  QLineEdit* name_;
  QSpinBox* seed_;
  QComboBox* device_;
  QSpinBox* threads_;
  ElidedLabel* runTitle_;
  LinePlot* loss_;
  LinePlot* accuracy_;
  BackgroundTask devicesTask_;
  bool asking_ = false;
  bool again_ = false;
};

}  // namespace bulwark
