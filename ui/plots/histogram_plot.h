#pragma once

#include <optional>

#include "ui/plots/histogram_bins.h"
#include "ui/plots/plot_widget.h"

namespace bulwark {

/// Score histograms of in and out, clean and attacked, over shared bins, with a threshold line.
///
/// The line is dragged with the mouse or moved with the arrow keys. A click on a bar selects its
/// samples, Ctrl and drag selects a range; Shift adds, Alt removes.
class HistogramPlot : public PlotWidget {
  Q_OBJECT

 public:
  explicit HistogramPlot(QWidget* parent = nullptr);
  ~HistogramPlot() override;

  void setSeries(const QVector<HistogramSeries>& series);
  /// 0: as many as the smallest set can fill.
  void setBinCount(int bins);
  void setLogScale(bool on);
  bool logScale() const;
  /// Moves the line without a signal; only the overlay is redrawn.
  void setThreshold(std::optional<double> threshold);
  std::optional<double> threshold() const;
  /// Draws the selected samples of the clean series on top.
  void setSelection(const SampleSet& selection);
  const HistogramBins& bins() const;
  /// Samples of every shown series whose score is in [low, high], saturated ones by their edge.
  SampleSet samplesBetween(double low, double high) const;
  /// Pixel of the threshold line on the canvas.
  double thresholdPixel() const;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 Q_SIGNALS:
  /// While the user drags or presses the arrow keys.
  void thresholdMoved(double threshold);
  void samplesPreviewed(const bulwark::SampleSet& samples, Qt::KeyboardModifiers modifiers);
  void samplesPicked(const bulwark::SampleSet& samples, Qt::KeyboardModifiers modifiers);

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;
  bool mousePress(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;
  void mouseDrag(const QPointF& pixel) override;
  void mouseRelease(const QPointF& pixel) override;
  void clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;
  bool keyPressed(int key, Qt::KeyboardModifiers modifiers) override;

 private:
  struct Impl;
  void rebuild();
  void rebuildSelection();
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
