#pragma once

#include <QVector>

#include <qcustomplot.h>

namespace bulwark {

/// Points in the order in which they were given, which QCPGraph would sort by key: point i stays
/// sample i. Many of them are stamped into one image instead of being drawn one by one.
class PointCloud : public QCPAbstractPlottable {
 public:
  enum Shape { Disc, Square, Ring };
  /// More points than this are better stamped.
  static constexpr qsizetype kMany = 5000;

  PointCloud(QCPAxis* keyAxis, QCPAxis* valueAxis);

  /// Of the same length; points that are not finite are left out of the drawing.
  void setPoints(QVector<double> x, QVector<double> y);
  const QVector<double>& x() const { return x_; }
  const QVector<double>& y() const { return y_; }
  void setStyle(const QColor& color, Shape shape, int size);
  /// Rings around points that other clouds draw: the more there are, the less they cover.
  void setRings(QColor color);
  /// Stamps the points. All clouds of one plot alike look alike.
  void setRaster(bool on) { raster_ = on; }
  bool raster() const { return raster_; }

  QCPRange getKeyRange(bool& found, QCP::SignDomain domain = QCP::sdBoth) const override;
  QCPRange getValueRange(bool& found, QCP::SignDomain domain = QCP::sdBoth,
                         const QCPRange& keys = QCPRange()) const override;
  double selectTest(const QPointF&, bool, QVariant* = nullptr) const override { return -1; }

 protected:
  void draw(QCPPainter* painter) override;
  void drawLegendIcon(QCPPainter* painter, const QRectF& rect) const override;

 private:
  void drawPoint(QPainter& painter, const QPointF& at, double size) const;
  void drawRaster(QCPPainter& painter) const;

  QVector<double> x_, y_;
  QColor color_ = Qt::black;
  Shape shape_ = Disc;
  int size_ = 5;
  double ring_ = 2;  ///< width of its line
  bool raster_ = false;
};

}  // namespace bulwark
