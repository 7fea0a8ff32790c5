#pragma once

#include <QTimer>
#include <optional>

#include "ui/bridge/selection_hub.h"
#include "ui/plots/plot_widget.h"

class QCPAxis;
class QCPItemRect;

namespace bulwark {

/// A plot whose marks are samples. A click selects those of a mark, Ctrl and drag those of a
/// rectangle, a click beside all marks none; Shift adds, Alt removes.
class SamplePlot : public PlotWidget {
  Q_OBJECT

 public:
  void setSelection(const SampleSet& selection);
  const SampleSet& selection() const { return selection_; }
  /// Samples drawn within a rectangle of the canvas.
  virtual SampleSet samplesWithin(const QRectF& pixels) const = 0;

 Q_SIGNALS:
  void samplesPreviewed(const bulwark::SampleSet& samples, Qt::KeyboardModifiers modifiers);
  void samplesPicked(const bulwark::SampleSet& samples, Qt::KeyboardModifiers modifiers);

 protected:
  explicit SamplePlot(QWidget* parent = nullptr);

  /// Those that a click at the pixel means.
  virtual SampleSet samplesAt(const QPointF& pixel) const = 0;
  /// Draws the selection, which is another one.
  virtual void selectionChanged() = 0;
  /// What is selected by dragging over a rectangle.
  virtual QRectF banded(const QRectF& dragged) const { return dragged; }

  void applyTheme(const PlotTheme& theme) override;
  bool eventFilter(QObject* watched, QEvent* event) override;
  bool mousePress(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;
  void mouseDrag(const QPointF& pixel) override;
  void mouseRelease(const QPointF& pixel) override;
  void clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;

 private:
  QRectF rectangle() const;

  SampleSet selection_;
  QCPItemRect* band_;
  QPointF bandFrom_, bandTo_;
  Qt::KeyboardModifiers bandModifiers_;
  QTimer clearing_;  ///< until a click beside all marks has turned out not to be a double click
  Qt::KeyboardModifiers clearingModifiers_;
};

/// Samples along an axis of anomaly scores, with a threshold that is dragged with the mouse or
/// moved with the arrow keys.
class ScorePlot : public SamplePlot {
  Q_OBJECT

 public:
  /// An anomaly score. Moves the line without a signal; only the overlay is redrawn.
  void setThreshold(std::optional<double> threshold);
  std::optional<double> threshold() const { return threshold_; }
  /// Pixel on the canvas of the threshold, or of another score.
  double thresholdPixel(std::optional<double> score = std::nullopt) const;

 Q_SIGNALS:
  /// While the user drags or presses the arrow keys; an anomaly score.
  void thresholdMoved(double threshold);

 protected:
  /// `scores`: along which axis they are.
  explicit ScorePlot(Qt::Orientation scores, QWidget* parent = nullptr);

  /// A score as drawn, and back: the same both ways.
  virtual double shown(double score) const { return score; }
  /// Draws the threshold where it is now.
  virtual void placeThreshold() = 0;
  bool dragsThreshold() const { return drags_; }
  /// Tells by the cursor whether the line can be taken.
  void hover(const QPointF& pixel) override;

  bool mousePress(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;
  void mouseDrag(const QPointF& pixel) override;
  void mouseRelease(const QPointF& pixel) override;
  bool keyPressed(int key, Qt::KeyboardModifiers modifiers) override;

 private:
  QCPAxis* axis() const;
  double along(const QPointF& pixel) const;
  bool takes(const QPointF& pixel) const;
  void moveThreshold(double threshold);

  Qt::Orientation scores_;
  std::optional<double> threshold_;
  bool drags_ = false;
};

}  // namespace bulwark
