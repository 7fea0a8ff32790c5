#include "ui/widgets/threshold_bar.h"

#include <QApplication>
#include <QDoubleSpinBox>
#include <QFontDatabase>
#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QSignalBlocker>
#include <QToolButton>
#include <cmath>

#include "ui/models/threshold_model.h"
#include "ui/widgets/panel.h"

namespace bulwark {

namespace {

QString share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return QStringLiteral("–");
  return QLocale().toString(double(part) / double(whole), 'f', 3);
}

QString shortName(ThresholdBar::Cell cell) {
  static const char* names[] = {"TP", "FN", "FP", "TN"};
  return QLatin1String(names[cell]);
}

std::int64_t count(const ConfusionCounts& counts, ThresholdBar::Cell cell) {
  switch (cell) {
    case ThresholdBar::OutFlagged:
      return counts.outFlagged;
    case ThresholdBar::OutMissed:
      return counts.outKept;
    case ThresholdBar::InFlagged:
      return counts.inFlagged;
    default:
      return counts.inKept;
  }
}

constexpr int kGap = 24;  // pixels between the threshold and its counts

}  // namespace

ThresholdBar::ThresholdBar(ThresholdModel* model, QWidget* parent)
    : QWidget(parent), model_(model) {
  setObjectName(QStringLiteral("thresholdBar"));
  auto* name = new QLabel(tr("&Threshold"), this);
  value_ = new QDoubleSpinBox(this);
  value_->setObjectName(QStringLiteral("thresholdValue"));
  value_->setAccessibleName(tr("Threshold of the anomaly score"));
  value_->setToolTip(
      tr("Scores above this are flagged as out. Type a value, or drag the line in the histogram."));
  value_->setKeyboardTracking(false);
  value_->setButtonSymbols(QAbstractSpinBox::NoButtons);
  value_->setFixedWidth(value_->fontMetrics().averageCharWidth() * 22);
  name->setBuddy(value_);

  rules_ = new QHBoxLayout;
  rules_->setSpacing(8);
  const auto rule = [&](const char* object, const QString& text, const QString& help, auto apply) {
    auto* button = new QPushButton(text, this);
    button->setObjectName(QLatin1String(object));
    button->setToolTip(help);
    connect(button, &QPushButton::clicked, this, apply);
    rules_->addWidget(button);
  };
  rule("thresholdKeepIn", tr("95 % of in kept"),
       tr("Smallest threshold that keeps 95 % of the clean in samples: TPR 95 % where in counts as "
          "positive, FPR 5 % where out does"),
       [this] { model_->keepIn(0.95); });
  rule("thresholdFlagOut", tr("95 % of out flagged"),
       tr("Largest threshold that flags 95 % of the clean out samples: TPR 95 % where out counts "
          "as positive"),
       [this] { model_->flagOut(0.95); });
  rule("thresholdYouden", tr("Best Youden"),
       tr("The threshold with the largest TPR − FPR on the clean sets"),
       [this] { model_->bestYouden(); });

  typed_ = new QHBoxLayout;
  typed_->setSpacing(8);
  typed_->addWidget(name);
  typed_->addWidget(value_);
  typed_->addStretch(1);
  left_ = new QBoxLayout(QBoxLayout::TopToBottom);
  left_->setSpacing(6);
  left_->addLayout(typed_);
  left_->addLayout(rules_);

  auto* right = new QGridLayout;
  right_ = right;
  right->setHorizontalSpacing(4);
  right->setVerticalSpacing(0);
  const QString titles[] = {tr("Out flagged"), tr("Out missed"), tr("In flagged"),
                            tr("In kept"),     tr("TPR"),        tr("FPR")};
  for (int column = 0; column < 6; ++column) {
    QLabel* title = roleLabel(titles[column], "muted", this);
    title->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    title->setContentsMargins(6, 0, 6, 0);
    right->addWidget(title, 0, column + 1);
  }
  const QFont digits = [this] {
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    font.setPointSizeF(this->font().pointSizeF());
    return font;
  }();
  const char* cells[] = {"OutFlagged", "OutMissed", "InFlagged", "InKept"};
  for (int row = 0; row < 2; ++row) {
    const bool attacked = row == 1;
    rowNames_[row] = new QLabel(attacked ? tr("Attacked") : tr("Clean"), this);
    right->addWidget(rowNames_[row], row + 1, 0);
    for (int cell = 0; cell < CellCount; ++cell) {
      auto* button = new QToolButton(this);
      button->setObjectName((attacked ? QStringLiteral("attacked") : QStringLiteral("clean")) +
                            QLatin1String(cells[cell]));
      button->setAccessibleName(rowNames_[row]->text() + QStringLiteral(", ") + titles[cell] +
                                QStringLiteral(", ") + shortName(Cell(cell)));
      button->setToolTip(tr("Click to select these samples; Shift adds, Alt removes"));
      button->setAutoRaise(true);
      button->setFont(digits);
      button->setFocusPolicy(Qt::StrongFocus);
      connect(button, &QToolButton::clicked, this, [this, cell, attacked] {
        Q_EMIT cellPicked(Cell(cell), attacked, QApplication::keyboardModifiers());
      });
      right->addWidget(button, row + 1, cell + 1, Qt::AlignRight);
      counts_[row][cell] = button;
    }
    for (int column = 0; column < 2; ++column) {
      auto* label = new QLabel(this);
      label->setFont(digits);
      label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
      label->setContentsMargins(6, 0, 6, 0);
      right->addWidget(label, row + 1, CellCount + 1 + column);
      (column == 0 ? tpr_ : fpr_)[row] = label;
    }
  }

  all_ = new QBoxLayout(QBoxLayout::LeftToRight, this);
  all_->setContentsMargins(0, 0, 0, 0);
  all_->setSpacing(kGap);
  all_->addLayout(left_);
  all_->addStretch(1);
  all_->addLayout(right);

  connect(value_, &QDoubleSpinBox::valueChanged, model_, &ThresholdModel::setThreshold);
  connect(model_, &ThresholdModel::scoresChanged, this, &ThresholdBar::refreshScores);
  connect(model_, &ThresholdModel::thresholdChanged, this, &ThresholdBar::refreshCounts);
  refreshScores();
}

QSize ThresholdBar::minimumSizeHint() const {
  const int narrow =
      typed_->minimumSize().width() + left_->spacing() + rules_->minimumSize().width();
  return {std::max(narrow, right_->minimumSize().width()), all_->minimumSize().height()};
}

void ThresholdBar::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  const int wide = rules_->minimumSize().width() + kGap + right_->minimumSize().width();
  const auto across = width() < wide ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight;
  if (all_->direction() == across) return;
  const bool narrow = across == QBoxLayout::TopToBottom;
  all_->setDirection(across);
  all_->setSpacing(narrow ? left_->spacing() : kGap);
  left_->setDirection(narrow ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
  updateGeometry();
}

QString ThresholdBar::countText(Cell cell, bool attacked) const {
  return counts_[attacked ? 1 : 0][cell]->text().section(u' ', 1);
}

void ThresholdBar::refreshScores() {
  const auto [least, most] = model_->range();
  const double span = std::max(most - least, 1e-9);
  const int digits = std::clamp(4 - int(std::floor(std::log10(span))), 2, 9);
  const QSignalBlocker quiet(value_);
  value_->setDecimals(digits);
  value_->setRange(least - span, most + span);
  value_->setSingleStep(span / 200);
  setEnabled(!model_->isEmpty());
  refreshCounts();
}

void ThresholdBar::refreshCounts() {
  const bool has = model_->threshold().has_value();
  if (has) {
    const QSignalBlocker quiet(value_);
    value_->setValue(*model_->threshold());
  }
  for (int row = 0; row < 2; ++row) {
    const bool attacked = row == 1;
    const bool shown = has && (!attacked || model_->hasAttack());
    const ConfusionCounts counts = attacked ? model_->attacked() : model_->clean();
    rowNames_[row]->setEnabled(shown);
    for (int cell = 0; cell < CellCount; ++cell) {
      counts_[row][cell]->setEnabled(shown);
      const QString number =
          shown ? QLocale().toString(qint64(count(counts, Cell(cell)))) : QStringLiteral("–");
      counts_[row][cell]->setText(shortName(Cell(cell)) + u' ' + number);
    }
    tpr_[row]->setText(shown ? share(counts.outFlagged, counts.outFlagged + counts.outKept)
                             : QStringLiteral("–"));
    fpr_[row]->setText(shown ? share(counts.inFlagged, counts.inFlagged + counts.inKept)
                             : QStringLiteral("–"));
  }
}

}  // namespace bulwark
