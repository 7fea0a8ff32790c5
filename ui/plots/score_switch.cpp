#include "ui/plots/score_switch.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QSignalBlocker>

namespace bulwark {

ScoreSwitch::ScoreSwitch(HistogramPlot* histogram, QWidget* parent)
    : QStackedWidget(parent), histogram_(histogram), scatter_(new ScoreScatter) {
  setObjectName(QStringLiteral("scoreSwitch"));
  scatter_->setObjectName(QStringLiteral("resultsScatter"));
  scatter_->setEmptyText(tr("No scores of this detector yet"));
  addWidget(histogram_);
  addWidget(scatter_);
  boxes_[0] = makeBox(histogram_);
  boxes_[1] = makeBox(scatter_);
  which_ = new QComboBox(scatter_);
  which_->setObjectName(QStringLiteral("scatterImages"));
  which_->setAccessibleName(tr("Images of the scatter"));
  which_->setToolTip(
      tr("Whether the points are the clean images or those of the attack chosen "
         "above"));
  which_->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  scatter_->headerLayout()->addWidget(which_);
  connect(which_, &QComboBox::activated, this, &ScoreSwitch::showPoints);
  for (PlotWidget* plot :
       {static_cast<PlotWidget*>(histogram_), static_cast<PlotWidget*>(scatter_)}) {
    connect(plot, &PlotWidget::maximizeRequested, this, &ScoreSwitch::maximizeRequested);
  }
  nameBoxes();
}

QComboBox* ScoreSwitch::makeBox(PlotWidget* plot) {
  auto* box = new QComboBox(plot);
  box->setObjectName(QStringLiteral("scoreKind"));
  box->setAccessibleName(tr("How scores are shown"));
  box->setToolTip(tr("How this view shows the scores"));
  box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  box->addItem(QString(), QStringLiteral("histogram"));
  box->addItem(QString(), QStringLiteral("scatter"));
  plot->headerLayout()->insertWidget(0, box);
  plot->findChild<QWidget*>(QStringLiteral("plotTitle"))->hide();  // the selector says it
  connect(box, &QComboBox::activated, this, [this, box] { choose(box->currentData().toString()); });
  return box;
}

void ScoreSwitch::nameBoxes() {
  for (int i = 0; i < 2; ++i) {
    const QSignalBlocker quiet(boxes_[i]);
    boxes_[i]->setItemText(0, histogram_->title());
    boxes_[i]->setItemText(1, scatter_->title());
    boxes_[i]->setCurrentIndex(i);
  }
}

void ScoreSwitch::setSeries(const QVector<HistogramSeries>& series, const QString& attack) {
  series_ = series;
  histogram_->setSeries(series);
  const bool attacked = std::any_of(series.begin(), series.end(),
                                    [](const HistogramSeries& one) { return one.attacked; });
  const QSignalBlocker quiet(which_);
  const bool before = showsAttacked();
  which_->clear();
  which_->addItem(tr("clean"), false);
  if (attacked) which_->addItem(attack, true);
  which_->setCurrentIndex(attacked && before ? 1 : 0);
  which_->setVisible(attacked);
  showPoints();
}

void ScoreSwitch::setDetector(bool similarity, std::optional<double> ownThreshold) {
  if (similarity != scatter_->similarity()) {
    scatter_->setSimilarity(similarity);
    nameBoxes();
  }
  scatter_->setOwnThreshold(ownThreshold);
}

bool ScoreSwitch::showsAttacked() const {
  return which_->currentData().toBool();
}

void ScoreSwitch::showPoints() {
  QVector<HistogramSeries> shown;
  for (const HistogramSeries& series : series_) {
    if (series.attacked == showsAttacked()) shown.append(series);
  }
  scatter_->setSeries(shown);
}

void ScoreSwitch::choose(const QString& kind) {
  setCurrentWidget(kind == QLatin1String("scatter") ? static_cast<QWidget*>(scatter_)
                                                    : static_cast<QWidget*>(histogram_));
  nameBoxes();
}

QString ScoreSwitch::chosen() const {
  return currentWidget() == scatter_ ? QStringLiteral("scatter") : QStringLiteral("histogram");
}

}  // namespace bulwark
