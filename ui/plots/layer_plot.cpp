#include "ui/plots/layer_plot.h"

#include <qcustomplot.h>

#include <QLocale>
#include <cmath>
#include <limits>

#include "ui/plots/marker_shape.h"

namespace bulwark {

namespace {

constexpr double kPaper = 560;  // pixels that names have in an exported figure

}  // namespace

struct LayerPlot::Impl {
  QVector<LayerSearch> searches;
  QStringList layers;
  Quantity quantity = Quantity::Error;
  QVector<QCPGraph*> lines, chosen;
  int current = -1;

  /// NaN where the detector has no figure of the layer.
  double value(const LayerSearch& search, int layer) const {
    for (const LayerSearch::Layer& one : search.layers) {
      if (one.name != layers[layer]) continue;
      return quantity == Quantity::Error ? one.error : one.auroc;
    }
    return std::numeric_limits<double>::quiet_NaN();
  }
};

LayerPlot::LayerPlot(QWidget* parent) : PlotWidget(parent), impl_(std::make_unique<Impl>()) {
  canvas()->xAxis->setLabel(tr("layer, in the order of the network"));
  canvas()->xAxis->setSubTicks(false);
  connect(canvas(), &QCustomPlot::beforeReplot, this, &LayerPlot::turnNames);
  setQuantity(Quantity::Error);
}

LayerPlot::~LayerPlot() = default;

void LayerPlot::setSearches(const QVector<LayerSearch>& searches) {
  Impl& d = *impl_;
  d.searches = searches;
  d.layers.clear();
  for (const LayerSearch& search : searches) {
    for (const LayerSearch::Layer& layer : search.layers) {
      if (!d.layers.contains(layer.name)) d.layers += layer.name;
    }
  }
  if (d.current >= d.layers.size()) d.current = -1;
  rebuild();
}

void LayerPlot::setQuantity(Quantity quantity) {
  impl_->quantity = quantity;
  const bool error = quantity == Quantity::Error;
  setTitle(error ? tr("Detection error per layer") : tr("AUROC per layer"));
  setYTitle(error ? tr("detection error") : tr("AUROC"), error ? tr("error") : QString());
  setFileStem(error ? QStringLiteral("layer-error") : QStringLiteral("layer-auroc"));
  rebuild();
}

void LayerPlot::rebuild() {
  Impl& d = *impl_;
  canvas()->clearGraphs();
  d.lines.clear();
  d.chosen.clear();
  auto names = QSharedPointer<QCPAxisTickerText>::create();
  for (int layer = 0; layer < d.layers.size(); ++layer) names->addTick(layer, d.layers[layer]);
  canvas()->xAxis->setTicker(names);
  for (const LayerSearch& search : d.searches) {
    QVector<double> x, y, chosenX, chosenY;
    for (int layer = 0; layer < d.layers.size(); ++layer) {
      const double value = d.value(search, layer);
      x.append(layer);
      y.append(value);
      if (d.layers[layer] != search.chosen || !std::isfinite(value)) continue;
      chosenX.append(layer);
      chosenY.append(value);
    }
    QCPGraph* line = canvas()->addGraph();
    line->setName(tr("%1 (chose %2)").arg(search.detector, search.chosen));
    line->setData(x, y, true);
    QCPGraph* mark = canvas()->addGraph();
    mark->setData(chosenX, chosenY, true);
    mark->setLineStyle(QCPGraph::lsNone);
    mark->removeFromLegend();
    for (QCPGraph* graph : {line, mark}) graph->setSelectable(QCP::stNone);
    d.lines.append(line);
    d.chosen.append(mark);
  }
  dataChanged();
}

// Names stand upright where they would not fit side by side.
void LayerPlot::turnNames() {
  const Impl& d = *impl_;
  const QFontMetrics metrics(canvas()->xAxis->tickLabelFont());
  int widest = 0;
  for (const QString& name : d.layers) {
    widest = std::max(widest, metrics.horizontalAdvance(name) + metrics.averageCharWidth());
  }
  const double room = std::min<double>(canvas()->axisRect()->width(), kPaper);
  const bool turned = widest * int(d.layers.size()) > room;
  canvas()->xAxis->setTickLabelRotation(turned ? -90 : 0);
}

QStringList LayerPlot::layers() const {
  return impl_->layers;
}

QString LayerPlot::sentence(int layer) const {
  const Impl& d = *impl_;
  const QLocale locale;
  QStringList parts;
  qint64 features = 0;
  for (const LayerSearch& search : d.searches) {
    for (const LayerSearch::Layer& one : search.layers) {
      if (one.name != d.layers[layer]) continue;
      features = one.features;
      if (!std::isfinite(one.error)) {
        parts += tr("%1: constant features, cannot be used").arg(search.detector);
        continue;
      }
      const QString figures = tr("%1: error %2, AUROC %3")
                                  .arg(search.detector, locale.toString(one.error, 'f', 4),
                                       locale.toString(one.auroc, 'f', 4));
      parts += one.name == search.chosen ? tr("%1 (chosen)").arg(figures) : figures;
    }
  }
  return tr("%1, %2 features. %3")
      .arg(d.layers[layer], locale.toString(features), parts.join(QStringLiteral("; ")));
}

QPointF LayerPlot::pixelOf(int search, int layer) const {
  return {canvas()->xAxis->coordToPixel(layer),
          canvas()->yAxis->coordToPixel(impl_->value(impl_->searches[search], layer))};
}

int LayerPlot::current() const {
  return impl_->current;
}

PlotTable LayerPlot::table() const {
  const Impl& d = *impl_;
  PlotTable table;
  table.labelHeader = tr("layer");
  table.headers = {tr("features"), tr("detection error"), tr("AUROC"), tr("chosen")};
  table.columns.resize(4);
  const bool several = d.searches.size() > 1;
  for (const LayerSearch& search : d.searches) {
    for (const LayerSearch::Layer& layer : search.layers) {
      table.labels.append(several ? search.detector + QStringLiteral(": ") + layer.name
                                  : layer.name);
      table.columns[0].append(double(layer.features));
      table.columns[1].append(layer.error);
      table.columns[2].append(layer.auroc);
      table.columns[3].append(layer.name == search.chosen ? 1 : 0);
    }
  }
  return table;
}

QString LayerPlot::summary() const {
  const Impl& d = *impl_;
  if (isEmpty()) return tr("No detector of this run has searched for its layer.");
  QStringList parts;
  const QLocale locale;
  for (const LayerSearch& search : d.searches) {
    parts +=
        tr("%1 chose %2 of %3 layers by %4 %5 images against outliers made of them (%6)")
            .arg(search.detector, search.chosen, locale.toString(search.layers.size()),
                 locale.toString(search.images),
                 search.validation ? tr("validation") : tr("held back training"), search.outliers);
  }
  return tr("%1. %2.").arg(title(), parts.join(QStringLiteral("; ")));
}

bool LayerPlot::isEmpty() const {
  return impl_->layers.isEmpty();
}

void LayerPlot::applyTheme(const PlotTheme& theme) {
  Impl& d = *impl_;
  for (int i = 0; i < d.lines.size(); ++i) {
    const SeriesStyle style = theme.style(i);
    d.lines[i]->setPen(QPen(style.color, 1.6, style.line));
    d.lines[i]->setScatterStyle(
        QCPScatterStyle(markerShape(style.marker), style.color, style.color, 5));
    d.chosen[i]->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(style.color, 2.2), Qt::NoBrush, 15));
  }
}

void LayerPlot::fitAxes() {
  const Impl& d = *impl_;
  canvas()->xAxis->setRange(-0.5, std::max<double>(1, double(d.layers.size())) - 0.5);
  const bool error = d.quantity == Quantity::Error;
  QCPRange y = error ? QCPRange(0, 0) : QCPRange(1, 1);
  for (const LayerSearch& search : d.searches) {
    for (int layer = 0; layer < d.layers.size(); ++layer) {
      if (const double value = d.value(search, layer); std::isfinite(value)) y.expand(value);
    }
  }
  const double size = y.size() > 0 ? y.size() : 0.1;
  // Room for the ring around a point at the edge.
  canvas()->yAxis->setRange(y.lower - 0.08 * size, y.upper + 0.08 * size);
}

void LayerPlot::point(int layer, double y) {
  showHoverDot(layer, y);
  setReadout(sentence(layer));
}

void LayerPlot::hover(const QPointF& pixel) {
  const Impl& d = *impl_;
  const int layer = int(std::lround(canvas()->xAxis->pixelToCoord(pixel.x())));
  if (layer < 0 || layer >= d.layers.size()) {
    hoverLeft();
    return;
  }
  double best = std::numeric_limits<double>::infinity(), at = 0;
  for (int i = 0; i < d.searches.size(); ++i) {
    const double distance = std::abs(pixelOf(i, layer).y() - pixel.y());
    if (!(distance < best)) continue;
    best = distance;
    at = d.value(d.searches[i], layer);
  }
  if (std::isfinite(best)) {
    point(layer, at);
  } else {
    hideHoverDot();
    setReadout(sentence(layer));
  }
}

// What the arrow keys are at is told again once the mouse has gone.
void LayerPlot::hoverLeft() {
  hideHoverDot();
  const Impl& d = *impl_;
  setReadout(d.current >= 0 && d.current < d.layers.size() ? sentence(d.current) : QString());
}

bool LayerPlot::keyPressed(int key, Qt::KeyboardModifiers) {
  Impl& d = *impl_;
  if (key != Qt::Key_Left && key != Qt::Key_Right) return false;
  const int last = int(d.layers.size()) - 1;
  d.current = d.current < 0 ? 0 : std::clamp(d.current + (key == Qt::Key_Left ? -1 : 1), 0, last);
  double y = std::numeric_limits<double>::quiet_NaN();
  for (const auto& search : d.searches) {
    if (!std::isfinite(y)) y = d.value(search, d.current);
  }
  if (std::isfinite(y)) {
    point(d.current, y);
  } else {
    hoverLeft();
  }
  canvas()->setAccessibleDescription(readout());
  return true;
}

}  // namespace bulwark
