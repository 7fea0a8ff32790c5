#pragma once

#include <QImage>
#include <memory>

#include "core/experiment/class_map_file.h"
#include "ui/plots/sample_plot.h"

namespace bulwark {

/// Small multiples of the images that are predicted as one class, in the plane by one part's
/// features, in and out told apart, beside all classes together (Zhao et al., figures 2 to 6).
///
/// A cell has no axes: only distances mean something, and they are the same in both directions.
/// What it shows fills it, so that lengths in two cells cannot be compared. The arrow keys walk
/// over the cells, Enter or a double click fills the plot with one and returns, Space selects its
/// images.
class ClassMapPlot : public SamplePlot {
  Q_OBJECT

 public:
  using Map = std::shared_ptr<const ClassMap>;

  explicit ClassMapPlot(QWidget* parent = nullptr);
  ~ClassMapPlot() override;

  /// In images and those of the out set of that name. Null: nothing to show.
  void showMap(Map map, std::size_t part, const QString& out);
  /// How many cells there are: all classes, then those that an image is predicted as.
  int cells() const;
  int columns() const;
  /// The class of a cell, or `ClassMap::pooled`.
  std::int64_t predictedOf(int cell) const;
  QString caption(int cell) const;
  /// Counts, and how far neighbourhoods are kept.
  QString sentence(int cell) const;
  /// A cell on the canvas; empty while another one fills the plot.
  QRectF cell(int cell) const;
  /// Samples of the map that a cell shows.
  std::vector<std::size_t> shown(int cell) const;
  /// Where a cell draws a sample of the map on the canvas, and where the last replot drew it.
  QPointF pixelOf(int cell, std::size_t sample) const;
  /// The cell that the arrow keys are at; -1: none.
  int current() const;
  /// Fills the plot with a cell, and nothing of the others.
  void enlarge(int cell);

  SampleSet samplesWithin(const QRectF& pixels) const override;
  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;
  QSize minimumSizeHint() const override;

 protected:
  SampleSet samplesAt(const QPointF& pixel) const override;
  void selectionChanged() override;
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;
  void hoverLeft() override;
  bool keyPressed(int key, Qt::KeyboardModifiers modifiers) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Impl;
  struct Found {
    std::size_t sample = 0;
    QPointF at;  ///< in the coordinates of the axes
  };
  std::optional<Found> nearest(const QPointF& pixel) const;
  void arrange();
  void place();
  int cellAt(const QPointF& pixel) const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
