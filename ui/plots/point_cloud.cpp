#include "ui/plots/point_cloud.h"

#include <algorithm>
#include <cmath>

namespace bulwark {

namespace {

constexpr double kPrintScale = 3;  // pixels of a stamped image per point of a vector figure

QCPRange rangeOf(const QVector<double>& values, bool& found) {
  QCPRange range;
  found = false;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    if (!found) range = QCPRange(value, value);
    range.expand(value);
    found = true;
  }
  return range;
}

}  // namespace

PointCloud::PointCloud(QCPAxis* keyAxis, QCPAxis* valueAxis)
    : QCPAbstractPlottable(keyAxis, valueAxis) {
  setSelectable(QCP::stNone);
}

void PointCloud::setPoints(QVector<double> x, QVector<double> y) {
  const qsizetype count = std::min(x.size(), y.size());
  x_ = std::move(x);
  y_ = std::move(y);
  x_.resize(count);
  y_.resize(count);
}

void PointCloud::setStyle(const QColor& color, Shape shape, int size) {
  color_ = color;
  shape_ = shape;
  size_ = size;
}

void PointCloud::setRings(QColor color) {
  const qsizetype count = x_.size();
  const bool few = count <= 60, many = count > 400;
  color.setAlphaF(few ? 1.0F : many ? 0.35F : 0.65F);
  setStyle(color, Ring, few ? 9 : many ? 6 : 7);
  ring_ = few ? 2 : 1;
  raster_ = count > kMany;
}

QCPRange PointCloud::getKeyRange(bool& found, QCP::SignDomain) const {
  return rangeOf(x_, found);
}

QCPRange PointCloud::getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const {
  return rangeOf(y_, found);
}

void PointCloud::drawPoint(QPainter& painter, const QPointF& at, double size) const {
  const QRectF box(at.x() - size / 2, at.y() - size / 2, size, size);
  if (shape_ == Ring) {
    painter.setPen(QPen(color_, ring_));
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(box);
    return;
  }
  painter.setPen(Qt::NoPen);
  painter.setBrush(color_);
  if (shape_ == Square) {
    painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5));
  } else {
    painter.drawEllipse(box);
  }
}

void PointCloud::draw(QCPPainter* painter) {
  if (raster_) {
    drawRaster(*painter);
    return;
  }
  applyScattersAntialiasingHint(painter);
  for (qsizetype i = 0; i < x_.size(); ++i) {
    if (!std::isfinite(x_[i]) || !std::isfinite(y_[i])) continue;
    drawPoint(*painter, coordsToPixels(x_[i], y_[i]), size_);
  }
}

// The axes are linear, so a point costs two multiplications and a few pixels.
void PointCloud::drawRaster(QCPPainter& painter) const {
  const QRect area = mKeyAxis->axisRect()->rect();
  const double scale = painter.modes().testFlag(QCPPainter::pmVectorized)
                           ? kPrintScale
                           : parentPlot()->bufferDevicePixelRatio();
  QImage image((QSizeF(area.size()) * scale).toSize(), QImage::Format_ARGB32_Premultiplied);
  if (image.isNull()) return;
  image.fill(Qt::transparent);
  const int side = std::max(2, int(std::lround(size_ * scale)));
  // Of every row, what is stamped: a ring leaves out the middle.
  std::vector<std::pair<int, int>> spans(static_cast<std::size_t>(side)), holes(spans.size());
  const double hole = shape_ == Ring ? std::max(0.0, side / 2.0 - ring_ * scale) : 0.0;
  for (int row = 0; row < side; ++row) {
    const double dy = row + 0.5 - side / 2.0;
    const auto across = [&](double radius) {
      const double half = std::sqrt(std::max(0.0, radius * radius - dy * dy));
      return std::pair(int(std::lround(side / 2.0 - half)), int(std::lround(side / 2.0 + half)));
    };
    spans[std::size_t(row)] = shape_ == Square ? std::pair(0, side) : across(side / 2.0);
    holes[std::size_t(row)] = across(hole);
  }
  const QRgb ink = qPremultiply(color_.rgba());
  const QCPRange keys = mKeyAxis->range(), values = mValueAxis->range();
  // As the axes place a point, with pixels of the image.
  const QPointF low = coordsToPixels(keys.lower, values.lower) - area.topLeft();
  const QPointF high = coordsToPixels(keys.upper, values.upper) - area.topLeft();
  const double dx = (high.x() - low.x()) / keys.size(), dy = (high.y() - low.y()) / values.size();
  for (qsizetype i = 0; i < x_.size(); ++i) {
    if (!std::isfinite(y_[i]) || !keys.contains(x_[i]) || !values.contains(y_[i])) continue;
    const int left = int(std::lround((low.x() + (x_[i] - keys.lower) * dx) * scale - side / 2.0));
    const int top = int(std::lround((low.y() + (y_[i] - values.lower) * dy) * scale - side / 2.0));
    for (int row = std::max(0, -top); row < side && top + row < image.height(); ++row) {
      auto* line = reinterpret_cast<QRgb*>(image.scanLine(top + row));
      const auto [from, to] = spans[std::size_t(row)];
      const auto [open, closed] = holes[std::size_t(row)];
      const auto stamp = [&](int first, int last) {
        const int end = std::min(image.width(), left + last);
        for (int at = std::max(0, left + first); at < end; ++at) line[at] = ink;
      };
      stamp(from, open);
      stamp(closed, to);
    }
  }
  painter.drawImage(QRectF(area), image);
}

void PointCloud::drawLegendIcon(QCPPainter* painter, const QRectF& rect) const {
  applyScattersAntialiasingHint(painter);
  drawPoint(*painter, rect.center(), std::max(6, size_));
}

}  // namespace bulwark
