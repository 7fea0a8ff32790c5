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

constexpr double kLetterShare = 0.02;  // of the width of a small plot

struct StageItems {
  QCPItemStraightLine* line = nullptr;
  QCPItemText* name = nullptr;
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
  QVector<PlotStage> stages;
  QVector<StageItems> stageItems;
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
  setStages({});
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

void LinePlot::setStages(const QVector<PlotStage>& stages) {
  for (const StageItems& items : impl_->stageItems) {
    canvas()->removeItem(items.line);
    canvas()->removeItem(items.name);
  }
  impl_->stageItems.clear();
  impl_->stages = stages;
  for (const PlotStage& stage : stages) {
    StageItems items{new QCPItemStraightLine(canvas()), new QCPItemText(canvas())};
    items.line->point1->setCoords(stage.x, 0);
    items.line->point2->setCoords(stage.x, 1);
    items.name->position->setTypeX(QCPItemPosition::ptPlotCoords);
    items.name->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    items.name->position->setCoords(stage.x, 0.98);
    items.name->setPadding(QMargins(4, 1, 4, 1));
    items.name->setText(stage.name);
    items.line->setSelectable(false);
    items.name->setSelectable(false);
    impl_->stageItems.append(items);
  }
  dataChanged();
}

const QVector<PlotStage>& LinePlot::stages() const {
  return impl_->stages;
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
  for (const PlotStage& stage : impl_->stages) {
    parts += tr("%1 from %2").arg(stage.name, locale.toString(stage.x, 'g', 6));
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
  QColor ground = theme.background;
  ground.setAlphaF(0.85F);
  QFont small = font();
  small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
  for (const StageItems& items : impl_->stageItems) {
    items.line->setPen(QPen(theme.text, 1.2, Qt::DashLine));
    items.line->setVisible(!isEmpty());
    items.name->setFont(small);
    items.name->setColor(theme.text);
    items.name->setBrush(ground);
    items.name->setPen(Qt::NoPen);
    items.name->setVisible(!isEmpty());
  }
}

void LinePlot::fitAxes() {
  canvas()->rescaleAxes();
  for (QCPAxis* axis : {canvas()->xAxis, canvas()->yAxis}) {
    QCPRange range = axis->range();
    if (isEmpty()) range = QCPRange(0, 1);
    const double pad = range.size() > 0 ? range.size() * 0.04 : std::max(0.5, range.upper * 0.05);
    axis->setRange(range.lower - pad, range.upper + pad);
  }
  // A name stands behind its line, unless the plot's edge would cut it there.
  const QCPRange x = canvas()->xAxis->range();
  for (qsizetype i = 0; i < impl_->stages.size(); ++i) {
    const PlotStage& stage = impl_->stages[i];
    const bool before =
        (x.upper - stage.x) / x.size() < kLetterShare * static_cast<double>(stage.name.size());
    QCPItemText* name = impl_->stageItems[i].name;
    name->setText(before ? stage.name + QStringLiteral(" \u2192") : stage.name);
    name->setPositionAlignment(Qt::AlignBottom | (before ? Qt::AlignRight : Qt::AlignLeft));
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
