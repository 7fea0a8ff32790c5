#include "ui/plots/curve_switch.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <algorithm>

namespace bulwark {

namespace {

constexpr auto kPr = "pr";

struct Quantity {
  const char* kind;
  const char* title;
  const char* axis;
};

constexpr Quantity kQuantities[] = {
    {"auroc-epsilon", QT_TRANSLATE_NOOP("CurveSwitch", "AUROC over epsilon"),
     QT_TRANSLATE_NOOP("CurveSwitch", "epsilon")},
    {"auroc-steps", QT_TRANSLATE_NOOP("CurveSwitch", "AUROC over steps"),
     QT_TRANSLATE_NOOP("CurveSwitch", "steps")},
    {"auroc-restarts", QT_TRANSLATE_NOOP("CurveSwitch", "AUROC over restarts"),
     QT_TRANSLATE_NOOP("CurveSwitch", "restarts")},
    {"auroc-propagations", QT_TRANSLATE_NOOP("CurveSwitch", "AUROC over propagations"),
     QT_TRANSLATE_NOOP("CurveSwitch", "propagations per image")}};

QString translated(const char* text) {
  return QCoreApplication::translate("CurveSwitch", text);
}

QVector<double> vector(const std::vector<double>& values) {
  return QVector<double>(values.begin(), values.end());
}

/// The hardest of the settings that the curves of a kind were made in.
std::string hardest(const std::vector<CurveRecord>& curves, const std::string& kind) {
  for (const char* setting : {"in_out", "out", "in", "clean"}) {
    for (const CurveRecord& curve : curves) {
      if (curve.kind == kind && curve.setting == setting) return setting;
    }
  }
  return {};
}

}  // namespace

CurveSwitch::CurveSwitch(PrPlot* pr, QWidget* parent)
    : QStackedWidget(parent), pr_(pr), trend_(new TrendPlot), chosen_(QLatin1String(kPr)) {
  setObjectName(QStringLiteral("curveSwitch"));
  trend_->setObjectName(QStringLiteral("resultsTrend"));
  trend_->setYRange(0, 1);
  trend_->setReference(0.5);
  addWidget(pr_);
  addWidget(trend_);
  prBox_ = makeBox(pr_);
  trendBox_ = makeBox(trend_);
  for (PlotWidget* plot : {static_cast<PlotWidget*>(pr_), static_cast<PlotWidget*>(trend_)}) {
    connect(plot, &PlotWidget::maximizeRequested, this, &CurveSwitch::maximizeRequested);
  }
  fillBoxes();
}

QComboBox* CurveSwitch::makeBox(PlotWidget* plot) {
  auto* box = new QComboBox(plot);
  box->setObjectName(QStringLiteral("curveKind"));
  box->setAccessibleName(tr("Which curve"));
  box->setToolTip(tr("Which curve this view shows"));
  box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  plot->headerLayout()->addWidget(box);
  connect(box, &QComboBox::activated, this, [this, box] { choose(box->currentData().toString()); });
  return box;
}

void CurveSwitch::setCurves(const std::vector<CurveRecord>& curves, const QString& attack,
                            const QString& out) {
  out_ = out;
  curves_.clear();
  for (const CurveRecord& curve : curves) {
    const bool mine = attack.isEmpty() || curve.attack == attack.toStdString();
    if (mine && (curve.out.empty() || curve.out == out.toStdString())) curves_.push_back(curve);
  }
  fillBoxes();
  showChosen();
}

bool CurveSwitch::choose(const QString& kind) {
  const int index = prBox_->findData(kind);
  if (index < 0) return false;
  chosen_ = kind;
  showChosen();
  return true;
}

void CurveSwitch::fillBoxes() {
  for (QComboBox* box : {prBox_, trendBox_}) {
    const QSignalBlocker quiet(box);
    box->clear();
    box->addItem(tr("Precision and recall"), QLatin1String(kPr));
    for (const Quantity& quantity : kQuantities) {
      const bool there = std::any_of(curves_.begin(), curves_.end(), [&](const CurveRecord& curve) {
        return curve.kind == quantity.kind;
      });
      if (there) box->addItem(translated(quantity.title), QLatin1String(quantity.kind));
    }
    // One entry is no choice; the plot's own title says it then.
    const bool choice = box->count() > 1;
    box->setVisible(choice);
    auto* title = box->parentWidget()->findChild<QWidget*>(QStringLiteral("plotTitle"));
    if (title) title->setVisible(!choice);
  }
  if (prBox_->findData(chosen_) < 0) chosen_ = QLatin1String(kPr);
}

void CurveSwitch::showChosen() {
  for (QComboBox* box : {prBox_, trendBox_}) {
    const QSignalBlocker quiet(box);
    box->setCurrentIndex(box->findData(chosen_));
  }
  if (chosen_ == QLatin1String(kPr)) {
    setCurrentWidget(pr_);
    return;
  }
  for (const Quantity& quantity : kQuantities) {
    if (chosen_ != QLatin1String(quantity.kind)) continue;
    const std::string setting = hardest(curves_, quantity.kind);
    QVector<TrendSeries> series;
    for (const CurveRecord& curve : curves_) {
      if (curve.kind != quantity.kind || curve.setting != setting) continue;
      series.append(
          {QString::fromStdString(curve.detector), vector(curve.x), vector(curve.y), {}, {}});
    }
    trend_->setTitle(translated(quantity.title));
    trend_->setFileStem(chosen_ + u'-' + out_);
    trend_->setAxisTitles(translated(quantity.axis),
                          tr("AUROC (%1)").arg(QString::fromStdString(setting)));
    trend_->setSeries(series);
  }
  setCurrentWidget(trend_);
}

}  // namespace bulwark
