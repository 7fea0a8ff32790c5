#pragma once

#include <QImage>
#include <QWidget>

namespace bulwark {

/// One image, enlarged without smoothing. Wheel zooms, drag moves, double click shows all of it.
///
/// Several views of images of one size stay in step through `viewChanged` and `setView`.
class ImageView : public QWidget {
  Q_OBJECT

 public:
  explicit ImageView(QWidget* parent = nullptr);

  void setImage(const QImage& image);
  const QImage& image() const { return image_; }
  double zoom() const { return zoom_; }
  QPointF centre() const { return centre_; }
  QSize sizeHint() const override { return {220, 220}; }
  QSize minimumSizeHint() const override { return {80, 80}; }

 public Q_SLOTS:
  /// `zoom`: 1 shows all; `centre` in shares of the image.
  void setView(double zoom, const QPointF& centre);

 Q_SIGNALS:
  void viewChanged(double zoom, const QPointF& centre);

 protected:
  void paintEvent(QPaintEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  QRectF target() const;
  void change(double zoom, QPointF centre);

  QImage image_;
  double zoom_ = 1;
  QPointF centre_{0.5, 0.5};
  QPointF pressed_;
};

}  // namespace bulwark
