#include "ui/plots/curve_switch.h"

#include <QComboBox>
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLocale>
#include <QSignalBlocker>
#include <algorithm>

#include "core/metrics/detection.h"
#include "core/report/weight_curve.h"
#include "ui/plots/layer_plot.h"

namespace bulwark {

namespace {

constexpr auto kPr = "pr", kLayerError = "layer-error", kLayerAuroc = "layer-auroc",
               kWeight = "weight-";

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

QString metricTitle(const std::string& metric) {
  for (const MetricInfo& info : metricInfos()) {
    if (info.name == metric) return QString::fromStdString(info.title);
  }
  return QString::fromStdString(metric);
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
    : QStackedWidget(parent),
      pr_(pr),
      trend_(new TrendPlot),
      weights_(new TrendPlot),
      layers_(new LayerPlot),
      chosen_(QLatin1String(kPr)) {
  setObjectName(QStringLiteral("curveSwitch"));
  trend_->setObjectName(QStringLiteral("resultsTrend"));
  trend_->setYRange(0, 1);
  trend_->setReference(0.5);
  weights_->setObjectName(QStringLiteral("resultsWeights"));
  layers_->setObjectName(QStringLiteral("resultsLayers"));
  for (PlotWidget* plot : std::initializer_list<PlotWidget*>{pr_, trend_, weights_, layers_})
    add(plot);
  refresh();
}

void CurveSwitch::add(PlotWidget* plot) {
  addWidget(plot);
  auto* box = new QComboBox(plot);
  box->setObjectName(QStringLiteral("curveKind"));
  box->setAccessibleName(tr("Which curve"));
  box->setToolTip(tr("Which curve this view shows"));
  box->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  plot->headerLayout()->addWidget(box);
  boxes_.push_back(box);
  connect(box, &QComboBox::activated, this, [this, box] { choose(box->currentData().toString()); });
  connect(plot, &PlotWidget::maximizeRequested, this, &CurveSwitch::maximizeRequested);
}

void CurveSwitch::setCurves(const std::vector<CurveRecord>& curves, const QString& attack,
                            const QString& out) {
  out_ = out;
  curves_.clear();
  for (const CurveRecord& curve : curves) {
    const bool mine = attack.isEmpty() || curve.attack == attack.toStdString();
    if (mine && (curve.out.empty() || curve.out == out.toStdString())) curves_.push_back(curve);
  }
  refresh();
}

void CurveSwitch::setLayers(const QVector<LayerSearch>& searches) {
  if (searches.isEmpty() && searches_.isEmpty()) return;
  searches_ = searches;
  layers_->setSearches(searches);
  refresh();
}

void CurveSwitch::setWeights(const std::vector<ResultRow>& rows, const QString& detector,
                             const QString& attack, const QString& out) {
  if (rows.empty() && rows_.empty()) return;
  out_ = out;
  outs_.clear();
  rows_.clear();
  const ResultRow* attacked = nullptr;
  const std::string settings[] = {"in", "out", "in_out"};  // the later the harder
  const auto rank = [&](const ResultRow& row) {
    return std::find(std::begin(settings), std::end(settings), row.setting) - settings;
  };
  for (const ResultRow& row : rows) {
    if (row.detector != detector.toStdString() || !WeightCurve::of(row)) continue;
    const QString of = QString::fromStdString(row.out);
    if (!outs_.contains(of)) outs_ += of;
    const bool chosen = of == out;
    if (row.attack.empty()) {
      rows_.insert(chosen ? rows_.begin() : rows_.end(), row);
    } else if (chosen && row.attack == attack.toStdString()) {
      if (!attacked || rank(row) > rank(*attacked)) attacked = &row;
    }
  }
  if (attacked) rows_.insert(rows_.begin() + (rows_.empty() ? 0 : 1), *attacked);
  refresh();
}

bool CurveSwitch::choose(const QString& kind) {
  if (boxes_.front()->findData(kind) < 0) return false;
  chosen_ = kind;
  refresh();
  return true;
}

void CurveSwitch::refresh() {
  QStringList kinds = {QLatin1String(kPr)}, titles = {tr("Precision and recall")};
  const auto offer = [&](const QString& kind, const QString& title) {
    kinds += kind;
    titles += title;
  };
  for (const Quantity& quantity : kQuantities) {
    const bool there = std::any_of(curves_.begin(), curves_.end(), [&](const CurveRecord& curve) {
      return curve.kind == quantity.kind;
    });
    if (there) offer(QLatin1String(quantity.kind), translated(quantity.title));
  }
  if (!searches_.isEmpty()) {
    offer(QLatin1String(kLayerError), tr("Detection error per layer"));
    offer(QLatin1String(kLayerAuroc), tr("AUROC per layer"));
  }
  for (const ResultRow& row : rows_) {
    const auto curve = WeightCurve::of(row);
    for (const WeightCurve::Series& series : curve->series) {
      const QString kind = QLatin1String(kWeight) + QString::fromStdString(series.metric);
      if (!kinds.contains(kind)) {
        offer(kind, tr("%1, over β").arg(metricTitle(series.metric)));
      }
    }
  }
  if (!kinds.contains(chosen_)) chosen_ = QLatin1String(kPr);
  const int at = int(kinds.indexOf(chosen_));
  for (QComboBox* box : boxes_) {
    const QSignalBlocker quiet(box);
    if (kinds != kinds_) {
      box->clear();
      for (int i = 0; i < kinds.size(); ++i) {
        box->addItem(titles[i], kinds[i]);
        if (kinds[i].startsWith(QLatin1String(kWeight))) {
          box->setItemData(i, tr("%1: the weight of the logits, β in the paper").arg(titles[i]),
                           Qt::ToolTipRole);
        }
      }
    }
    box->setCurrentIndex(at);
    // One entry is no choice; the plot's own title says it then.
    const bool choice = box->count() > 1;
    box->setVisible(choice);
    auto* title = box->parentWidget()->findChild<QWidget*>(QStringLiteral("plotTitle"));
    if (title) title->setVisible(!choice);
  }
  kinds_ = kinds;
  if (chosen_ == QLatin1String(kPr)) {
    setCurrentWidget(pr_);
  } else if (chosen_ == QLatin1String(kLayerError) || chosen_ == QLatin1String(kLayerAuroc)) {
    layers_->setQuantity(chosen_ == QLatin1String(kLayerError) ? LayerPlot::Quantity::Error
                                                               : LayerPlot::Quantity::Auroc);
    setCurrentWidget(layers_);
  } else if (chosen_.startsWith(QLatin1String(kWeight))) {
    showWeights(titles[at]);
    setCurrentWidget(weights_);
  } else {
    showTrend(titles[at]);
    setCurrentWidget(trend_);
  }
}

void CurveSwitch::showTrend(const QString& title) {
  const std::string kind = chosen_.toStdString(), setting = hardest(curves_, kind);
  QVector<TrendSeries> series;
  for (const CurveRecord& curve : curves_) {
    if (curve.kind != kind || curve.setting != setting) continue;
    series.append(
        {QString::fromStdString(curve.detector), vector(curve.x), vector(curve.y), {}, {}});
  }
  for (const Quantity& quantity : kQuantities) {
    if (kind == quantity.kind) {
      trend_->setAxisTitles(translated(quantity.axis),
                            tr("AUROC (%1)").arg(QString::fromStdString(setting)));
    }
  }
  trend_->setTitle(title);
  trend_->setFileStem(chosen_ + u'-' + out_);
  trend_->setSeries(series);
}

void CurveSwitch::showWeights(const QString& title) {
  const std::string metric = chosen_.mid(qsizetype(std::string_view(kWeight).size())).toStdString();
  QVector<TrendSeries> series;
  double own = 0;
  for (const ResultRow& row : rows_) {
    const auto curve = WeightCurve::of(row);
    for (const WeightCurve::Series& one : curve->series) {
      if (one.metric != metric) continue;
      QString name = QString::fromStdString(row.out);
      if (!row.attack.empty()) {
        name =
            tr("%1, %2 under %3")
                .arg(name, QString::fromStdString(row.setting), QString::fromStdString(row.attack));
      }
      series.append({name,
                     vector(curve->weights),
                     vector(one.values),
                     {},
                     {},
                     row.out != out_.toStdString(),
                     int(row.attack.empty() ? outs_.indexOf(QString::fromStdString(row.out))
                                            : outs_.size())});
      own = curve->own;
    }
  }
  weights_->setTitle(title);
  weights_->setFileStem(chosen_ + u'-' + out_);
  const bool area = metric.starts_with("auroc");
  weights_->setAxisTitles(tr("weight of the logits (β)"), metricTitle(metric),
                          area ? tr("AUROC") : tr("TNR"));
  weights_->setMarker(own, tr("in force: β = %1").arg(QLocale().toString(own, 'g', 3)));
  weights_->setSeries(series);
}

}  // namespace bulwark
