#include "ui/plots/basin_plot.h"

#include <qcustomplot.h>

#include <functional>

#include "ui/models/number_text.h"
#include "ui/models/strip_text.h"
#include "ui/plots/picture_painter.h"

namespace bulwark {

namespace {

/// A row of the layout that is painted by its owner.
class PaintedRow : public QCPLayoutElement {
 public:
  PaintedRow(QCustomPlot* plot, std::function<void(QCPPainter&, const QRectF&)> paint)
      : QCPLayoutElement(plot), paint_(std::move(paint)) {}

 protected:
  void draw(QCPPainter* painter) override { paint_(*painter, rect()); }

 private:
  std::function<void(QCPPainter&, const QRectF&)> paint_;
};

}  // namespace

struct BasinPlot::Impl {
  Strips strips;
  std::size_t sample = 0;
  std::int64_t passes = 0;
  QCPGraph* toInput = nullptr;
  QCPGraph* toClean = nullptr;
  QCPItemStraightLine* least = nullptr;

  std::size_t at(int radius) const { return strips->at(sample, std::size_t(radius), passes); }
};

BasinPlot::BasinPlot(QWidget* parent) : PlotWidget(parent), impl_(std::make_unique<Impl>()) {
  Impl& d = *impl_;
  setTitle(tr("Basin"));
  canvas()->setInteractions(QCP::Interactions());
  canvas()->xAxis->setLabel(tr("ε of the perturbation along the training cost"));
  canvas()->yAxis->setLabel(tr("similarity"));
  d.toClean = canvas()->addGraph();
  d.toClean->setName(tr("to the clean image"));
  d.toInput = canvas()->addGraph();
  d.toInput->setName(tr("to the input"));
  for (QCPGraph* graph : {d.toClean, d.toInput}) graph->setSelectable(QCP::stNone);
  d.least = new QCPItemStraightLine(canvas());
  d.least->setSelectable(false);
  d.least->setVisible(false);
  // Between the legend and the axes; the pictures stand above their points.
  auto* row = new PaintedRow(canvas(), [this](QCPPainter& painter, const QRectF& area) {
    const Impl& d = *impl_;
    QFont small = font();
    small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
    const double step = canvas()->xAxis->coordToPixel(1) - canvas()->xAxis->coordToPixel(0);
    for (int radius = 0; radius < radii(); ++radius) {
      const double x = canvas()->xAxis->coordToPixel(radius);
      paintPicture(painter, QRectF(x - step / 2, area.top(), step, area.height()), picture(radius),
                   {caption(radius)}, 1,
                   isWrongClass(*d.strips, d.sample, std::size_t(radius), d.passes), theme(),
                   small);
    }
  });
  canvas()->plotLayout()->insertRow(1);
  canvas()->plotLayout()->addElement(1, 0, row);
  canvas()->plotLayout()->setRowStretchFactor(1, 0.5);
}

BasinPlot::~BasinPlot() = default;

void BasinPlot::showSample(Strips strips, std::size_t sample, std::int64_t passes) {
  Impl& d = *impl_;
  d.strips = std::move(strips);
  d.sample = sample;
  d.passes = d.strips ? std::clamp<std::int64_t>(passes, 0, d.strips->iterations) : 0;
  QVector<double> x, input, clean;
  auto names = QSharedPointer<QCPAxisTickerText>::create();
  for (int radius = 0; radius < radii(); ++radius) {
    x.append(radius);
    input.append(d.strips->toInput[d.at(radius)]);
    clean.append(d.strips->toClean[d.at(radius)]);
    names->addTick(radius, QString::fromStdString(d.strips->radii[std::size_t(radius)]));
  }
  d.toInput->setData(x, input, true);
  d.toClean->setData(x, clean, true);
  canvas()->xAxis->setTicker(names);
  d.least->setVisible(d.strips != nullptr);
  if (d.strips) {
    d.least->point1->setCoords(0, d.strips->leastSimilarity);
    d.least->point2->setCoords(1, d.strips->leastSimilarity);
    const QString passed = d.passes == 1 ? tr("1 pass") : tr("%1 passes").arg(d.passes);
    setTitle(tr("After %1: %2").arg(passed, stripSampleName(*d.strips, sample)));
  } else {
    setTitle(tr("Basin"));
  }
  dataChanged();
}

int BasinPlot::radii() const {
  return impl_->strips ? int(impl_->strips->radii.size()) : 0;
}

QImage BasinPlot::picture(int radius) const {
  return stripPicture(*impl_->strips, impl_->sample, std::size_t(radius), impl_->passes);
}

QString BasinPlot::caption(int radius) const {
  return stripClassText(*impl_->strips, impl_->sample, std::size_t(radius), impl_->passes);
}

QPointF BasinPlot::pixelOf(int radius, bool toClean) const {
  const auto& values = toClean ? impl_->strips->toClean : impl_->strips->toInput;
  return {canvas()->xAxis->coordToPixel(radius),
          canvas()->yAxis->coordToPixel(values[impl_->at(radius)])};
}

PlotTable BasinPlot::table() const {
  const Impl& d = *impl_;
  PlotTable table;
  table.labelHeader = tr("radius");
  table.headers = {tr("pass"), tr("class"), tr("similarity to the input"),
                   tr("similarity to the clean image")};
  table.columns.resize(4);
  for (int radius = 0; radius < radii(); ++radius) {
    table.labels.append(QString::fromStdString(d.strips->radii[std::size_t(radius)]));
    table.columns[0].append(double(d.passes));
    table.columns[1].append(double(d.strips->classes[d.at(radius)]));
    table.columns[2].append(d.strips->toInput[d.at(radius)]);
    table.columns[3].append(d.strips->toClean[d.at(radius)]);
  }
  return table;
}

QString BasinPlot::summary() const {
  const Impl& d = *impl_;
  if (isEmpty()) return tr("No iterations yet.");
  QStringList parts;
  for (int radius = 0; radius < radii(); ++radius) {
    parts += stripSentence(*d.strips, d.sample, std::size_t(radius), d.passes);
  }
  return tr("Where %1 ends up. %2.")
      .arg(stripSampleName(*d.strips, d.sample), parts.join(QStringLiteral("; ")));
}

bool BasinPlot::isEmpty() const {
  return !impl_->strips;
}

void BasinPlot::applyTheme(const PlotTheme& theme) {
  Impl& d = *impl_;
  const auto style = [&](QCPGraph* graph, int index, QCPScatterStyle::ScatterShape shape) {
    const SeriesStyle look = theme.style(index);
    graph->setPen(QPen(look.color, 1.6, look.line));
    graph->setScatterStyle(QCPScatterStyle(shape, look.color, look.color, 6));
  };
  style(d.toClean, 0, QCPScatterStyle::ssDisc);
  style(d.toInput, 1, QCPScatterStyle::ssSquare);
  d.least->setPen(QPen(theme.muted, 1, Qt::DotLine));
}

void BasinPlot::fitAxes() {
  const Impl& d = *impl_;
  canvas()->xAxis->setRange(-0.5, std::max(1, radii()) - 0.5);
  QCPRange y(0, 1);
  for (int radius = 0; radius < radii(); ++radius) {
    y.expand(d.strips->toInput[d.at(radius)]);
    y.expand(d.strips->toClean[d.at(radius)]);
  }
  canvas()->yAxis->setRange(y.lower - 0.06 * y.size(), y.upper + 0.06 * y.size());
}

void BasinPlot::hover(const QPointF& pixel) {
  const int radius = int(std::lround(canvas()->xAxis->pixelToCoord(pixel.x())));
  if (radius < 0 || radius >= radii()) {
    hoverLeft();
    return;
  }
  setReadout(stripSentence(*impl_->strips, impl_->sample, std::size_t(radius), impl_->passes));
}

}  // namespace bulwark
