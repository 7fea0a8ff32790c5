#pragma once

#include <functional>

#include <qcustomplot.h>

namespace bulwark {

/// What its owner paints within the axes. The canvas owns it.
class PaintedArea : public QCPLayerable {
 public:
  explicit PaintedArea(QCustomPlot* plot, std::function<void(QCPPainter&)> paint,
                       const QString& layer = QStringLiteral("main"))
      : QCPLayerable(plot, layer), paint_(std::move(paint)) {}

 protected:
  QRect clipRect() const override { return parentPlot()->axisRect()->rect(); }
  void applyDefaultAntialiasingHint(QCPPainter*) const override {}
  void draw(QCPPainter* painter) override { paint_(*painter); }

 private:
  std::function<void(QCPPainter&)> paint_;
};

}  // namespace bulwark
