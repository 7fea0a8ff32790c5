#include "ui/plots/curve_plot.h"

#include <qcustomplot.h>

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace bulwark {

namespace {

// Drops points inside straight horizontal or vertical pieces: the drawing stays exactly the same.
void corners(const ThresholdCurve& curve, QVector<double>& x, QVector<double>& y) {
  const std::size_t n = curve.x.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0 && i + 1 < n) {
      const bool vertical = curve.x[i - 1] == curve.x[i] && curve.x[i] == curve.x[i + 1];
      const bool horizontal = curve.y[i - 1] == curve.y[i] && curve.y[i] == curve.y[i + 1];
      if (vertical || horizontal) continue;
    }
    x.append(curve.x[i]);
    y.append(curve.y[i]);
  }
}

// Index of the point at which exactly the scores above `threshold` are flagged; -1 when no
// point flags so few.
std::ptrdiff_t indexAt(const ThresholdCurve& curve, double threshold) {
  const auto first = std::lower_bound(curve.thresholds.begin(), curve.thresholds.end(), threshold,
                                      std::greater<double>());
  return first - curve.thresholds.begin() - 1;
}

}  // namespace

struct CurvePlot::Impl {
  QVector<ThresholdCurve> curves;
  QVector<QCPGraph*> graphs;
  QVector<QCPItemTracer*> dots;
  QCPCurve* reference = nullptr;
  QVector<double> referenceX, referenceY;
  QCPGraph* marks = nullptr;
  std::vector<double> marked;
  std::optional<double> threshold;
  QString areaName;

  void drawMarks();
  bool nearest(const QCustomPlot& plot, const QPointF& pixel, int& curve, std::size_t& point) const;
};

// Selected samples, as points of the first curve.
void CurvePlot::Impl::drawMarks() {
  if (!marks) return;
  QVector<QPointF> points;
  if (!curves.isEmpty() && !curves[0].thresholds.empty()) {
    const ThresholdCurve& curve = curves[0];
    for (const double score : marked) {
      const auto found = std::lower_bound(curve.thresholds.begin(), curve.thresholds.end(), score,
                                          std::greater<double>());
      if (found == curve.thresholds.end()) continue;
      const auto at = std::size_t(found - curve.thresholds.begin());
      points.append({curve.x[at], curve.y[at]});
    }
  }
  std::sort(points.begin(), points.end(), [](const QPointF& a, const QPointF& b) {
    return a.x() != b.x() ? a.x() < b.x() : a.y() < b.y();
  });
  points.erase(std::unique(points.begin(), points.end()), points.end());
  QVector<double> x, y;
  for (const QPointF& point : points) {
    x.append(point.x());
    y.append(point.y());
  }
  marks->setData(x, y, true);
}

CurvePlot::CurvePlot(const QString& xTitle, const QString& yTitle, const QString& areaName,
                     QWidget* parent)
    : PlotWidget(parent), impl_(std::make_unique<Impl>()) {
  impl_->areaName = areaName;
  canvas()->xAxis->setLabel(xTitle);
  canvas()->yAxis->setLabel(yTitle);
  impl_->reference = new QCPCurve(canvas()->xAxis, canvas()->yAxis);
  impl_->reference->setSelectable(QCP::stNone);
  impl_->reference->removeFromLegend();
}

CurvePlot::~CurvePlot() = default;

void CurvePlot::setReference(const QVector<double>& x, const QVector<double>& y) {
  impl_->referenceX = x;
  impl_->referenceY = y;
  impl_->reference->setData(x, y);
  queueReplot();
}

const QVector<ThresholdCurve>& CurvePlot::curves() const {
  return impl_->curves;
}

void CurvePlot::setCurves(const QVector<ThresholdCurve>& curves) {
  Impl& d = *impl_;
  d.curves = curves;
  canvas()->clearGraphs();
  d.graphs.clear();
  for (QCPItemTracer* dot : d.dots) canvas()->removeItem(dot);
  d.dots.clear();
  for (const ThresholdCurve& curve : curves) {
    QVector<double> x, y;
    corners(curve, x, y);
    QCPGraph* graph = canvas()->addGraph();
    graph->setSelectable(QCP::stNone);
    // Already in order; sorting by x would tangle the vertical pieces.
    graph->setData(x, y, true);
    QString name = curve.name;
    if (std::isfinite(curve.area)) {
      // The first entry says which area the numbers are.
      if (d.graphs.isEmpty()) name += u' ' + d.areaName;
      name += u' ' + QLocale().toString(curve.area, 'f', 3);
    }
    graph->setName(name);
    d.graphs.append(graph);
    auto* dot = new QCPItemTracer(canvas());
    dot->setLayer(QStringLiteral("overlay"));
    dot->setStyle(QCPItemTracer::tsCircle);
    dot->setSize(9);
    dot->setSelectable(false);
    dot->setVisible(false);
    d.dots.append(dot);
  }
  d.marks = canvas()->addGraph();
  d.marks->setLineStyle(QCPGraph::lsNone);
  d.marks->setSelectable(QCP::stNone);
  d.marks->removeFromLegend();
  d.drawMarks();
  dataChanged();
  setThreshold(d.threshold);
}

void CurvePlot::setThreshold(std::optional<double> threshold) {
  Impl& d = *impl_;
  d.threshold = threshold;
  for (int i = 0; i < int(d.dots.size()); ++i) {
    const auto point = threshold ? pointAt(i, *threshold) : std::nullopt;
    d.dots[i]->setVisible(point.has_value());
    if (point) d.dots[i]->position->setCoords(point->x(), point->y());
  }
  replotOverlay();
}

void CurvePlot::setMarkedScores(const std::vector<double>& scores) {
  impl_->marked = scores;
  impl_->drawMarks();
  queueReplot();
}

std::optional<QPointF> CurvePlot::pointAt(int curve, double threshold) const {
  const ThresholdCurve& data = impl_->curves[curve];
  if (data.thresholds.empty()) return std::nullopt;
  const std::ptrdiff_t at = std::max<std::ptrdiff_t>(0, indexAt(data, threshold));
  return QPointF(data.x[std::size_t(at)], data.y[std::size_t(at)]);
}

std::optional<double> CurvePlot::thresholdOf(int curve, std::size_t point) const {
  const std::vector<double>& thresholds = impl_->curves[curve].thresholds;
  if (point >= thresholds.size()) return std::nullopt;
  if (point + 1 < thresholds.size()) return thresholds[point + 1];
  return std::nextafter(thresholds[point], -std::numeric_limits<double>::infinity());
}

PlotTable CurvePlot::table() const {
  PlotTable table;
  table.labelHeader = QStringLiteral("curve");
  table.headers = {canvas()->xAxis->label(), canvas()->yAxis->label(), tr("threshold")};
  table.columns.resize(3);
  for (const ThresholdCurve& curve : impl_->curves) {
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      table.labels.append(curve.name);
      table.columns[0].append(curve.x[i]);
      table.columns[1].append(curve.y[i]);
      table.columns[2].append(i < curve.thresholds.size()
                                  ? curve.thresholds[i]
                                  : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return table;
}

QString CurvePlot::summary() const {
  if (isEmpty()) return tr("No curves yet.");
  QStringList parts;
  for (const ThresholdCurve& curve : impl_->curves) {
    parts += std::isfinite(curve.area)
                 ? tr("%1: %2 %3")
                       .arg(curve.name, impl_->areaName, QLocale().toString(curve.area, 'f', 3))
                 : curve.name;
  }
  return tr("%1 over %2. %3.")
      .arg(canvas()->yAxis->label(), canvas()->xAxis->label(), parts.join(QStringLiteral("; ")));
}

bool CurvePlot::isEmpty() const {
  return impl_->curves.isEmpty();
}

void CurvePlot::applyTheme(const PlotTheme& theme) {
  Impl& d = *impl_;
  for (int i = 0; i < int(d.graphs.size()); ++i) {
    const SeriesStyle style = theme.style(i);
    d.graphs[i]->setPen(QPen(style.color, 1.8, style.line));
    d.dots[i]->setPen(QPen(theme.text, 1.4));
    d.dots[i]->setBrush(style.color);
  }
  if (d.marks) {
    d.marks->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssDiamond, theme.text, theme.select, 8));
  }
  d.reference->setPen(QPen(theme.muted, 1, Qt::DotLine));
}

void CurvePlot::fitAxes() {
  canvas()->xAxis->setRange(-0.02, 1.02);
  canvas()->yAxis->setRange(-0.02, 1.02);
}

bool CurvePlot::Impl::nearest(const QCustomPlot& plot, const QPointF& pixel, int& curve,
                              std::size_t& point) const {
  double best = 28 * 28;
  bool found = false;
  for (int i = 0; i < int(curves.size()); ++i) {
    for (std::size_t k = 0; k < curves[i].x.size(); ++k) {
      const double dx = plot.xAxis->coordToPixel(curves[i].x[k]) - pixel.x();
      if (dx * dx >= best) continue;
      const double dy = plot.yAxis->coordToPixel(curves[i].y[k]) - pixel.y();
      if (dx * dx + dy * dy >= best) continue;
      best = dx * dx + dy * dy;
      curve = i;
      point = k;
      found = true;
    }
  }
  return found;
}

void CurvePlot::hover(const QPointF& pixel) {
  const Impl& d = *impl_;
  int curve = 0;
  std::size_t point = 0;
  if (!d.nearest(*canvas(), pixel, curve, point)) {
    hoverLeft();
    return;
  }
  const ThresholdCurve& data = d.curves[curve];
  showHoverDot(data.x[point], data.y[point]);
  QString text = data.name + QStringLiteral(":  ");
  if (point < data.thresholds.size()) {
    text += std::isfinite(data.thresholds[point])
                ? tr("score ≥ %1,  ").arg(QLocale().toString(data.thresholds[point], 'g', 5))
                : tr("none flagged,  ");
  }
  setReadout(text + describePoint({data.x[point], data.y[point]}));
}

void CurvePlot::clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers) {
  int curve = 0;
  std::size_t point = 0;
  if (!impl_->nearest(*canvas(), pixel, curve, point)) return;
  if (const auto threshold = thresholdOf(curve, point)) {
    Q_EMIT thresholdPicked(curve, *threshold, modifiers);
  }
}

RocPlot::RocPlot(QWidget* parent)
    : CurvePlot(tr("FPR  (positive class: out)"), tr("TPR"), tr("AUROC"), parent) {
  setTitle(tr("ROC"));
  setFileStem(QStringLiteral("roc"));
  setReference({0, 1}, {0, 1});
}

QString RocPlot::describePoint(const QPointF& point) const {
  return tr("TPR %1,  FPR %2")
      .arg(QLocale().toString(point.y(), 'f', 3), QLocale().toString(point.x(), 'f', 3));
}

PrPlot::PrPlot(QWidget* parent)
    : CurvePlot(tr("recall  (positive class: out)"), tr("precision"), tr("AUPR"), parent) {
  setTitle(tr("Precision and recall"));
  setFileStem(QStringLiteral("pr"));
}

void PrPlot::setChance(double share) {
  setReference({0, 1}, {share, share});
}

QString PrPlot::describePoint(const QPointF& point) const {
  return tr("precision %1,  recall %2")
      .arg(QLocale().toString(point.y(), 'f', 3), QLocale().toString(point.x(), 'f', 3));
}

}  // namespace bulwark
