#pragma once

#include "core/base/json.h"
#include "ui/widgets/elided_label.h"

namespace bulwark {

class ResultTableModel;

/// One line on the soundness of a run's figures, what is worst first; its tooltip has all of it,
/// and each problem with its number and its limit.
class HealthLabel : public ElidedLabel {
  Q_OBJECT

 public:
  explicit HealthLabel(QWidget* parent = nullptr);

  /// `summary`: the run's, with "health" and "health_checks" where the run made checks. `table`
  /// holds the figures; an inequality that they break stands before everything else. The
  /// specification says which attacks the inequalities do not hold for.
  void showChecks(const Json& summary, const Json& specification, const ResultTableModel& table);

 Q_SIGNALS:
  void clicked();

 protected:
  void mouseReleaseEvent(QMouseEvent* event) override;

 private:
  void say(const QString& text, const char* role);
};

}  // namespace bulwark
