#include "ui/widgets/image_view.h"

#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

namespace bulwark {

ImageView::ImageView(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  setToolTip(tr("Wheel zooms, drag moves, double click shows all; all three move together"));
}

void ImageView::setImage(const QImage& image) {
  image_ = image;
  update();
}

void ImageView::setView(double zoom, const QPointF& centre) {
  zoom_ = zoom;
  centre_ = centre;
  update();
}

// Where the whole image lies in widget coordinates.
QRectF ImageView::target() const {
  if (image_.isNull()) return {};
  const double fit = std::min(width() / double(image_.width()), height() / double(image_.height()));
  const QSizeF size = QSizeF(image_.size()) * fit * zoom_;
  return {width() / 2.0 - centre_.x() * size.width(), height() / 2.0 - centre_.y() * size.height(),
          size.width(), size.height()};
}

void ImageView::change(double zoom, QPointF centre) {
  zoom = std::clamp(zoom, 1.0, 64.0);
  const double margin = 0.5 / zoom;
  centre.setX(std::clamp(centre.x(), margin, 1 - margin));
  centre.setY(std::clamp(centre.y(), margin, 1 - margin));
  setView(zoom, centre);
  Q_EMIT viewChanged(zoom, centre);
}

void ImageView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  if (image_.isNull()) {
    painter.fillRect(rect(), palette().color(QPalette::Midlight));
    return;
  }
  painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
  painter.drawImage(target(), image_);
  if (hasFocus()) {
    painter.setPen(QPen(palette().color(QPalette::Highlight), 1));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

void ImageView::wheelEvent(QWheelEvent* event) {
  const QRectF whole = target();
  if (whole.isEmpty()) return;
  // The point under the mouse stays where it is.
  const QPointF at((event->position().x() - whole.x()) / whole.width(),
                   (event->position().y() - whole.y()) / whole.height());
  const double zoom =
      std::clamp(zoom_ * std::pow(1.25, event->angleDelta().y() / 120.0), 1.0, 64.0);
  change(zoom, at + (centre_ - at) * (zoom_ / zoom));
  event->accept();
}

void ImageView::mousePressEvent(QMouseEvent* event) {
  pressed_ = event->position();
}

void ImageView::mouseMoveEvent(QMouseEvent* event) {
  const QRectF whole = target();
  if (!(event->buttons() & Qt::LeftButton) || whole.isEmpty()) return;
  const QPointF moved = event->position() - pressed_;
  pressed_ = event->position();
  change(zoom_, centre_ - QPointF(moved.x() / whole.width(), moved.y() / whole.height()));
}

void ImageView::mouseDoubleClickEvent(QMouseEvent*) {
  change(1, {0.5, 0.5});
}

void ImageView::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Plus:
      change(zoom_ * 1.25, centre_);
      break;
    case Qt::Key_Minus:
      change(zoom_ / 1.25, centre_);
      break;
    case Qt::Key_0:
      change(1, {0.5, 0.5});
      break;
    default:
      QWidget::keyPressEvent(event);
  }
}

}  // namespace bulwark
