#pragma once

#include <optional>

#include "ui/plots/histogram_bins.h"
#include "ui/plots/sample_plot.h"

namespace bulwark {

/// One point per image, its number in the set against its score, in and out told apart, with the
/// movable threshold of the page and the detector's own (Alipour and Seyyedsalehi, figures 8, 13).
class ScoreScatter : public ScorePlot {
  Q_OBJECT

 public:
  explicit ScoreScatter(QWidget* parent = nullptr);
  ~ScoreScatter() override;

  /// Shows similarities, which are 1 - score, instead of anomaly scores.
  void setSimilarity(bool on);
  bool similarity() const;
  void setSeries(const QVector<HistogramSeries>& series);
  const QVector<HistogramSeries>& series() const;
  /// The threshold that the detector brings along, drawn dashed.
  void setOwnThreshold(std::optional<double> threshold);
  std::optional<double> ownThreshold() const;

  /// Where a sample is drawn on the canvas.
  QPointF pixelOf(int series, std::size_t sample) const;
  /// The rectangle of the axes on the canvas.
  QRectF frame() const;
  /// Where the label of the page's threshold stands on the canvas, or that of the detector's own.
  QRectF labelBox(bool own) const;
  /// The points are too many to be drawn one by one.
  bool isRaster() const;
  SampleSet samplesWithin(const QRectF& pixels) const override;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  double shown(double score) const override;
  void placeThreshold() override;
  SampleSet samplesAt(const QPointF& pixel) const override;
  void selectionChanged() override;
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;

 private:
  struct Impl;
  void rebuild();
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
