#pragma once

#include <QWidget>

class QBoxLayout;
class QDoubleSpinBox;
class QGridLayout;
class QHBoxLayout;
class QLabel;
class QToolButton;

namespace bulwark {

class ThresholdModel;

/// The threshold by typing or by rule, and what it does: the four counts, clean and attacked; side
/// by side, or one below the other where there is no room for that.
class ThresholdBar : public QWidget {
  Q_OBJECT

 public:
  /// The columns of counts; the positive class is out.
  enum Cell { OutFlagged, OutMissed, InFlagged, InKept, CellCount };
  Q_ENUM(Cell)

  explicit ThresholdBar(ThresholdModel* model, QWidget* parent = nullptr);

  /// The count as shown.
  QString countText(Cell cell, bool attacked) const;
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  /// A count was clicked: its samples are to be selected.
  void cellPicked(bulwark::ThresholdBar::Cell cell, bool attacked, Qt::KeyboardModifiers modifiers);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void refreshScores();
  void refreshCounts();

  ThresholdModel* model_;
  QDoubleSpinBox* value_;
  QToolButton* counts_[2][CellCount];
  QLabel* tpr_[2];
  QLabel* fpr_[2];
  QLabel* rowNames_[2];
  QBoxLayout* all_;
  QBoxLayout* left_;
  QHBoxLayout* typed_;
  QHBoxLayout* rules_;
  QGridLayout* right_;
};

}  // namespace bulwark
