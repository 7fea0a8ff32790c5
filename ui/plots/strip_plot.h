#pragma once

#include <QImage>

#include "core/experiment/strip_file.h"
#include "ui/plots/plot_widget.h"

namespace bulwark {

/// The iteration strip of one image (Alipour and Seyyedsalehi, figures 10 to 12): a row per radius,
/// the input and where the network takes it pass by pass, class and similarity below each.
///
/// The arrow keys and the mouse choose a picture, of which the heading says all numbers.
class StripPlot : public PlotWidget {
  Q_OBJECT

 public:
  using Strips = std::shared_ptr<const IterationStrips>;

  explicit StripPlot(QWidget* parent = nullptr);
  ~StripPlot() override;

  /// Null: nothing to show.
  void showSample(Strips strips, std::size_t sample);
  /// -1 while there is nothing to show.
  int sample() const;
  /// Pictures side by side: the input and one per pass; and rows of them.
  int columns() const;
  int rows() const;
  QImage picture(int row, int column) const;
  QStringList caption(int row, int column) const;
  /// Where a picture and its caption stand on the canvas.
  QRectF cell(int row, int column) const;
  /// The picture chosen, x: column, y: row; (-1, -1) where there is none.
  QPoint current() const;
  QSize minimumSizeHint() const override;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;
  void hoverLeft() override;
  void clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers) override;
  bool keyPressed(int key, Qt::KeyboardModifiers modifiers) override;

 private:
  struct Impl;
  void choose(int row, int column);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
