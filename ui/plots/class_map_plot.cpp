#include "ui/plots/class_map_plot.h"

#include <QLocale>
#include <algorithm>
#include <cmath>
#include <limits>

#include "ui/models/class_map_text.h"
#include "ui/plots/painted_area.h"
#include "ui/plots/point_cloud.h"

namespace bulwark {

namespace {

constexpr double kReach = 8;                     // pixels from the mouse to a point that is meant
constexpr double kSide = 0.05, kTop = 0.15;      // of a cell's height that points leave free
constexpr double kTopAlone = 0.07;               // the same of a cell that fills the plot
constexpr double kTall = 0.75, kWide = 1.9;      // width of a cell, in heights
constexpr int kLeastCell = 120, kHeadings = 76;  // pixels

}  // namespace

struct ClassMapPlot::Impl {
  struct Point {
    std::size_t sample = 0;
    double x = 0, y = 0;  ///< of the layout, y upwards
    bool out = false;
  };
  struct Cell {
    const ClassMap::Layout* layout = nullptr;
    std::vector<Point> points;  ///< in and out of the set chosen
    QRectF bounds;              ///< of these points
    qint64 outs = 0;
  };

  Map map;
  std::size_t part = 0;
  QString out;
  std::vector<Cell> cells;
  int columns = 1, current = -1;
  double aspect = 1;  ///< width of a cell where its height is 1, the unit of the axes
  int enlarged = -1;  ///< the cell that fills the plot alone; -1: all are shown
  QRectF fitted;      ///< the range of the axes that the cells were arranged in
  int placed = -1;    ///< what `enlarged` was when the points were placed
  PointCloud* clouds[2] = {nullptr, nullptr};  ///< in, out
  PointCloud* selected = nullptr;
  QSize least;

  int rows(int across) const { return (int(cells.size()) + across - 1) / across; }
  bool shows(std::size_t cell) const { return enlarged < 0 || std::size_t(enlarged) == cell; }
  QPointF corner(std::size_t cell) const {
    if (enlarged >= 0) return {};
    return {aspect * (int(cell) % columns), double(int(cell) / columns)};
  }
  double top() const { return enlarged >= 0 ? kTopAlone : kTop; }
  /// Units of the axes per unit of the layout, the same in both directions.
  double scale(const Cell& cell, double width) const {
    return std::min((width - 2 * kSide) / std::max(cell.bounds.width(), 1e-9),
                    (1 - top() - kSide) / std::max(cell.bounds.height(), 1e-9));
  }
  /// In the coordinates of the axes.
  QPointF at(std::size_t cell, const Point& point) const {
    const Cell& in = cells[cell];
    const double unit = scale(in, aspect);
    const QPointF from = corner(cell), centre = in.bounds.center();
    return {from.x() + aspect / 2 + unit * (point.x - centre.x()),
            from.y() + (1 + top() - kSide) / 2 - unit * (point.y - centre.y())};
  }
};

ClassMapPlot::ClassMapPlot(QWidget* parent) : SamplePlot(parent), impl_(std::make_unique<Impl>()) {
  Impl& d = *impl_;
  for (QCPAxis* axis : {canvas()->xAxis, canvas()->yAxis, canvas()->xAxis2, canvas()->yAxis2}) {
    axis->setVisible(false);
    axis->grid()->setVisible(false);
  }
  canvas()->axisRect()->setMinimumMargins(QMargins(2, 2, 2, 2));
  canvas()->yAxis->setRangeReversed(true);
  const auto font = [this] {
    QFont small = this->font();
    small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
    return small;
  };
  new PaintedArea(
      canvas(),
      [this](QCPPainter& painter) {
        painter.setBrush(Qt::NoBrush);
        for (int i = 0; i < cells(); ++i) {
          const bool here = i == impl_->current && canvas()->hasFocus();
          painter.setPen(here ? QPen(theme().accent, 2) : QPen(theme().grid, 1));
          if (!cell(i).isEmpty()) painter.drawRect(cell(i).adjusted(2, 2, -2, -2));
        }
      },
      QStringLiteral("grid"));
  for (PointCloud*& cloud : d.clouds) cloud = new PointCloud(canvas()->xAxis, canvas()->yAxis);
  d.selected = new PointCloud(canvas()->xAxis, canvas()->yAxis);
  d.selected->removeFromLegend();
  new PaintedArea(
      canvas(),
      [this, font](QCPPainter& painter) {
        const QFontMetricsF metrics(font());
        QColor ground = theme().background;
        ground.setAlphaF(0.8F);
        painter.setFont(font());
        const auto boxOf = [this](int i) {
          const QRectF box = cell(i);
          return box.isEmpty() ? box : box.adjusted(3, 3, -3, -3) & canvas()->axisRect()->rect();
        };
        const auto countsOf = [this](int i) {
          const Impl::Cell& of = impl_->cells[std::size_t(i)];
          return tr("%1 in, %2 out")
              .arg(QLocale().toString(qint64(of.points.size()) - of.outs),
                   QLocale().toString(of.outs));
        };
        // The counts stand beside the names where there is room in every cell, else below.
        bool beside = true;
        for (int i = 0; i < cells(); ++i) {
          if (!impl_->shows(std::size_t(i))) continue;
          beside = beside && metrics.horizontalAdvance(caption(i)) +
                                     metrics.horizontalAdvance(countsOf(i)) + 20 <=
                                 boxOf(i).width();
        }
        for (int i = 0; i < cells(); ++i) {
          const QRectF box = boxOf(i);
          if (box.width() < 24 || box.height() < 16) continue;
          const QString name = metrics.elidedText(caption(i), Qt::ElideRight, box.width() - 8);
          QRectF bar(box.topLeft(),
                     QSizeF(metrics.horizontalAdvance(name) + 8, metrics.height() + 2));
          painter.fillRect(bar, ground);
          painter.setPen(theme().text);
          painter.drawText(bar.adjusted(4, 0, -4, 0), Qt::AlignLeft | Qt::AlignVCenter, name);
          const QString counts = countsOf(i);
          bar.setWidth(metrics.horizontalAdvance(counts) + 8);
          if (bar.width() > box.width() || (!beside && box.height() < 3 * bar.height())) continue;
          bar.moveRight(box.right());
          if (!beside) bar.moveBottom(box.bottom());
          painter.fillRect(bar, ground);
          painter.setPen(theme().muted);
          painter.drawText(bar, Qt::AlignCenter, counts);
        }
      },
      QStringLiteral("legend"));
  // Only then the size of the plot is known.
  connect(canvas(), &QCustomPlot::afterLayout, this, &ClassMapPlot::arrange);
  setTitle(tr("Images by predicted class"));
  setFileStem(QStringLiteral("class-map"));
}

ClassMapPlot::~ClassMapPlot() = default;

void ClassMapPlot::showMap(Map map, std::size_t part, const QString& out) {
  Impl& d = *impl_;
  d.map = std::move(map);
  d.part = part;
  d.out = out;
  d.cells.clear();
  QString in;
  bool known = false;
  if (d.map) {
    for (const ClassMap::Set& set : d.map->sets) {
      const QString name = QString::fromStdString(set.name);
      if (set.role != "out") in = name;
      known = known || (set.role == "out" && name == out);
    }
    for (const ClassMap::Layout& layout : d.map->layouts) {
      if (layout.part != part) continue;
      if (layout.samples.empty()) continue;
      Impl::Cell cell{&layout, {}, {}, 0};
      double left = 0, right = 0, low = 0, high = 0;
      for (std::size_t i = 0; i < layout.samples.size(); ++i) {
        const SampleSide side = classMapSide(*d.map, layout.samples[i]);
        if (side.out && side.dataset != out) continue;
        const double x = layout.x[i], y = layout.y[i];
        const bool first = cell.points.empty();
        left = first ? x : std::min(left, x);
        right = first ? x : std::max(right, x);
        low = first ? y : std::min(low, y);
        high = first ? y : std::max(high, y);
        cell.points.push_back({layout.samples[i], x, y, side.out});
        cell.outs += side.out;
      }
      cell.bounds = QRectF(left, low, right - left, high - low);
      d.cells.push_back(std::move(cell));
    }
    setTitle(tr("%1 by the %2")
                 .arg(QString::fromStdString(d.map->detector), classMapPart(*d.map, part)));
  } else {
    setTitle(tr("Images by predicted class"));
  }
  if (d.current >= cells()) d.current = -1;
  d.clouds[0]->setName(tr("in: %1").arg(in));
  d.clouds[1]->setName(known ? tr("out: %1").arg(out) : tr("out: %1 has no images here").arg(out));
  const int across = std::max(1, int(std::ceil(std::sqrt(1.5 * cells()))));
  setExportSize({across * 170 + 20, (cells() + across - 1) / across * 170 + 40});
  if (d.enlarged >= cells()) resetView();
  place();
  updateGeometry();
  dataChanged();
}

int ClassMapPlot::cells() const {
  return int(impl_->cells.size());
}

int ClassMapPlot::columns() const {
  return impl_->columns;
}

std::int64_t ClassMapPlot::predictedOf(int cell) const {
  return impl_->cells[std::size_t(cell)].layout->predicted;
}

QString ClassMapPlot::caption(int cell) const {
  return classMapTitle(*impl_->map, predictedOf(cell));
}

QString ClassMapPlot::sentence(int cell) const {
  const Impl::Cell& of = impl_->cells[std::size_t(cell)];
  const QLocale locale;
  QString text = tr("%1: %2 in and %3 out images")
                     .arg(caption(cell), locale.toString(qint64(of.points.size()) - of.outs),
                          locale.toString(of.outs));
  if (std::isfinite(of.layout->trustworthiness)) {
    text += tr("; trustworthiness of the layout %1")
                .arg(locale.toString(of.layout->trustworthiness, 'f', 3));
  }
  return text;
}

QRectF ClassMapPlot::cell(int cell) const {
  const Impl& d = *impl_;
  if (!d.shows(std::size_t(cell))) return {};
  const QPointF corner = d.corner(std::size_t(cell));
  const QPointF from(canvas()->xAxis->coordToPixel(corner.x()),
                     canvas()->yAxis->coordToPixel(corner.y()));
  const QPointF to(canvas()->xAxis->coordToPixel(corner.x() + d.aspect),
                   canvas()->yAxis->coordToPixel(corner.y() + 1));
  return QRectF(from, to).normalized();
}

std::vector<std::size_t> ClassMapPlot::shown(int cell) const {
  std::vector<std::size_t> samples;
  for (const Impl::Point& point : impl_->cells[std::size_t(cell)].points) {
    samples.push_back(point.sample);
  }
  return samples;
}

QPointF ClassMapPlot::pixelOf(int cell, std::size_t sample) const {
  const Impl& d = *impl_;
  for (const Impl::Point& point : d.cells[std::size_t(cell)].points) {
    if (point.sample != sample || !d.shows(std::size_t(cell))) continue;
    const QPointF at = d.at(std::size_t(cell), point);
    return {canvas()->xAxis->coordToPixel(at.x()), canvas()->yAxis->coordToPixel(at.y())};
  }
  return {std::nan(""), std::nan("")};
}

int ClassMapPlot::current() const {
  return impl_->current;
}

// Points where the cells are.
void ClassMapPlot::place() {
  Impl& d = *impl_;
  QVector<double> x[2], y[2];
  qsizetype all = 0;
  d.placed = d.enlarged;
  for (std::size_t cell = 0; cell < d.cells.size(); ++cell) {
    if (!d.shows(cell)) continue;
    for (const Impl::Point& point : d.cells[cell].points) {
      const QPointF at = d.at(cell, point);
      x[point.out].append(at.x());
      y[point.out].append(at.y());
      ++all;
    }
  }
  for (int side = 0; side < 2; ++side) {
    d.clouds[side]->setRaster(all > PointCloud::kMany);
    d.clouds[side]->setPoints(std::move(x[side]), std::move(y[side]));
  }
  selectionChanged();
}

// As many columns as make the layouts largest, and cells as wide as that leaves them; a unit is as
// long across as down.
void ClassMapPlot::arrange() {
  Impl& d = *impl_;
  const QSizeF room = canvas()->axisRect()->size();
  if (d.cells.empty() || room.isEmpty()) return;
  const auto range = [this] {
    const QCPRange x = canvas()->xAxis->range(), y = canvas()->yAxis->range();
    return QRectF(x.lower, y.lower, x.size(), y.size());
  };
  // What somebody has moved or zoomed stays; a cell that fills the plot goes on filling it.
  if (isZoomed() && (d.enlarged < 0 || range() != d.fitted)) {
    canvas()->yAxis->setScaleRatio(canvas()->xAxis, 1);
    return;
  }
  const int count = cells();
  int columns = d.columns, across = 1, down = 1;
  double aspect = room.width() / room.height();
  if (d.enlarged < 0) {
    double most = -std::numeric_limits<double>::infinity();
    for (int tried = 1; tried <= count; ++tried) {
      const double width = room.width() / tried, height = room.height() / d.rows(tried);
      const double shape = std::clamp(width / height, kTall, kWide);
      const double unit = std::min(width / shape, height);  // pixels
      double sizes = 0;  // of all layouts alike, however large their own units are
      for (const Impl::Cell& cell : d.cells) sizes += std::log(unit * d.scale(cell, shape));
      if (sizes <= most) continue;
      most = sizes;
      columns = tried;
      aspect = shape;
    }
    across = columns;
    down = d.rows(columns);
  }
  if (columns != d.columns || std::abs(aspect - d.aspect) > 1e-3 * aspect ||
      d.enlarged != d.placed) {
    d.columns = columns;
    d.aspect = aspect;
    place();
  }
  const double unit = std::min(room.width() / (across * d.aspect), room.height() / down);
  const double wide = room.width() / unit, high = room.height() / unit;
  canvas()->xAxis->setRange((across * d.aspect - wide) / 2, (across * d.aspect + wide) / 2);
  canvas()->yAxis->setRange((down - high) / 2, (down + high) / 2);
  d.fitted = range();
}

void ClassMapPlot::fitAxes() {
  impl_->enlarged = -1;
  arrange();
}

// Nothing of the other cells beside it.
void ClassMapPlot::enlarge(int cell) {
  Impl& d = *impl_;
  if (cell < 0 || cell >= cells() || canvas()->axisRect()->size().isEmpty()) return;
  resetView();
  d.enlarged = cell;
  arrange();
  setZoomed();
  queueReplot();
}

int ClassMapPlot::cellAt(const QPointF& pixel) const {
  for (int i = 0; i < cells(); ++i) {
    if (cell(i).contains(pixel)) return i;
  }
  return -1;
}

void ClassMapPlot::selectionChanged() {
  Impl& d = *impl_;
  QVector<double> x, y;
  if (!selection().empty()) {
    for (std::size_t cell = 0; cell < d.cells.size(); ++cell) {
      if (!d.shows(cell)) continue;
      for (const Impl::Point& point : d.cells[cell].points) {
        if (!selection().contains(classMapSide(*d.map, point.sample),
                                  d.map->samples[point.sample].index)) {
          continue;
        }
        const QPointF at = d.at(cell, point);
        x.append(at.x());
        y.append(at.y());
      }
    }
  }
  d.selected->setPoints(std::move(x), std::move(y));
  d.selected->setRings(theme().select);
}

SampleSet ClassMapPlot::samplesWithin(const QRectF& pixels) const {
  const Impl& d = *impl_;
  const QRectF area(QPointF(canvas()->xAxis->pixelToCoord(pixels.left()),
                            canvas()->yAxis->pixelToCoord(pixels.top())),
                    QPointF(canvas()->xAxis->pixelToCoord(pixels.right()),
                            canvas()->yAxis->pixelToCoord(pixels.bottom())));
  SampleSet found;
  for (std::size_t cell = 0; cell < d.cells.size(); ++cell) {
    if (!d.shows(cell)) continue;
    for (const Impl::Point& point : d.cells[cell].points) {
      if (!area.contains(d.at(cell, point))) continue;
      found.insert(classMapSide(*d.map, point.sample), d.map->samples[point.sample].index);
    }
  }
  return found;
}

std::optional<ClassMapPlot::Found> ClassMapPlot::nearest(const QPointF& pixel) const {
  const int cell = cellAt(pixel);
  if (cell < 0) return std::nullopt;
  std::optional<Found> found;
  double best = kReach * kReach;
  for (const Impl::Point& point : impl_->cells[std::size_t(cell)].points) {
    const QPointF at = impl_->at(std::size_t(cell), point);
    const double dx = canvas()->xAxis->coordToPixel(at.x()) - pixel.x();
    const double dy = canvas()->yAxis->coordToPixel(at.y()) - pixel.y();
    if (dx * dx + dy * dy > best) continue;
    best = dx * dx + dy * dy;
    found = Found{point.sample, at};
  }
  return found;
}

SampleSet ClassMapPlot::samplesAt(const QPointF& pixel) const {
  SampleSet samples;
  if (const auto found = nearest(pixel)) {
    const ClassMap& map = *impl_->map;
    samples.insert(classMapSide(map, found->sample), map.samples[found->sample].index);
  }
  return samples;
}

PlotTable ClassMapPlot::table() const {
  const Impl& d = *impl_;
  PlotTable table;
  // Plain names: this is read by programs.
  table.labelHeader = QStringLiteral("class");
  table.textHeaders = {QStringLiteral("part"), QStringLiteral("set"), QStringLiteral("role")};
  table.texts.resize(table.textHeaders.size());
  table.headers = {QStringLiteral("index"),     QStringLiteral("x"),     QStringLiteral("y"),
                   QStringLiteral("predicted"), QStringLiteral("label"), QStringLiteral("score"),
                   QStringLiteral("normality")};
  table.columns.resize(table.headers.size());
  for (int cell = 0; cell < cells(); ++cell) {
    const QString name = caption(cell), part = classMapPart(*d.map, d.part);
    for (const Impl::Point& point : d.cells[std::size_t(cell)].points) {
      const SampleSide side = classMapSide(*d.map, point.sample);
      const ClassMap::Sample& sample = d.map->samples[point.sample];
      table.labels.append(name);
      table.texts[0].append(part);
      table.texts[1].append(side.dataset);
      table.texts[2].append(side.out ? QStringLiteral("out") : QStringLiteral("in"));
      const double values[] = {double(sample.index),
                               point.x,
                               point.y,
                               double(sample.predicted),
                               sample.label < 0 ? std::nan("") : double(sample.label),
                               sample.score,
                               d.map->normality[point.sample * d.map->parts.size() + d.part]};
      for (qsizetype column = 0; column < table.columns.size(); ++column) {
        table.columns[column].append(values[column]);
      }
    }
  }
  return table;
}

QString ClassMapPlot::summary() const {
  if (isEmpty()) return tr("No class map.");
  QStringList parts;
  for (int cell = 0; cell < cells(); ++cell) parts += sentence(cell);
  return tr("Images in the plane by their features, class by class: %1. %2.")
      .arg(title(), parts.join(QStringLiteral(". ")));
}

bool ClassMapPlot::isEmpty() const {
  return impl_->cells.empty();
}

QSize ClassMapPlot::minimumSizeHint() const {
  const int across = std::max(1, canvas()->width() / kLeastCell);
  const int down = (cells() + across - 1) / across;
  return {3 * kLeastCell, down * kLeastCell + kHeadings};
}

void ClassMapPlot::applyTheme(const PlotTheme& theme) {
  SamplePlot::applyTheme(theme);
  Impl& d = *impl_;
  const bool many = d.clouds[0]->raster();
  for (int side = 0; side < 2; ++side) {
    // On a dark ground a mark that is seen through is dim; a square is drawn smaller than a disc.
    QColor color = side ? theme.out : theme.in;
    color.setAlphaF(theme.dark ? 0.95F : 0.75F);
    d.clouds[side]->setStyle(color, side ? PointCloud::Square : PointCloud::Disc,
                             (many ? 3 : 4) + side);
  }
  d.selected->setVisible(!onPaper());  // it is of the window, not of the figure
  d.selected->setRings(theme.select);
}

void ClassMapPlot::hover(const QPointF& pixel) {
  const Impl& d = *impl_;
  if (const auto found = nearest(pixel)) {
    showHoverDot(found->at.x(), found->at.y());
    setReadout(classMapSentence(*d.map, found->sample, d.part),
               classMapPicture(*d.map, found->sample));
    return;
  }
  hideHoverDot();
  const int cell = cellAt(pixel);
  setReadout(cell < 0 ? QString() : sentence(cell));
}

// What the arrow keys are at is told again once the mouse has gone.
void ClassMapPlot::hoverLeft() {
  hideHoverDot();
  setReadout(impl_->current >= 0 && !isEmpty() ? sentence(impl_->current) : QString());
}

bool ClassMapPlot::keyPressed(int key, Qt::KeyboardModifiers modifiers) {
  Impl& d = *impl_;
  int step = 0;
  switch (key) {
    case Qt::Key_Left:
      step = -1;
      break;
    case Qt::Key_Right:
      step = 1;
      break;
    case Qt::Key_Up:
      step = -d.columns;
      break;
    case Qt::Key_Down:
      step = d.columns;
      break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (isZoomed()) {
        resetView();
      } else {
        enlarge(d.current);
      }
      return true;
    case Qt::Key_Escape:
      if (!isZoomed()) return false;
      resetView();
      return true;
    case Qt::Key_Space: {
      if (d.current < 0) return false;
      SampleSet samples;
      for (const std::size_t sample : shown(d.current)) {
        samples.insert(classMapSide(*d.map, sample), d.map->samples[sample].index);
      }
      Q_EMIT samplesPicked(samples, modifiers);
      return true;
    }
    default:
      return false;
  }
  const int to = d.current < 0 ? 0 : d.current + step;
  if (to >= 0 && to < cells()) d.current = to;
  if (isZoomed()) enlarge(d.current);
  hoverLeft();
  canvas()->setAccessibleDescription(readout());
  queueReplot();
  return true;
}

bool ClassMapPlot::eventFilter(QObject* watched, QEvent* event) {
  const bool whole = !isZoomed();
  const bool used = SamplePlot::eventFilter(watched, event);
  if (watched != canvas()) return used;
  if (event->type() == QEvent::MouseButtonDblClick && whole) {
    enlarge(cellAt(static_cast<QMouseEvent*>(event)->position()));
  }
  // How high the plot must be depends on how wide it is.
  if (event->type() == QEvent::Resize && minimumSizeHint() != impl_->least) {
    impl_->least = minimumSizeHint();
    updateGeometry();
  }
  if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut) queueReplot();
  return used;
}

}  // namespace bulwark
