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

constexpr double kReach = 24;         // pixels from the mouse to a point that is read out
constexpr double kLegendShare = 0.3;  // of the plot's height that a legend may take
constexpr int kLegendRow = 19;        // pixels

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
  QCPGraph* markerEntry = nullptr;  ///< of the legend
  QCPGraph* note = nullptr;         ///< entry of the legend: those that it has no room for
  QString markerName;
  std::optional<bool> named;  ///< whether the legend has all series
  QString noteText;           ///< what it says of the others
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
  impl_->marker->setSelectable(false);
  impl_->marker->setVisible(false);
}

TrendPlot::~TrendPlot() = default;

const QVector<TrendSeries>& TrendPlot::series() const {
  return impl_->series;
}

void TrendPlot::setSeries(const QVector<TrendSeries>& series) {
  Impl& d = *impl_;
  canvas()->clearPlottables();
  d.markerEntry = d.note = nullptr;
  d.named.reset();
  d.drawn = QVector<Drawn>(series.size());
  d.series.clear();
  for (const TrendSeries& given : series) d.series.append(trimmed(given));
  const auto draw = [&](qsizetype at) {
    const TrendSeries& one = d.series[at];
    Drawn& drawn = d.drawn[at];
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
  };
  // What is looked at lies above what it is compared with.
  for (const bool faint : {true, false}) {
    for (qsizetype i = 0; i < series.size(); ++i) {
      if (d.series[i].faint == faint) draw(i);
    }
  }
  // The title of a small plot says enough of a single series.
  if (d.still && d.drawn.size() == 1) canvas()->plottable(0)->removeFromLegend();
  if (d.still && d.drawn.size() == 1 && d.drawn[0].line) d.drawn[0].line->removeFromLegend();
  dataChanged();
}

// Entries of those that are compared with, and of the marker, come and go with the room there is;
// what has no entry is told by the mouse.
bool TrendPlot::fitLegend(const QSize& size) {
  Impl& d = *impl_;
  const auto faint = std::count_if(d.series.begin(), d.series.end(),
                                   [](const TrendSeries& one) { return one.faint; });
  if (d.shape == Shape::Bars || (faint == 0 && !d.marked)) return false;
  QStringList names;
  for (const TrendSeries& one : d.series) names += one.name;
  if (d.marked) names += d.markerName;
  const bool named =
      faint <= 1 || legendRows(names, size.width()) * kLegendRow <= kLegendShare * size.height();
  const QString note = named       ? QString()
                       : onPaper() ? tr("and %1 more").arg(faint)
                                   : tr("%1 more: hover").arg(faint);
  if (d.named == named && d.noteText == note && (d.markerEntry != nullptr) == d.marked) {
    return false;
  }
  d.named = named;
  d.noteText = note;
  canvas()->legend->clearItems();
  const auto entry = [&](QCPGraph*& graph, const QString& name) {
    if (!graph) {
      graph = canvas()->addGraph();
      graph->setSelectable(QCP::stNone);
    }
    graph->setName(name);
    graph->addToLegend();
  };
  const auto list = [&](bool which) {
    for (qsizetype i = 0; i < d.series.size(); ++i) {
      if (d.series[i].faint == which && d.drawn[i].line) d.drawn[i].line->addToLegend();
    }
  };
  list(false);
  if (d.marked && !isEmpty()) entry(d.markerEntry, d.markerName);
  if (named) {
    list(true);
  } else {
    entry(d.note, note);
  }
  return true;
}

void TrendPlot::setAxisTitles(const QString& x, const QString& y, const QString& brief) {
  canvas()->xAxis->setLabel(x);
  setYTitle(y, brief);
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
  d.markerName = name;
  d.named.reset();
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
  const QString y = yTitle();
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
      .arg(yTitle(), canvas()->xAxis->label(), parts.join(QStringLiteral("; ")));
}

bool TrendPlot::isEmpty() const {
  return std::all_of(impl_->series.begin(), impl_->series.end(),
                     [](const TrendSeries& one) { return one.x.isEmpty(); });
}

void TrendPlot::applyTheme(const PlotTheme& theme) {
  Impl& d = *impl_;
  for (int i = 0; i < d.drawn.size(); ++i) {
    const Drawn& drawn = d.drawn[i];
    const SeriesStyle style = theme.style(d.series[i].look < 0 ? i : d.series[i].look);
    // A line that others are drawn beside is told by its weight.
    const bool thin = d.series[i].faint;
    const bool bold = !thin && std::any_of(d.series.begin(), d.series.end(),
                                           [](const TrendSeries& one) { return one.faint; });
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
    drawn.line->setPen(QPen(style.color,
                            thin   ? 1
                            : bold ? 2.4
                                   : 1.6,
                            points ? Qt::SolidLine : style.line));
    drawn.line->setScatterStyle(dots ? QCPScatterStyle(markerShape(style.marker), style.color,
                                                       points ? faint : style.color,
                                                       thin   ? 3
                                                       : bold ? 6
                                                              : 5)
                                     : QCPScatterStyle(QCPScatterStyle::ssNone));
  }
  d.reference->setPen(QPen(theme.muted, 1, Qt::DotLine));
  d.reference->setVisible(d.referenceY.has_value() && !isEmpty());
  d.marker->setPen(QPen(theme.text, 1.2, Qt::DashLine));
  d.marker->setVisible(d.marked && !isEmpty());
  if (d.markerEntry) d.markerEntry->setPen(d.marker->pen());
  if (d.note) d.note->setPen(Qt::NoPen);
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
