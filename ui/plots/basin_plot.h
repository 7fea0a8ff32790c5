#pragma once

#include <QImage>

#include "core/experiment/strip_file.h"
#include "ui/plots/plot_widget.h"

namespace bulwark {

/// Where one image ends up as it is perturbed more and more: the image after k passes for every
/// radius, and below its similarity to the clean image and to the input.
class BasinPlot : public PlotWidget {
  Q_OBJECT

 public:
  using Strips = std::shared_ptr<const IterationStrips>;

  explicit BasinPlot(QWidget* parent = nullptr);
  ~BasinPlot() override;

  /// Null: nothing to show. `passes`: k, cut to those that were recorded.
  void showSample(Strips strips, std::size_t sample, std::int64_t passes);
  int radii() const;
  QImage picture(int radius) const;
  QString caption(int radius) const;
  /// Where the points of a radius stand on the canvas.
  QPointF pixelOf(int radius, bool toClean) const;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
