#include "ui/plots/histogram_plot.h"

#include <qcustomplot.h>

#include <QLocale>
#include <cmath>

#include "ui/models/number_text.h"

namespace bulwark {

namespace {

// Step data of one series: the bars, and beyond a gap of one bin the bars at the edges.
void steps(const HistogramBins& bins, const HistogramCounts& counts, double total, double floor,
           QVector<double>& x, QVector<double>& y) {
  const double width = bins.width();
  const auto add = [&](double at, std::int64_t count) {
    x.append(at);
    y.append(std::max(floor, 100.0 * double(count) / total));
  };
  if (counts.below > 0) {
    add(bins.low() - 3 * width, counts.below);
    add(bins.low() - width, 0);
  }
  for (int bin = 0; bin < bins.size(); ++bin) {
    add(bins.low() + bin * width, counts.counts[std::size_t(bin)]);
  }
  add(bins.high(), 0);
  if (counts.above > 0) {
    add(bins.high() + width, counts.above);
    add(bins.high() + 3 * width, 0);
  }
}

}  // namespace

struct HistogramPlot::Impl {
  QVector<HistogramSeries> series;
  QVector<HistogramCounts> counts;
  QVector<QCPGraph*> graphs;
  QCPGraph* selected = nullptr;
  QCPItemStraightLine* line = nullptr;
  QCPItemText* label = nullptr;
  QCPItemText* lowMark = nullptr;
  QCPItemText* highMark = nullptr;
  HistogramBins bins;
  int binCount = 0;
  bool log = false;
  bool edgeLow = false, edgeHigh = false;
  double edgeShare = 0;  // percent, of the higher edge bar

  double floor() const { return log ? 0.01 : 0.0; }
};

HistogramPlot::HistogramPlot(QWidget* parent)
    : ScorePlot(Qt::Horizontal, parent), impl_(std::make_unique<Impl>()) {
  Impl& d = *impl_;
  setTitle(tr("Score histogram"));
  setFileStem(QStringLiteral("histogram"));
  canvas()->xAxis->setLabel(tr("anomaly score"));
  setYTitle(tr("share of set (%)"), tr("share (%)"));
  const auto text = [this](Qt::Alignment alignment) {
    auto* item = new QCPItemText(canvas());
    item->setVisible(false);
    item->setSelectable(false);
    item->setPositionAlignment(alignment);
    return item;
  };
  d.line = new QCPItemStraightLine(canvas());
  d.line->setLayer(QStringLiteral("overlay"));
  d.line->setVisible(false);
  d.line->setSelectable(false);
  d.label = text(Qt::AlignTop | Qt::AlignLeft);
  d.label->setLayer(QStringLiteral("overlay"));
  d.label->position->setTypeX(QCPItemPosition::ptPlotCoords);
  d.label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  d.label->setPadding(QMargins(5, 1, 5, 1));
  d.lowMark = text(Qt::AlignTop | Qt::AlignHCenter);
  d.highMark = text(Qt::AlignTop | Qt::AlignHCenter);
  for (QCPItemText* mark : {d.lowMark, d.highMark}) {
    mark->setLayer(QStringLiteral("legend"));  // above the bars
    mark->position->setTypeX(QCPItemPosition::ptPlotCoords);
    mark->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  }
}

HistogramPlot::~HistogramPlot() = default;

void HistogramPlot::setSeries(const QVector<HistogramSeries>& series) {
  impl_->series = series;
  rebuild();
}

void HistogramPlot::setBinCount(int bins) {
  impl_->binCount = std::max(0, bins);
  rebuild();
}

bool HistogramPlot::logScale() const {
  return impl_->log;
}

void HistogramPlot::setLogScale(bool on) {
  impl_->log = on;
  QCPAxis* axis = canvas()->yAxis;
  axis->setScaleType(on ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  if (on) {
    axis->setTicker(QSharedPointer<QCPAxisTickerLog>::create());
  } else {
    axis->setTicker(QSharedPointer<QCPAxisTicker>::create());
  }
  rebuild();
  resetView();
}

void HistogramPlot::rebuild() {
  Impl& d = *impl_;
  canvas()->clearGraphs();
  d.graphs.clear();
  d.counts.clear();
  d.selected = nullptr;
  std::size_t fewest = 0;
  for (const HistogramSeries& series : d.series) {
    if (series.scores.empty()) continue;
    fewest = fewest == 0 ? series.scores.size() : std::min(fewest, series.scores.size());
  }
  const int fitting = std::clamp(int(3 * std::cbrt(double(fewest))), 12, 80);
  d.bins = HistogramBins(d.series, d.binCount > 0 ? d.binCount : fitting);
  d.edgeLow = d.edgeHigh = false;
  for (const HistogramSeries& series : d.series) {
    const HistogramCounts counts = d.bins.count(series);
    QVector<double> x, y;
    steps(d.bins, counts, std::max<double>(1, double(series.scores.size())), d.floor(), x, y);
    QCPGraph* graph = canvas()->addGraph();
    graph->setLineStyle(QCPGraph::lsStepLeft);
    graph->setSelectable(QCP::stNone);
    graph->setData(x, y, true);
    QString name = series.name;
    if (counts.saturated > 0) {
      name += QStringLiteral(" (%1 %2)")
                  .arg(QLocale().toString(qint64(counts.saturated)),
                       series.side.out ? QStringLiteral("≤") : QStringLiteral("≥"));
    }
    graph->setName(name);
    d.graphs.append(graph);
    d.counts.append(counts);
    d.edgeLow = d.edgeLow || counts.below > 0;
    d.edgeHigh = d.edgeHigh || counts.above > 0;
  }
  d.edgeShare = 0;
  const auto edgeText = [&](const QString& sign, std::int64_t HistogramCounts::*edge) {
    double most = 0;
    for (qsizetype i = 0; i < d.counts.size(); ++i) {
      const double total = std::max<double>(1, double(d.series[i].scores.size()));
      most = std::max(most, 100.0 * double(d.counts[i].*edge) / total);
    }
    d.edgeShare = std::max(d.edgeShare, most);
    return sign + u'\n' + QLocale().toString(most, 'f', most < 10 ? 1 : 0) + QStringLiteral(" %");
  };
  d.lowMark->setText(edgeText(QStringLiteral("≤"), &HistogramCounts::below));
  d.highMark->setText(edgeText(QStringLiteral("≥"), &HistogramCounts::above));
  d.lowMark->setVisible(d.edgeLow);
  d.highMark->setVisible(d.edgeHigh);
  d.lowMark->position->setCoords(d.bins.low() - 2 * d.bins.width(), 0.02);
  d.highMark->position->setCoords(d.bins.high() + 2 * d.bins.width(), 0.02);
  if (!d.series.isEmpty()) {
    d.selected = canvas()->addGraph();
    d.selected->setLineStyle(QCPGraph::lsStepLeft);
    d.selected->setSelectable(QCP::stNone);
    d.selected->removeFromLegend();
    selectionChanged();
  }
  dataChanged();
  placeThreshold();
}

void HistogramPlot::selectionChanged() {
  Impl& d = *impl_;
  if (!d.selected) return;
  HistogramCounts counts;
  counts.counts.assign(std::size_t(d.bins.size()), 0);
  double total = 1;
  for (const HistogramSeries& series : d.series) {
    const auto found = selection().sides().find(series.side);
    if (series.attacked || found == selection().sides().end()) continue;
    total = std::max(total, double(series.scores.size()));
    for (const qint64 sample : found->second) {
      if (sample < 0 || std::size_t(sample) >= series.scores.size()) continue;
      const int bin = d.bins.binOf(series, std::size_t(sample));
      if (bin < 0) {
        ++counts.below;
      } else if (bin >= d.bins.size()) {
        ++counts.above;
      } else {
        ++counts.counts[std::size_t(bin)];
      }
    }
  }
  QVector<double> x, y;
  steps(d.bins, counts, total, d.floor(), x, y);
  d.selected->setData(x, y, true);
  d.selected->setVisible(!selection().empty());
}

void HistogramPlot::placeThreshold() {
  Impl& d = *impl_;
  const bool has = threshold().has_value() && !isEmpty();
  d.line->setVisible(has);
  d.label->setVisible(has);
  if (!has) return;
  const double at = *threshold();
  d.line->point1->setCoords(at, 0);
  d.line->point2->setCoords(at, 1);
  d.label->setText(numberText(at, 'g', 4));
  d.label->position->setCoords(at, 0.02);
  // The label changes side before the plot's edge would cut it.
  const bool right = thresholdPixel() > canvas()->axisRect()->center().x();
  d.label->setPositionAlignment(Qt::AlignTop | (right ? Qt::AlignRight : Qt::AlignLeft));
}

const HistogramBins& HistogramPlot::bins() const {
  return impl_->bins;
}

SampleSet HistogramPlot::samplesBetween(double low, double high) const {
  const Impl& d = *impl_;
  SampleSet found;
  for (const HistogramSeries& series : d.series) {
    for (std::size_t i = 0; i < series.scores.size(); ++i) {
      const int bin = d.bins.binOf(series, i);
      double at = series.scores[i];
      if (bin < 0) at = d.bins.low() - 2 * d.bins.width();
      if (bin >= d.bins.size()) at = d.bins.high() + 2 * d.bins.width();
      if (at >= low && at <= high) found.insert(series.side, qint64(i));
    }
  }
  return found;
}

SampleSet HistogramPlot::samplesWithin(const QRectF& pixels) const {
  return samplesBetween(canvas()->xAxis->pixelToCoord(pixels.left()),
                        canvas()->xAxis->pixelToCoord(pixels.right()));
}

// A range of scores: how high the mouse is does not matter.
QRectF HistogramPlot::banded(const QRectF& dragged) const {
  const QRectF frame = canvas()->axisRect()->rect();
  return {dragged.left(), frame.top(), dragged.width(), frame.height()};
}

PlotTable HistogramPlot::table() const {
  const Impl& d = *impl_;
  PlotTable table;
  table.headers = {tr("from score"), tr("to score"), tr("count"), tr("share")};
  table.columns.resize(4);
  const double infinity = std::numeric_limits<double>::infinity();
  for (qsizetype i = 0; i < d.series.size(); ++i) {
    const double total = std::max<double>(1, double(d.series[i].scores.size()));
    const auto add = [&](double from, double to, std::int64_t count) {
      table.labels.append(d.series[i].name);
      table.columns[0].append(from);
      table.columns[1].append(to);
      table.columns[2].append(double(count));
      table.columns[3].append(double(count) / total);
    };
    if (d.edgeLow) add(-infinity, d.bins.low(), d.counts[i].below);
    for (int bin = 0; bin < d.bins.size(); ++bin) {
      const double from = d.bins.low() + bin * d.bins.width();
      add(from, from + d.bins.width(), d.counts[i].counts[std::size_t(bin)]);
    }
    if (d.edgeHigh) add(d.bins.high(), infinity, d.counts[i].above);
  }
  return table;
}

QString HistogramPlot::summary() const {
  const Impl& d = *impl_;
  if (isEmpty()) return tr("No scores yet.");
  QStringList parts;
  for (const HistogramSeries& series : d.series) {
    std::vector<double> sorted = series.scores;
    if (sorted.empty()) continue;
    std::nth_element(sorted.begin(), sorted.begin() + std::ptrdiff_t(sorted.size() / 2),
                     sorted.end());
    parts += tr("%1: %2 samples, median %3")
                 .arg(series.name, QLocale().toString(qint64(sorted.size())),
                      QLocale().toString(sorted[sorted.size() / 2], 'g', 4));
  }
  QString text = tr("Histogram of anomaly scores. %1.").arg(parts.join(QStringLiteral("; ")));
  std::int64_t saturated = 0;
  for (const HistogramCounts& counts : d.counts) saturated += counts.saturated;
  if (saturated > 0) {
    text += tr(" Of %1 attacked samples only a bound of the score is known, because the attack "
               "stopped once their rank was final; they stand in the bars at the edges.")
                .arg(saturated);
  }
  return text;
}

bool HistogramPlot::isEmpty() const {
  for (const HistogramSeries& series : impl_->series) {
    if (!series.scores.empty()) return false;
  }
  return true;
}

void HistogramPlot::applyTheme(const PlotTheme& theme) {
  SamplePlot::applyTheme(theme);
  Impl& d = *impl_;
  for (qsizetype i = 0; i < d.graphs.size(); ++i) {
    const HistogramSeries& series = d.series[i];
    const QColor color = series.side.out ? theme.out : theme.in;
    // Clean is filled, attacked an outline; in is solid, out dashed: readable without colour.
    const Qt::PenStyle line = series.side.out ? Qt::DashLine : Qt::SolidLine;
    QColor fill = color;
    fill.setAlphaF(theme.dark ? 0.38F : 0.30F);
    d.graphs[i]->setPen(QPen(color, series.attacked ? 2.0 : 1.0, line));
    d.graphs[i]->setBrush(series.attacked ? QBrush(Qt::NoBrush) : QBrush(fill));
  }
  if (d.selected) {
    QColor fill = theme.select;
    fill.setAlphaF(0.75F);
    d.selected->setPen(QPen(theme.select, 1));
    d.selected->setBrush(fill);
  }
  d.line->setPen(QPen(theme.text, 1.6));
  d.label->setColor(theme.background);
  d.label->setBrush(theme.text);
  d.label->setPen(Qt::NoPen);
  QFont small = font();
  small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
  d.label->setFont(small);
  for (QCPItemText* mark : {d.lowMark, d.highMark}) {
    QColor ground = theme.background;
    ground.setAlphaF(0.9F);
    mark->setColor(theme.text);
    mark->setBrush(ground);
    mark->setFont(small);
  }
}

void HistogramPlot::fitAxes() {
  Impl& d = *impl_;
  if (isEmpty()) {
    canvas()->xAxis->setRange(0, 1);
    canvas()->yAxis->setRange(d.log ? 0.01 : 0, 1);
    return;
  }
  const double width = d.bins.width();
  canvas()->xAxis->setRange(d.bins.low() - (d.edgeLow ? 4 : 1) * width,
                            d.bins.high() + (d.edgeHigh ? 4 : 1) * width);
  double most = 0;
  for (qsizetype i = 0; i < d.series.size(); ++i) {
    const double total = std::max<double>(1, double(d.series[i].scores.size()));
    for (const std::int64_t count : d.counts[i].counts) {
      most = std::max(most, 100.0 * double(count) / total);
    }
  }
  // Bars at the edges that tower over the others are cut; their height is written on them.
  const double top = most <= 0                   ? 100
                     : d.edgeShare <= 1.6 * most ? std::max(most, d.edgeShare)
                                                 : most;
  canvas()->yAxis->setRange(d.log ? 0.01 : 0.0, top * (d.log ? 6 : 1.3));
  placeThreshold();
}

void HistogramPlot::hover(const QPointF& pixel) {
  Impl& d = *impl_;
  ScorePlot::hover(pixel);
  const double at = canvas()->xAxis->pixelToCoord(pixel.x());
  const int bin = d.bins.binOf(at);
  const QLocale locale;
  QStringList parts;
  for (qsizetype i = 0; i < d.series.size(); ++i) {
    const std::int64_t count = bin < 0                ? d.counts[i].below
                               : bin >= d.bins.size() ? d.counts[i].above
                                                      : d.counts[i].counts[std::size_t(bin)];
    // "in 71 → 512": a variant such as "in, attacked" stands behind what it is a variant of.
    qsizetype base = 0;
    while (base < parts.size() && !d.series[i].name.startsWith(d.series[base].name + u',')) ++base;
    if (base < parts.size()) {
      parts[base] += QStringLiteral(" → ") + locale.toString(qint64(count));
    } else {
      parts += QStringLiteral("%1 %2").arg(d.series[i].name, locale.toString(qint64(count)));
    }
  }
  QString range;
  if (bin < 0) {
    range = QStringLiteral("≤ %1").arg(locale.toString(d.bins.low(), 'g', 4));
  } else if (bin >= d.bins.size()) {
    range = QStringLiteral("≥ %1").arg(locale.toString(d.bins.high(), 'g', 4));
  } else {
    const double from = d.bins.low() + bin * d.bins.width();
    // An edge at zero is computed as a trifle beside it.
    const auto edge = [&](double at) {
      return numberText(std::abs(at) < 1e-9 * d.bins.width() ? 0.0 : at, 'g', 3);
    };
    range = QStringLiteral("%1 to %2").arg(edge(from), edge(from + d.bins.width()));
  }
  setReadout(parts.join(QStringLiteral(", ")) + QStringLiteral("   (%1)").arg(range));
}

// What is under the line changes with it.
void HistogramPlot::mouseDrag(const QPointF& pixel) {
  ScorePlot::mouseDrag(pixel);
  if (dragsThreshold()) hover(pixel);
}

SampleSet HistogramPlot::samplesAt(const QPointF& pixel) const {
  const Impl& d = *impl_;
  const int bin = d.bins.binOf(canvas()->xAxis->pixelToCoord(pixel.x()));
  SampleSet found;
  for (const HistogramSeries& series : d.series) {
    for (std::size_t i = 0; i < series.scores.size(); ++i) {
      if (d.bins.binOf(series, i) == bin) found.insert(series.side, qint64(i));
    }
  }
  return found;
}

}  // namespace bulwark
