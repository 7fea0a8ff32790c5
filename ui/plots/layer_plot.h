#pragma once

#include "ui/models/layer_search.h"
#include "ui/plots/plot_widget.h"

namespace bulwark {

/// How well each layer of the network tells validation images from outliers, in the network's
/// order, with the layer that each detector chose (Zhao et al., figure 1).
///
/// Left and right walk over the layers.
class LayerPlot : public PlotWidget {
  Q_OBJECT

 public:
  enum class Quantity { Error, Auroc };

  explicit LayerPlot(QWidget* parent = nullptr);
  ~LayerPlot() override;

  void setSearches(const QVector<LayerSearch>& searches);
  void setQuantity(Quantity quantity);
  /// All layers, in the order of the network.
  QStringList layers() const;
  /// What is told of a layer: every detector's figures.
  QString sentence(int layer) const;
  /// Where a detector's point stands on the canvas.
  QPointF pixelOf(int search, int layer) const;
  /// The layer that the arrow keys are at; -1: none.
  int current() const;

  PlotTable table() const override;
  QString summary() const override;
  bool isEmpty() const override;

 protected:
  void applyTheme(const PlotTheme& theme) override;
  void fitAxes() override;
  void hover(const QPointF& pixel) override;
  void hoverLeft() override;
  bool keyPressed(int key, Qt::KeyboardModifiers modifiers) override;

 private:
  struct Impl;
  void rebuild();
  void turnNames();
  void point(int layer, double y);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
