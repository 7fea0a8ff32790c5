#pragma once

#include <QWidget>

class QDoubleSpinBox;
class QLabel;
class QToolButton;

namespace bulwark {

class ThresholdModel;

/// The threshold by typing or by rule, and what it does: the four counts, clean and attacked.
class ThresholdBar : public QWidget {
  Q_OBJECT

 public:
  /// The columns of counts; the positive class is out.
  enum Cell { OutFlagged, OutMissed, InFlagged, InKept, CellCount };
  Q_ENUM(Cell)

  explicit ThresholdBar(ThresholdModel* model, QWidget* parent = nullptr);

  /// The count as shown.
  QString countText(Cell cell, bool attacked) const;

 Q_SIGNALS:
  /// A count was clicked: its samples are to be selected.
  void cellPicked(bulwark::ThresholdBar::Cell cell, bool attacked, Qt::KeyboardModifiers modifiers);

 private:
  void refreshScores();
  void refreshCounts();

  ThresholdModel* model_;
  QDoubleSpinBox* value_;
  QToolButton* counts_[2][CellCount];
  QLabel* tpr_[2];
  QLabel* fpr_[2];
  QLabel* rowNames_[2];
};

}  // namespace bulwark
