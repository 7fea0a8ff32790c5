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
constexpr double kSide = 0.05, kTop = 0.15;      // of a cell that points leave free
constexpr int kLeastCell = 120, kHeadings = 76;  // pixels

}  // namespace

struct ClassMapPlot::Impl {
  struct Point {
    std::size_t sample = 0;
    double x = 0, y = 0;  ///< within its cell, y downwards
    bool out = false;
  };
  struct Cell {
    const ClassMap::Layout* layout = nullptr;
    std::vector<Point> points;  ///< in and out of the set chosen
    qint64 outs = 0;
  };

  Map map;
  std::size_t part = 0;
  QString out;
  std::vector<Cell> cells;
  int columns = 1, current = -1;
  PointCloud* clouds[2] = {nullptr, nullptr};  ///< in, out
  PointCloud* selected = nullptr;
  QSize least;

  int rows() const { return (int(cells.size()) + columns - 1) / columns; }
  /// In the coordinates of the axes, where a cell is a square of length 1.
  QPointF at(std::size_t cell, const Point& point) const {
    return {double(int(cell) % columns) + point.x, double(int(cell) / columns) + point.y};
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
          painter.drawRect(cell(i).adjusted(2, 2, -2, -2));
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
          return cell(i).adjusted(3, 3, -3, -3) & canvas()->axisRect()->rect();
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
      Impl::Cell cell{&layout, {}, 0};
      if (layout.samples.empty()) continue;
      // All sets share the frame, so that images stay where they are when another is chosen.
      const auto [left, right] = std::minmax_element(layout.x.begin(), layout.x.end());
      const auto [low, high] = std::minmax_element(layout.y.begin(), layout.y.end());
      const double size = std::max({double(*right - *left) / (1 - 2 * kSide),
                                    double(*high - *low) / (1 - kTop - kSide), 1e-9});
      for (std::size_t i = 0; i < layout.samples.size(); ++i) {
        const SampleSide side = classMapSide(*d.map, layout.samples[i]);
        if (side.out && side.dataset != out) continue;
        const double x = 0.5 + (layout.x[i] - (*left + *right) / 2.0) / size;
        const double y = (1 + kTop - kSide) / 2 - (layout.y[i] - (*low + *high) / 2.0) / size;
        cell.points.push_back({layout.samples[i], x, y, side.out});
        cell.outs += side.out;
      }
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
  const int row = cell / impl_->columns, column = cell % impl_->columns;
  const QPointF from(canvas()->xAxis->coordToPixel(column), canvas()->yAxis->coordToPixel(row));
  const QPointF to(canvas()->xAxis->coordToPixel(column + 1),
                   canvas()->yAxis->coordToPixel(row + 1));
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
    if (point.sample != sample) continue;
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
  for (std::size_t cell = 0; cell < d.cells.size(); ++cell) {
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

// As many columns as make the cells largest; a unit is as long across as down.
void ClassMapPlot::arrange() {
  Impl& d = *impl_;
  const QSizeF room = canvas()->axisRect()->size();
  if (d.cells.empty() || room.isEmpty()) return;
  if (isZoomed()) {
    canvas()->yAxis->setScaleRatio(canvas()->xAxis, 1);
    return;
  }
  const int count = cells();
  double side = 0;
  int columns = 1;
  for (int across = 1; across <= count; ++across) {
    const int down = (count + across - 1) / across;
    const double fits = std::min(room.width() / across, room.height() / down);
    if (fits <= side) continue;
    side = fits;
    columns = across;
  }
  if (columns != d.columns) {
    d.columns = columns;
    place();
  }
  const double across = room.width() / side, down = room.height() / side;
  canvas()->xAxis->setRange((columns - across) / 2, (columns + across) / 2);
  canvas()->yAxis->setRange((d.rows() - down) / 2, (d.rows() + down) / 2);
}

void ClassMapPlot::fitAxes() {
  arrange();
}

void ClassMapPlot::enlarge(int cell) {
  const Impl& d = *impl_;
  const QSizeF room = canvas()->axisRect()->size();
  if (cell < 0 || cell >= cells() || room.isEmpty()) return;
  setZoomed();
  const double side = std::min(room.width(), room.height());
  const double across = room.width() / side, down = room.height() / side;
  const QPointF centre(cell % d.columns + 0.5, cell / d.columns + 0.5);
  canvas()->xAxis->setRange(centre.x() - across / 2, centre.x() + across / 2);
  canvas()->yAxis->setRange(centre.y() - down / 2, centre.y() + down / 2);
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
  d.selected->setRaster(x.size() > PointCloud::kMany);
  d.selected->setPoints(std::move(x), std::move(y));
}

SampleSet ClassMapPlot::samplesWithin(const QRectF& pixels) const {
  const Impl& d = *impl_;
  const QRectF area(QPointF(canvas()->xAxis->pixelToCoord(pixels.left()),
                            canvas()->yAxis->pixelToCoord(pixels.top())),
                    QPointF(canvas()->xAxis->pixelToCoord(pixels.right()),
                            canvas()->yAxis->pixelToCoord(pixels.bottom())));
  SampleSet found;
  for (std::size_t cell = 0; cell < d.cells.size(); ++cell) {
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
  table.labelHeader = tr("cell: set");
  table.headers = {tr("image"),
                   tr("x"),
                   tr("y"),
                   tr("predicted"),
                   tr("class"),
                   tr("anomaly score"),
                   tr("normality by the part")};
  table.columns.resize(table.headers.size());
  for (int cell = 0; cell < cells(); ++cell) {
    const ClassMap::Layout& layout = *d.cells[std::size_t(cell)].layout;
    const QString name = caption(cell);
    for (std::size_t i = 0; i < layout.samples.size(); ++i) {
      const SampleSide side = classMapSide(*d.map, layout.samples[i]);
      if (side.out && side.dataset != d.out) continue;
      const ClassMap::Sample& sample = d.map->samples[layout.samples[i]];
      table.labels.append(
          tr("%1: %2 (%3)").arg(name, side.dataset, side.out ? tr("out") : tr("in")));
      const double values[] = {double(sample.index),
                               double(layout.x[i]),
                               double(layout.y[i]),
                               double(sample.predicted),
                               sample.label < 0 ? std::nan("") : double(sample.label),
                               sample.score,
                               d.map->normality[layout.samples[i] * d.map->parts.size() + d.part]};
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
    QColor color = side ? theme.out : theme.in;
    color.setAlphaF(0.75F);
    d.clouds[side]->setStyle(color, side ? PointCloud::Square : PointCloud::Disc, many ? 3 : 4);
  }
  d.selected->setStyle(theme.select, PointCloud::Ring, 9);
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
