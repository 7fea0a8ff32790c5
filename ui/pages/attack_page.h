#pragma once

#include <QWidget>
#include <vector>

#include "core/base/json.h"
#include "ui/bridge/app_context.h"

class QLabel;
class QLineEdit;
class QListWidget;
class QVBoxLayout;

namespace bulwark {

class ComponentForm;
class DetailSwitch;
class ParamForm;

/// Chooses detectors and attacks and how they are evaluated, says what it will cost, and runs.
class AttackPage : public QWidget {
  Q_OBJECT

 public:
  explicit AttackPage(const AppContext& context, QWidget* parent = nullptr);

 private:
  /// One line of the detectors' list: a specification entry, used or not.
  struct DetectorRow {
    Json value;  ///< {"type": ..., options}
    bool used = false;
  };

  QWidget* makeDetectors();
  QWidget* makeAttacks();
  QWidget* makeEvaluation();
  void showDraft();
  void showLayers();
  void showDetectors();
  void showDetector();
  void storeDetectors();
  void duplicateDetector();
  Json detectorValues() const;
  void showAttacks();
  void addAttack(const Json& value);
  void storeAttacks();
  Json attackValues() const;
  void showProblem();

  AppContext context_;
  DetailSwitch* detail_;
  QLineEdit* name_;
  QListWidget* detectors_;
  QLabel* detectorText_;
  ParamForm* detectorForm_;
  std::vector<DetectorRow> rows_;
  QVBoxLayout* attackCards_;
  std::vector<ComponentForm*> attacks_;
  std::vector<QWidget*> cards_;
  QLabel* noAttack_;
  ParamForm* evaluation_;
  // The parts of the draft as they are shown: anything else there came from elsewhere.
  Json seenDetectors_, seenAttacks_, seenEvaluation_, seenNetwork_;
};

}  // namespace bulwark
