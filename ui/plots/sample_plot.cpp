#include "ui/plots/sample_plot.h"

#include <qcustomplot.h>

#include <QApplication>
#include <algorithm>
#include <cmath>

namespace bulwark {

namespace {

constexpr double kGrab = 6;  // pixels beside the line that still take it

}  // namespace

SamplePlot::SamplePlot(QWidget* parent) : PlotWidget(parent), band_(new QCPItemRect(canvas())) {
  band_->setLayer(QStringLiteral("overlay"));
  band_->setVisible(false);
  band_->setSelectable(false);
  for (QCPItemPosition* corner : {band_->topLeft, band_->bottomRight}) {
    corner->setType(QCPItemPosition::ptAbsolute);
  }
  clearing_.setSingleShot(true);
  connect(&clearing_, &QTimer::timeout, this,
          [this] { Q_EMIT samplesPicked(SampleSet(), clearingModifiers_); });
}

void SamplePlot::setSelection(const SampleSet& selection) {
  if (selection_ == selection) return;
  selection_ = selection;
  selectionChanged();
  queueReplot();
}

void SamplePlot::applyTheme(const PlotTheme& theme) {
  QColor fill = theme.select;
  fill.setAlphaF(0.2F);
  band_->setBrush(fill);
  band_->setPen(QPen(theme.select, 1));
}

// Nothing is selected that is not in view.
QRectF SamplePlot::rectangle() const {
  const QRectF frame = canvas()->axisRect()->rect();
  const QRectF asked = banded(QRectF(bandFrom_, bandTo_).normalized());
  const auto within = [&](const QPointF& corner) {
    return QPointF(std::clamp(corner.x(), frame.left(), frame.right()),
                   std::clamp(corner.y(), frame.top(), frame.bottom()));
  };
  return {within(asked.topLeft()), within(asked.bottomRight())};
}

bool SamplePlot::mousePress(const QPointF& pixel, Qt::KeyboardModifiers modifiers) {
  if (!(modifiers & Qt::ControlModifier)) return false;
  bandFrom_ = bandTo_ = pixel;
  bandModifiers_ = modifiers & ~Qt::ControlModifier;
  return true;
}

void SamplePlot::mouseDrag(const QPointF& pixel) {
  bandTo_ = pixel;
  const QRectF box = rectangle();
  band_->topLeft->setPixelPosition(box.topLeft());
  band_->bottomRight->setPixelPosition(box.bottomRight());
  band_->setVisible(true);
  replotOverlay();
  Q_EMIT samplesPreviewed(samplesWithin(box), bandModifiers_);
}

void SamplePlot::mouseRelease(const QPointF& pixel) {
  band_->setVisible(false);
  replotOverlay();
  if (bandFrom_ == bandTo_) {
    clicked(pixel, bandModifiers_ | Qt::ControlModifier);
    return;
  }
  Q_EMIT samplesPicked(samplesWithin(rectangle()), bandModifiers_);
}

void SamplePlot::clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers) {
  const SampleSet picked = samplesAt(pixel);
  clearing_.stop();
  if (picked.empty()) {
    // It may be the first half of a double click, which is about the view alone.
    clearingModifiers_ = modifiers;
    clearing_.start(QApplication::doubleClickInterval());
    return;
  }
  Q_EMIT samplesPicked(picked, modifiers);
}

bool SamplePlot::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() == QEvent::MouseButtonDblClick) clearing_.stop();
  return PlotWidget::eventFilter(watched, event);
}

ScorePlot::ScorePlot(Qt::Orientation scores, QWidget* parent)
    : SamplePlot(parent), scores_(scores) {}

QCPAxis* ScorePlot::axis() const {
  return scores_ == Qt::Horizontal ? canvas()->xAxis : canvas()->yAxis;
}

double ScorePlot::along(const QPointF& pixel) const {
  return scores_ == Qt::Horizontal ? pixel.x() : pixel.y();
}

double ScorePlot::thresholdPixel(std::optional<double> score) const {
  return axis()->coordToPixel(shown(score ? *score : threshold_.value_or(0)));
}

bool ScorePlot::takes(const QPointF& pixel) const {
  return threshold_ && std::abs(along(pixel) - thresholdPixel()) <= kGrab;
}

void ScorePlot::setThreshold(std::optional<double> threshold) {
  threshold_ = threshold;
  placeThreshold();
  replotOverlay();
}

void ScorePlot::moveThreshold(double threshold) {
  setThreshold(threshold);
  Q_EMIT thresholdMoved(threshold);
}

void ScorePlot::hover(const QPointF& pixel) {
  setCanvasCursor(!takes(pixel)               ? Qt::ArrowCursor
                  : scores_ == Qt::Horizontal ? Qt::SplitHCursor
                                              : Qt::SplitVCursor);
}

bool ScorePlot::mousePress(const QPointF& pixel, Qt::KeyboardModifiers modifiers) {
  drags_ = !(modifiers & Qt::ControlModifier) && takes(pixel);
  return drags_ || SamplePlot::mousePress(pixel, modifiers);
}

void ScorePlot::mouseDrag(const QPointF& pixel) {
  if (!drags_) {
    SamplePlot::mouseDrag(pixel);
    return;
  }
  const QCPRange range = axis()->range();
  moveThreshold(shown(std::clamp(axis()->pixelToCoord(along(pixel)), range.lower, range.upper)));
}

void ScorePlot::mouseRelease(const QPointF& pixel) {
  if (!drags_) SamplePlot::mouseRelease(pixel);
  drags_ = false;
}

bool ScorePlot::keyPressed(int key, Qt::KeyboardModifiers modifiers) {
  const bool flat = scores_ == Qt::Horizontal;
  const int less = flat ? Qt::Key_Left : Qt::Key_Down, more = flat ? Qt::Key_Right : Qt::Key_Up;
  if (!threshold_ || (key != less && key != more)) return false;
  const double step = axis()->range().size() * (modifiers & Qt::ShiftModifier ? 0.02 : 0.002);
  moveThreshold(shown(shown(*threshold_) + (key == less ? -step : step)));
  return true;
}

}  // namespace bulwark
