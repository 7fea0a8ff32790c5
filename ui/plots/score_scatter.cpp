#include "ui/plots/score_scatter.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

#include "ui/models/number_text.h"
#include "ui/plots/point_cloud.h"

namespace bulwark {

namespace {

constexpr double kReach = 10;  // pixels from the mouse to a point that is meant

}  // namespace

struct ScoreScatter::Impl {
  QVector<HistogramSeries> series;
  QVector<PointCloud*> clouds;
  PointCloud* selected = nullptr;
  QCPItemStraightLine* line = nullptr;
  QCPItemText* label = nullptr;
  QCPItemStraightLine* ownLine = nullptr;
  QCPItemText* ownLabel = nullptr;
  std::optional<double> own;
  bool similarity = false;

  double shown(double score) const { return similarity ? 1 - score : score; }

  struct Point {
    int series = -1;
    std::size_t sample = 0;
  };
  Point nearest(const QCustomPlot& canvas, const QPointF& pixel) const;
};

// Points stand in the order of their numbers, so only those near the mouse are looked at.
ScoreScatter::Impl::Point ScoreScatter::Impl::nearest(const QCustomPlot& canvas,
                                                      const QPointF& pixel) const {
  Point found;
  double best = kReach * kReach;
  const double low = canvas.xAxis->pixelToCoord(pixel.x() - kReach);
  const double high = canvas.xAxis->pixelToCoord(pixel.x() + kReach);
  for (int i = 0; i < series.size(); ++i) {
    const auto& scores = series[i].scores;
    const auto begin = std::size_t(std::max(0.0, std::ceil(low)));
    for (std::size_t sample = begin; sample < scores.size() && double(sample) <= high; ++sample) {
      if (!std::isfinite(scores[sample])) continue;
      const double dx = canvas.xAxis->coordToPixel(double(sample)) - pixel.x();
      const double dy = canvas.yAxis->coordToPixel(shown(scores[sample])) - pixel.y();
      if (dx * dx + dy * dy > best) continue;
      best = dx * dx + dy * dy;
      found = {i, sample};
    }
  }
  return found;
}

ScoreScatter::ScoreScatter(QWidget* parent)
    : ScorePlot(Qt::Vertical, parent), impl_(std::make_unique<Impl>()) {
  Impl& d = *impl_;
  const auto line = [this] {
    auto* item = new QCPItemStraightLine(canvas());
    item->setLayer(QStringLiteral("overlay"));
    item->setVisible(false);
    item->setSelectable(false);
    return item;
  };
  const auto label = [this](Qt::Alignment alignment) {
    auto* item = new QCPItemText(canvas());
    item->setLayer(QStringLiteral("overlay"));
    item->setVisible(false);
    item->setSelectable(false);
    item->setPositionAlignment(alignment);
    item->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
    item->position->setTypeY(QCPItemPosition::ptPlotCoords);
    item->setPadding(QMargins(5, 1, 5, 1));
    return item;
  };
  d.ownLine = line();
  d.ownLabel = label(Qt::AlignLeft | Qt::AlignBottom);
  d.line = line();
  d.label = label(Qt::AlignRight | Qt::AlignBottom);
  // How many points a label hides depends on the size of the plot.
  connect(canvas(), &QCustomPlot::afterLayout, this, &ScoreScatter::placeThreshold);
  setFileStem(QStringLiteral("scatter"));
  canvas()->xAxis->setLabel(tr("number of the image in its set"));
  setSimilarity(false);
}

ScoreScatter::~ScoreScatter() = default;

void ScoreScatter::setSimilarity(bool on) {
  impl_->similarity = on;
  setTitle(on ? tr("Similarity scatter") : tr("Score scatter"));
  setYTitle(on ? tr("similarity") : tr("anomaly score"), on ? QString() : tr("score"));
  rebuild();
}

bool ScoreScatter::similarity() const {
  return impl_->similarity;
}

void ScoreScatter::setSeries(const QVector<HistogramSeries>& series) {
  impl_->series = series;
  rebuild();
}

const QVector<HistogramSeries>& ScoreScatter::series() const {
  return impl_->series;
}

bool ScoreScatter::isRaster() const {
  qsizetype points = 0;
  for (const HistogramSeries& series : impl_->series) points += qsizetype(series.scores.size());
  return points > PointCloud::kMany;
}

void ScoreScatter::rebuild() {
  Impl& d = *impl_;
  canvas()->clearPlottables();
  d.clouds.clear();
  d.selected = nullptr;
  for (const HistogramSeries& series : d.series) {
    const auto count = qsizetype(series.scores.size());
    QVector<double> x(count), y(count);
    for (qsizetype i = 0; i < count; ++i) {
      x[i] = double(i);
      y[i] = d.shown(series.scores[std::size_t(i)]);
    }
    auto* cloud = new PointCloud(canvas()->xAxis, canvas()->yAxis);
    cloud->setPoints(std::move(x), std::move(y));
    cloud->setRaster(isRaster());
    const auto bounds = std::count(series.saturated.begin(), series.saturated.end(), 1);
    QString name = series.name;
    if (bounds > 0) {
      const bool below = series.side.out != d.similarity;
      name += QStringLiteral(" (%1 %2)")
                  .arg(QLocale().toString(qint64(bounds)),
                       below ? QStringLiteral("≤") : QStringLiteral("≥"));
    }
    cloud->setName(name);
    d.clouds.append(cloud);
  }
  if (!d.series.isEmpty()) {
    d.selected = new PointCloud(canvas()->xAxis, canvas()->yAxis);
    d.selected->removeFromLegend();
    selectionChanged();
  }
  dataChanged();
}

void ScoreScatter::selectionChanged() {
  Impl& d = *impl_;
  if (!d.selected) return;
  QVector<double> x, y;
  for (const HistogramSeries& series : d.series) {
    const auto found = selection().sides().find(series.side);
    if (found == selection().sides().end()) continue;
    for (const qint64 sample : found->second) {
      if (sample < 0 || std::size_t(sample) >= series.scores.size()) continue;
      x.append(double(sample));
      y.append(d.shown(series.scores[std::size_t(sample)]));
    }
  }
  d.selected->setPoints(std::move(x), std::move(y));
  d.selected->setRings(theme().select);
}

void ScoreScatter::setOwnThreshold(std::optional<double> threshold) {
  if (impl_->own == threshold) return;
  impl_->own = threshold;
  dataChanged();  // it stays in view
}

std::optional<double> ScoreScatter::ownThreshold() const {
  return impl_->own;
}

double ScoreScatter::shown(double score) const {
  return impl_->shown(score);
}

void ScoreScatter::placeThreshold() {
  Impl& d = *impl_;
  const auto place = [&](QCPItemStraightLine* line, QCPItemText* label,
                         const std::optional<double>& at, const QString& text, double x) {
    const bool has = at.has_value() && !isEmpty();
    line->setVisible(has);
    label->setVisible(has);
    if (!has) return;
    const double y = d.shown(*at);
    line->point1->setCoords(0, y);
    line->point2->setCoords(1, y);
    label->setText(text.arg(numberText(y, 'g', 4)));
    label->position->setCoords(x, y);
    // On the side of the line where it hides fewer points, and the plot's edge does not cut it. A
    // line that is being dragged keeps its label's side.
    const auto side = label->positionAlignment() & Qt::AlignHorizontal_Mask;
    const QCPRange range = canvas()->yAxis->range();
    const double edge = 0.12 * range.size();
    bool below = bool(label->positionAlignment() & Qt::AlignTop);
    if (!dragsThreshold()) {
      const bool own = label == d.ownLabel;
      const auto hidden = [&](bool under) {
        label->setPositionAlignment(side | (under ? Qt::AlignTop : Qt::AlignBottom));
        return samplesWithin(labelBox(own)).size();
      };
      below = hidden(true) < hidden(false);
    }
    if (y > range.upper - edge) below = true;
    if (y < range.lower + edge) below = false;
    label->setPositionAlignment(side | (below ? Qt::AlignTop : Qt::AlignBottom));
  };
  // The page counts in scores.
  const QString score = d.similarity && threshold()
                            ? tr(" (score %1)").arg(numberText(*threshold(), 'g', 4))
                            : QString();
  place(d.line, d.label, threshold(), QStringLiteral("%1") + score, 0.99);
  place(d.ownLine, d.ownLabel, d.own, tr("own threshold %1"), 0.01);
}

QPointF ScoreScatter::pixelOf(int series, std::size_t sample) const {
  const double score = impl_->series[series].scores[sample];
  return {canvas()->xAxis->coordToPixel(double(sample)),
          canvas()->yAxis->coordToPixel(impl_->shown(score))};
}

QRectF ScoreScatter::frame() const {
  return canvas()->axisRect()->rect();
}

QRectF ScoreScatter::labelBox(bool own) const {
  const QCPItemText* label = own ? impl_->ownLabel : impl_->label;
  return {label->topLeft->pixelPosition(), label->bottomRight->pixelPosition()};
}

SampleSet ScoreScatter::samplesWithin(const QRectF& pixels) const {
  SampleSet found;
  const Impl& d = *impl_;
  const QCPRange x(canvas()->xAxis->pixelToCoord(pixels.left()),
                   canvas()->xAxis->pixelToCoord(pixels.right()));
  const QCPRange y(canvas()->yAxis->pixelToCoord(pixels.bottom()),
                   canvas()->yAxis->pixelToCoord(pixels.top()));
  for (const HistogramSeries& series : d.series) {
    for (std::size_t i = 0; i < series.scores.size(); ++i) {
      if (x.contains(double(i)) && y.contains(d.shown(series.scores[i]))) {
        found.insert(series.side, qint64(i));
      }
    }
  }
  return found;
}

PlotTable ScoreScatter::table() const {
  const Impl& d = *impl_;
  PlotTable table;
  table.headers = {tr("image"), tr("anomaly score"), tr("bound only")};
  if (d.similarity) table.headers << tr("similarity");
  table.columns.resize(table.headers.size());
  for (const HistogramSeries& series : d.series) {
    for (std::size_t i = 0; i < series.scores.size(); ++i) {
      table.labels.append(series.name);
      table.columns[0].append(double(i));
      table.columns[1].append(series.scores[i]);
      table.columns[2].append(i < series.saturated.size() ? series.saturated[i] : 0);
      if (d.similarity) table.columns[3].append(d.shown(series.scores[i]));
    }
  }
  return table;
}

QString ScoreScatter::summary() const {
  const Impl& d = *impl_;
  if (isEmpty()) return tr("No scores yet.");
  const QLocale locale;
  QStringList parts;
  for (const HistogramSeries& series : d.series) {
    const auto total = qint64(series.scores.size());
    if (total == 0) continue;
    QString part = tr("%1: %2 images").arg(series.name, locale.toString(total));
    if (d.own) {
      const auto kept = std::count_if(series.scores.begin(), series.scores.end(),
                                      [&](double score) { return score <= *d.own; });
      part += tr(", %1 accepted at the detector's own threshold").arg(locale.toString(kept));
    }
    parts += part;
  }
  QString text = (d.similarity ? tr("Similarity of every image. %1.")
                               : tr("Anomaly score of every image. %1."))
                     .arg(parts.join(QStringLiteral("; ")));
  if (d.own) {
    text +=
        tr(" The detector's own threshold is at %1.").arg(locale.toString(d.shown(*d.own), 'g', 4));
  }
  return text;
}

bool ScoreScatter::isEmpty() const {
  return std::all_of(impl_->series.begin(), impl_->series.end(),
                     [](const HistogramSeries& series) { return series.scores.empty(); });
}

void ScoreScatter::applyTheme(const PlotTheme& theme) {
  SamplePlot::applyTheme(theme);
  Impl& d = *impl_;
  const bool many = isRaster();
  for (qsizetype i = 0; i < d.clouds.size(); ++i) {
    const bool out = d.series[i].side.out;
    QColor color = out ? theme.out : theme.in;
    color.setAlphaF(many ? 0.75F : 0.8F);
    d.clouds[i]->setStyle(color, out ? PointCloud::Square : PointCloud::Disc, many ? 3 : 5);
  }
  if (!d.selected) return;
  d.selected->setVisible(!onPaper());
  d.selected->setRings(theme.select);
  QFont small = font();
  small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
  d.line->setPen(QPen(theme.text, 1.6));
  d.ownLine->setPen(QPen(theme.text, 1.6, Qt::DashLine));
  d.label->setColor(theme.background);
  d.label->setBrush(theme.text);
  QColor ground = theme.background;
  ground.setAlphaF(0.85F);
  d.ownLabel->setColor(theme.text);
  d.ownLabel->setBrush(ground);
  for (QCPItemText* label : {d.label, d.ownLabel}) {
    label->setPen(Qt::NoPen);
    label->setFont(small);
  }
}

void ScoreScatter::fitAxes() {
  Impl& d = *impl_;
  QCPRange x(0, 1), y(0, 1);
  bool first = true;
  for (const PointCloud* cloud : d.clouds) {
    bool found = false;
    const QCPRange values = cloud->getValueRange(found);
    if (!found) continue;
    if (first) y = values;
    y.expand(values);
    x.expand(double(cloud->x().size() - 1));
    first = false;
  }
  // A threshold at the end of the points still has room for its label, between it and the frame.
  const double size = y.size() > 0 ? y.size() : 1;
  QCPRange room = y;
  if (!first && d.own) {
    const double own = d.shown(*d.own);
    room.expand(own - 0.1 * size);
    room.expand(own + 0.1 * size);
  }
  room.expand(y.lower - 0.05 * size);
  room.expand(y.upper + 0.05 * size);
  canvas()->xAxis->setRange(x.lower - 0.015 * x.size(), x.upper + 0.015 * x.size());
  canvas()->yAxis->setRange(room);
  placeThreshold();
}

void ScoreScatter::hover(const QPointF& pixel) {
  Impl& d = *impl_;
  ScorePlot::hover(pixel);
  const Impl::Point point = d.nearest(*canvas(), pixel);
  if (point.series < 0) {
    hoverLeft();
    return;
  }
  const HistogramSeries& series = d.series[point.series];
  const double at = d.shown(series.scores[point.sample]);
  showHoverDot(double(point.sample), at);
  QString value = numberText(at, 'g', 4);
  if (point.sample < series.saturated.size() && series.saturated[point.sample]) {
    value.prepend(series.side.out != d.similarity ? QStringLiteral("≤ ") : QStringLiteral("≥ "));
  }
  setReadout(
      QStringLiteral("%1 (%2) %3: %4")
          .arg(series.name, series.side.dataset, QLocale().toString(qint64(point.sample)), value));
}

SampleSet ScoreScatter::samplesAt(const QPointF& pixel) const {
  SampleSet found;
  const Impl::Point point = impl_->nearest(*canvas(), pixel);
  if (point.series >= 0) found.insert(impl_->series[point.series].side, qint64(point.sample));
  return found;
}

}  // namespace bulwark
