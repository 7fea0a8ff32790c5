#include "ui/plots/trend_plot.h"

#include <qcustomplot.h>

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <optional>

#include "ui/plots/marker_shape.h"
#include "ui/plots/nearest_point.h"

namespace bulwark {

namespace {

constexpr double kReach = 24;  // pixels from the mouse to a point that is read out

struct Drawn {
  QCPGraph* line = nullptr;
  QCPGraph* low = nullptr;
  QCPGraph* high = nullptr;
  QCPBars* bars = nullptr;
};

TrendSeries trimmed(TrendSeries series) {
  const qsizetype n = std::min(series.x.size(), series.y.size());
  series.x.resize(n);
  series.y.resize(n);
  if (series.low.size() < n || series.high.size() < n) {
    series.low.clear();
    series.high.clear();
  } else {
    series.low.resize(n);
    series.high.resize(n);
  }
  return series;
}

/// Width of a bar: the smallest step between two of them.
double barWidth(const QVector<double>& x) {
  double width = 0;
  for (qsizetype i = 1; i < x.size(); ++i) {
    const double step = std::abs(x[i] - x[i - 1]);
    if (step > 0 && (width == 0 || step < width)) width = step;
  }
  return width > 0 ? width : 1;
}

}  // namespace

struct TrendPlot::Impl {
  /// The range given, wider where the data need it.
  QCPRange wanted(QCPRange range) const {
    for (const TrendSeries& one : series) {
      for (const auto* values : {&one.y, &one.low, &one.high}) {
        for (const double value : *values) {
          if (std::isfinite(value)) range.expand(value);
        }
      }
    }
    return range;
  }

  Shape shape;
  QVector<TrendSeries> series;
  QVector<Drawn> drawn;
  QCPItemStraightLine* reference = nullptr;
  QCPItemStraightLine* marker = nullptr;
  QCPItemText* markerName = nullptr;
  std::optional<double> referenceY;
  std::optional<QCPRange> yRange;
  bool still = false;
  bool marked = false;
};

TrendPlot::TrendPlot(Shape shape, QWidget* parent)
    : PlotWidget(parent), impl_(std::make_unique<Impl>()) {
  impl_->shape = shape;
  impl_->reference = new QCPItemStraightLine(canvas());
  impl_->reference->setSelectable(false);
  impl_->reference->setVisible(false);
  impl_->marker = new QCPItemStraightLine(canvas());
  impl_->markerName = new QCPItemText(canvas());
  for (QCPAbstractItem* item :
       std::initializer_list<QCPAbstractItem*>{impl_->marker, impl_->markerName}) {
    item->setSelectable(false);
    item->setVisible(false);
  }
  impl_->markerName->position->setTypeX(QCPItemPosition::ptPlotCoords);
  impl_->markerName->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  impl_->markerName->setPadding(QMargins(4, 1, 4, 1));
}

TrendPlot::~TrendPlot() = default;

const QVector<TrendSeries>& TrendPlot::series() const {
  return impl_->series;
}

void TrendPlot::setSeries(const QVector<TrendSeries>& series) {
  Impl& d = *impl_;
  canvas()->clearPlottables();
  d.drawn.clear();
  d.series.clear();
  for (const TrendSeries& given : series) {
    const TrendSeries one = trimmed(given);
    Drawn drawn;
    if (d.shape == Shape::Bars) {
      drawn.bars = new QCPBars(canvas()->xAxis, canvas()->yAxis);
      drawn.bars->setName(one.name);
      drawn.bars->setWidth(barWidth(one.x));
      drawn.bars->setData(one.x, one.y);
      drawn.bars->setSelectable(QCP::stNone);
    } else {
      if (!one.low.isEmpty()) {
        drawn.low = canvas()->addGraph();
        drawn.high = canvas()->addGraph();
        drawn.low->setData(one.x, one.low);
        drawn.high->setData(one.x, one.high);
        drawn.low->setChannelFillGraph(drawn.high);
        for (QCPGraph* edge : {drawn.low, drawn.high}) {
          edge->setSelectable(QCP::stNone);
          edge->removeFromLegend();
        }
      }
      drawn.line = canvas()->addGraph();
      drawn.line->setName(one.name);
      drawn.line->setSelectable(QCP::stNone);
      drawn.line->setData(one.x, one.y);
    }
    d.series.append(one);
    d.drawn.append(drawn);
  }
  // They are told apart by the mouse.
  bool named = false;
  for (int i = 0; i < d.drawn.size(); ++i) {
    QCPGraph* line = d.drawn[i].line;
    if (!line || !d.series[i].faint) continue;
    if (named) line->removeFromLegend();
    line->setName(tr("others"));
    named = true;
  }
  // The title of a small plot says enough of a single series.
  if (d.still && d.drawn.size() == 1) canvas()->plottable(0)->removeFromLegend();
  if (d.still && d.drawn.size() == 1 && d.drawn[0].line) d.drawn[0].line->removeFromLegend();
  dataChanged();
}

void TrendPlot::setAxisTitles(const QString& x, const QString& y) {
  canvas()->xAxis->setLabel(x);
  canvas()->yAxis->setLabel(y);
  queueReplot();
}

void TrendPlot::setReference(double y) {
  impl_->referenceY = y;
  impl_->reference->point1->setCoords(0, y);
  impl_->reference->point2->setCoords(1, y);
  dataChanged();
}

void TrendPlot::setMarker(double x, const QString& name) {
  Impl& d = *impl_;
  d.marked = true;
  d.marker->point1->setCoords(x, 0);
  d.marker->point2->setCoords(x, 1);
  d.markerName->setText(name);
  d.markerName->position->setCoords(x, 0.98);
  dataChanged();
}

void TrendPlot::setYRange(double low, double high) {
  impl_->yRange = QCPRange(low, high);
}

void TrendPlot::setStill() {
  impl_->still = true;
  canvas()->setInteractions(QCP::Interactions());
}

QSize TrendPlot::minimumSizeHint() const {
  return {180, 120};
}

PlotTable TrendPlot::table() const {
  PlotTable table;
  const QString x = canvas()->xAxis->label();
  const QString y = canvas()->yAxis->label();
  table.headers = {x.isEmpty() ? QStringLiteral("x") : x, y.isEmpty() ? QStringLiteral("y") : y};
  const bool band = std::any_of(impl_->series.begin(), impl_->series.end(),
                                [](const TrendSeries& one) { return !one.low.isEmpty(); });
  if (band) table.headers << QStringLiteral("low") << QStringLiteral("high");
  table.columns.resize(band ? 4 : 2);
  for (const TrendSeries& one : impl_->series) {
    for (qsizetype i = 0; i < one.x.size(); ++i) table.labels.append(one.name);
    table.columns[0] += one.x;
    table.columns[1] += one.y;
    if (!band) continue;
    const bool own = !one.low.isEmpty();
    table.columns[2] += own ? one.low : QVector<double>(one.x.size(), std::nan(""));
    table.columns[3] += own ? one.high : QVector<double>(one.x.size(), std::nan(""));
  }
  return table;
}

QString TrendPlot::summary() const {
  if (isEmpty()) return tr("No data yet.");
  QStringList parts;
  const QLocale locale;
  for (const TrendSeries& one : impl_->series) {
    if (one.x.isEmpty()) continue;
    const auto [least, most] = std::minmax_element(one.y.begin(), one.y.end());
    parts += tr("%1: %2 points from %3 to %4")
                 .arg(one.name, locale.toString(one.x.size()), locale.toString(*least, 'g', 4),
                      locale.toString(*most, 'g', 4));
  }
  return tr("%1 over %2. %3.")
      .arg(canvas()->yAxis->label(), canvas()->xAxis->label(), parts.join(QStringLiteral("; ")));
}

bool TrendPlot::isEmpty() const {
  return std::all_of(impl_->series.begin(), impl_->series.end(),
                     [](const TrendSeries& one) { return one.x.isEmpty(); });
}

void TrendPlot::applyTheme(const PlotTheme& theme) {
  Impl& d = *impl_;
  for (int i = 0; i < d.drawn.size(); ++i) {
    const Drawn& drawn = d.drawn[i];
    SeriesStyle style = theme.style(i);
    if (d.series[i].faint) {
      style.color = theme.muted;
      style.color.setAlphaF(0.55F);
    }
    QColor faint = style.color;
    faint.setAlphaF(0.22F);
    if (drawn.bars) {
      drawn.bars->setPen(QPen(style.color, 1, style.line));
      drawn.bars->setBrush(faint);
      continue;
    }
    if (drawn.low) {
      drawn.low->setPen(Qt::NoPen);
      drawn.high->setPen(Qt::NoPen);
      drawn.low->setBrush(faint);
    }
    const bool points = d.shape == Shape::Points;
    const bool dots = points || d.series[i].x.size() <= 40;
    drawn.line->setLineStyle(points ? QCPGraph::lsNone : QCPGraph::lsLine);
    drawn.line->setPen(
        QPen(style.color, d.series[i].faint ? 1 : 1.6, points ? Qt::SolidLine : style.line));
    drawn.line->setScatterStyle(dots ? QCPScatterStyle(markerShape(style.marker), style.color,
                                                       points ? faint : style.color,
                                                       d.series[i].faint ? 4 : 5)
                                     : QCPScatterStyle(QCPScatterStyle::ssNone));
  }
  d.reference->setPen(QPen(theme.muted, 1, Qt::DotLine));
  d.reference->setVisible(d.referenceY.has_value() && !isEmpty());
  d.marker->setPen(QPen(theme.text, 1.2, Qt::DashLine));
  d.marker->setVisible(d.marked && !isEmpty());
  QColor ground = theme.background;
  ground.setAlphaF(0.85F);
  QFont small = font();
  small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
  d.markerName->setFont(small);
  d.markerName->setColor(theme.text);
  d.markerName->setBrush(ground);
  d.markerName->setPen(Qt::NoPen);
  d.markerName->setVisible(d.marked && !isEmpty());
}

void TrendPlot::fitAxes() {
  canvas()->rescaleAxes();
  for (QCPAxis* axis : {canvas()->xAxis, canvas()->yAxis}) {
    QCPRange range = axis->range();
    if (isEmpty()) range = QCPRange(0, 1);
    if (axis == canvas()->yAxis && impl_->yRange) range = impl_->wanted(*impl_->yRange);
    if (axis == canvas()->yAxis && impl_->referenceY) range.expand(*impl_->referenceY);
    const double pad = range.size() > 0 ? range.size() * 0.04 : std::max(0.5, range.upper * 0.05);
    const bool floor = axis == canvas()->yAxis && impl_->shape == Shape::Bars;
    axis->setRange(floor ? 0 : range.lower - pad, range.upper + pad);
  }
  // The name stands where the plot's edge does not cut it.
  const bool right = impl_->marker->point1->coords().x() > canvas()->xAxis->range().center();
  impl_->markerName->setPositionAlignment(Qt::AlignBottom |
                                          (right ? Qt::AlignRight : Qt::AlignLeft));
}

void TrendPlot::hover(const QPointF& pixel) {
  const auto [series, at] = nearestPoint(impl_->series, *canvas(), pixel, kReach);
  if (!series) {
    hoverLeft();
    return;
  }
  showHoverDot(series->x[at], series->y[at]);
  const QLocale locale;
  const QString text = QStringLiteral("%1: %2 → %3")
                           .arg(series->name, locale.toString(series->x[at], 'g', 5),
                                locale.toString(series->y[at], 'g', 4));
  setReadout(text);
  canvas()->setToolTip(impl_->still ? text : QString());  // the header has no room for it
}

bool TrendPlot::eventFilter(QObject* watched, QEvent* event) {
  if (impl_->still && watched == canvas() && event->type() == QEvent::Wheel) {
    hoverLeft();
    event->ignore();  // goes on to the page
    return true;
  }
  if (impl_->still && watched == canvas() && event->type() == QEvent::MouseButtonPress) {
    return false;
  }
  return PlotWidget::eventFilter(watched, event);
}

}  // namespace bulwark
