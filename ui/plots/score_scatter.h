#pragma once

#include <optional>

#include "ui/plots/histogram_bins.h"
#include "ui/plots/plot_widget.h"

namespace bulwark {

/// One point per image, its number in the set against its score, in and out told apart, with the
/// movable threshold of the page and the detector's own (Alipour and Seyyedsalehi, figures 8, 13).
///
/// The threshold line is dragged with the mouse or moved with the arrow keys. A click on a point
/// selects its sample, Ctrl and drag selects a rectangle; Shift adds, Alt removes.
class ScoreScatter : public PlotWidget {
  Q_OBJECT

 public:
  explicit ScoreScatter(QWidget* parent = nullptr);
  ~ScoreScatter() override;

  /// Shows similarities, which are 1 - score, instead of anomaly scores.
  void setSimilarity(bool on);
  bool similarity() const;
  void setSeries(const QVector<HistogramSeries>& series);
  const QVector<HistogramSeries>& series() const;
  /// An anomaly score, as all thresholds here. Moves the line without a signal; only the overlay is
  /// redrawn.
  void setThreshold(std::optional<double> threshold);
  std::optional<double> threshold() const;
  /// The threshold that the detector brings along, drawn dashed.
  void setOwnThreshold(std::optional<double> threshold);
  std::optional<double> ownThreshold() const;
  void setSelection(const SampleSet& selection);

  /// Where a sample is drawn on the canvas.
  QPointF pixelOf(int series, std::size_t sample) const;
  /// Pixel of a threshold on the canvas.
  double thresholdPixel(double threshold) const;
  /// The rectangle of the axes on the canvas.
  QRectF frame() const;
  /// Where the label of the page's threshold stands on the canvas, or that of the detector's own.
  QRectF labelBox(bool own) const;
  /// The points are too many to be drawn one by one.
  bool isRaster() const;
  /// Samples drawn within a rectangle of the canvas.
  SampleSet samplesWithin(const QRectF& pixels) const;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 Q_SIGNALS:
  /// While the user drags or presses the arrow keys; an anomaly score.
  void thresholdMoved(double threshold);
  void samplesPreviewed(const bulwark::SampleSet& samples, Qt::KeyboardModifiers modifiers);
  void samplesPicked(const bulwark::SampleSet& samples, Qt::KeyboardModifiers modifiers);

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  bool eventFilter(QObject* watched, QEvent* event) override;
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
  void placeLines();
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
