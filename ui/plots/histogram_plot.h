#pragma once

#include <optional>

#include "ui/plots/histogram_bins.h"
#include "ui/plots/sample_plot.h"

namespace bulwark {

/// Score histograms of in and out, clean and attacked, over shared bins, with a threshold line. The
/// samples of a mark are those of a bar.
class HistogramPlot : public ScorePlot {
  Q_OBJECT

 public:
  explicit HistogramPlot(QWidget* parent = nullptr);
  ~HistogramPlot() override;

  void setSeries(const QVector<HistogramSeries>& series);
  /// 0: as many as the smallest set can fill.
  void setBinCount(int bins);
  void setLogScale(bool on);
  bool logScale() const;
  const HistogramBins& bins() const;
  /// Samples of every shown series whose score is in [low, high], saturated ones by their edge.
  SampleSet samplesBetween(double low, double high) const;
  SampleSet samplesWithin(const QRectF& pixels) const override;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  void placeThreshold() override;
  SampleSet samplesAt(const QPointF& pixel) const override;
  /// Draws the selected samples of the clean series on top.
  void selectionChanged() override;
  QRectF banded(const QRectF& dragged) const override;
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;
  void mouseDrag(const QPointF& pixel) override;

 private:
  struct Impl;
  void rebuild();
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
