#include "ui/plots/line_plot.h"

#include <qcustomplot.h>

#include <QLocale>
#include <QSharedPointer>
#include <algorithm>
#include <cmath>

#include "ui/plots/marker_shape.h"
#include "ui/plots/nearest_point.h"

namespace bulwark {

namespace {

struct Series {
  QString name;
  QVector<double> x, y;
  QCPGraph* graph = nullptr;
};

/// Epochs and steps are counted: no tick between two of them.
class WholeTicker : public QCPAxisTicker {
 protected:
  double getTickStep(const QCPRange& range) override {
    return std::max(1.0, std::floor(QCPAxisTicker::getTickStep(range)));
  }
};

}  // namespace

struct LinePlot::Impl {
  QVector<Series> series;
  QCPItemStraightLine* marker = nullptr;
};

LinePlot::LinePlot(QWidget* parent) : PlotWidget(parent), impl_(std::make_unique<Impl>()) {
  canvas()->xAxis->setTicker(QSharedPointer<WholeTicker>::create());
  impl_->marker = new QCPItemStraightLine(canvas());
  impl_->marker->setLayer(QStringLiteral("overlay"));
  impl_->marker->setVisible(false);
  impl_->marker->setSelectable(false);
}

LinePlot::~LinePlot() = default;

void LinePlot::setSeries(const QString& name, const QVector<double>& x, const QVector<double>& y) {
  Q_ASSERT(x.size() == y.size());
  Series* series = nullptr;
  for (Series& known : impl_->series) {
    if (known.name == name) series = &known;
  }
  if (!series) {
    impl_->series.append(Series{name, {}, {}, canvas()->addGraph()});
    series = &impl_->series.last();
    series->graph->setName(name);
    series->graph->setSelectable(QCP::stNone);
  }
  series->x = x;
  series->y = y;
  QVector<double> px, py;
  for (qsizetype i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    px.append(x[i]);
    py.append(y[i]);
  }
  series->graph->setData(px, py, false);
  dataChanged();
}

void LinePlot::setAxisTitles(const QString& x, const QString& y) {
  canvas()->xAxis->setLabel(x);
  canvas()->yAxis->setLabel(y);
  queueReplot();
}

void LinePlot::clearSeries() {
  impl_->series.clear();
  canvas()->clearGraphs();
  impl_->marker->setVisible(false);
  dataChanged();
}

void LinePlot::setMarker(double x) {
  impl_->marker->point1->setCoords(x, 0);
  impl_->marker->point2->setCoords(x, 1);
  impl_->marker->setVisible(true);
  replotOverlay();
}

void LinePlot::clearMarker() {
  impl_->marker->setVisible(false);
  replotOverlay();
}

PlotTable LinePlot::table() const {
  PlotTable table;
  const QString x = canvas()->xAxis->label();
  const QString y = canvas()->yAxis->label();
  table.headers = {x.isEmpty() ? QStringLiteral("x") : x, y.isEmpty() ? QStringLiteral("y") : y};
  table.columns.resize(2);
  for (const Series& series : impl_->series) {
    for (qsizetype i = 0; i < series.x.size(); ++i) table.labels.append(series.name);
    table.columns[0] += series.x;
    table.columns[1] += series.y;
  }
  return table;
}

QString LinePlot::summary() const {
  if (isEmpty()) return tr("No data yet.");
  QStringList parts;
  const QLocale locale;
  for (const Series& series : impl_->series) {
    if (series.x.isEmpty()) continue;
    parts += tr("%1: %2 points, last %3 at %4")
                 .arg(series.name, locale.toString(series.x.size()),
                      locale.toString(series.y.last(), 'g', 4),
                      locale.toString(series.x.last(), 'g', 6));
  }
  return tr("Line plot of %1 over %2. %3.")
      .arg(canvas()->yAxis->label(), canvas()->xAxis->label(), parts.join(QStringLiteral("; ")));
}

bool LinePlot::isEmpty() const {
  for (const Series& series : impl_->series) {
    if (!series.x.isEmpty()) return false;
  }
  return true;
}

void LinePlot::applyTheme(const PlotTheme& theme) {
  for (int i = 0; i < impl_->series.size(); ++i) {
    QCPGraph* graph = impl_->series[i].graph;
    const SeriesStyle style = theme.style(i);
    graph->setPen(QPen(style.color, 1.6, style.line));
    // A curve of one point is nothing without its marker.
    const bool dots = impl_->series[i].x.size() <= 40;
    graph->setScatterStyle(
        dots ? QCPScatterStyle(markerShape(style.marker), style.color, style.color, 5)
             : QCPScatterStyle(QCPScatterStyle::ssNone));
  }
  impl_->marker->setPen(QPen(theme.muted, 1.2, Qt::DashLine));
}

void LinePlot::fitAxes() {
  canvas()->rescaleAxes();
  for (QCPAxis* axis : {canvas()->xAxis, canvas()->yAxis}) {
    QCPRange range = axis->range();
    if (isEmpty()) range = QCPRange(0, 1);
    const double pad = range.size() > 0 ? range.size() * 0.04 : std::max(0.5, range.upper * 0.05);
    axis->setRange(range.lower - pad, range.upper + pad);
  }
}

void LinePlot::hover(const QPointF& pixel) {
  const auto [series, at] = nearestPoint(impl_->series, *canvas(), pixel, 24);
  if (!series) {
    hoverLeft();
    return;
  }
  showHoverDot(series->x[at], series->y[at]);
  setReadout(QStringLiteral("%1: %2 → %3")
                 .arg(series->name, QLocale().toString(series->x[at], 'g', 6),
                      QLocale().toString(series->y[at], 'g', 5)));
}

}  // namespace bulwark
