#include "ui/plots/strip_plot.h"

#include <qcustomplot.h>

#include "ui/models/number_text.h"
#include "ui/models/strip_text.h"
#include "ui/plots/painted_area.h"
#include "ui/plots/picture_painter.h"

namespace bulwark {

namespace {

constexpr int kLines = 3;          // of a caption
constexpr int kLeastPicture = 46;  // pixels; where there is less room the strip is scrolled

}  // namespace

struct StripPlot::Impl {
  Strips strips;
  std::size_t sample = 0;
  QVector<QImage> pictures;  ///< [rows x columns]
  QPoint current{-1, -1};

  int columns() const { return strips ? int(strips->iterations) + 1 : 0; }
  int rows() const { return strips ? int(strips->radii.size()) : 0; }
};

StripPlot::StripPlot(QWidget* parent) : PlotWidget(parent), impl_(std::make_unique<Impl>()) {
  setTitle(tr("Iterations"));
  canvas()->setInteractions(QCP::Interactions());
  canvas()->legend->setVisible(false);
  for (QCPAxis* axis : {canvas()->xAxis, canvas()->yAxis, canvas()->xAxis2, canvas()->yAxis2}) {
    axis->grid()->setVisible(false);
    axis->setTickLength(0, 0);
    axis->setSubTicks(false);
  }
  canvas()->yAxis->setRangeReversed(true);
  canvas()->xAxis->setTicks(false);
  canvas()->xAxis2->setTicks(true);
  canvas()->xAxis2->setTickLabels(true);
  new PaintedArea(canvas(), [this](QCPPainter& painter) {  // owned by the canvas
    const Impl& d = *impl_;
    QFont small = font();
    small.setPointSizeF(std::max(7.0, small.pointSizeF() * 0.9));
    for (int row = 0; row < rows(); ++row) {
      for (int column = 0; column < columns(); ++column) {
        const QRectF box = cell(row, column);
        const QRectF picture = paintPicture(
            painter, box, this->picture(row, column), caption(row, column), kLines,
            isWrongClass(*d.strips, d.sample, std::size_t(row), column), theme(), small);
        if (d.current != QPoint(column, row)) continue;
        painter.setPen(QPen(theme().select, 2));
        painter.drawRect(picture.adjusted(-2, -2, 2, 2));
      }
    }
  });
}

StripPlot::~StripPlot() = default;

void StripPlot::showSample(Strips strips, std::size_t sample) {
  Impl& d = *impl_;
  d.strips = std::move(strips);
  d.sample = sample;
  d.pictures.clear();
  auto names = QSharedPointer<QCPAxisTickerText>::create();
  auto radii = QSharedPointer<QCPAxisTickerText>::create();
  if (d.strips) {
    const auto judged = judgedState(*d.strips);
    for (int column = 0; column < columns(); ++column) {
      names->addTick(column, column == judged ? tr("%1 (judged)").arg(stripStateName(column))
                                              : stripStateName(column));
    }
    for (int row = 0; row < rows(); ++row) {
      const QString radius = QString::fromStdString(d.strips->radii[std::size_t(row)]);
      radii->addTick(row, QStringLiteral("ε = ") + radius);
      for (int column = 0; column < columns(); ++column) {
        d.pictures.append(stripPicture(*d.strips, sample, std::size_t(row), column));
      }
    }
    setTitle(stripSampleName(*d.strips, sample));
    canvas()->xAxis->setLabel(tr("r: similarity to the input; clean: to the clean image"));
    canvas()->yAxis->setLabel(tr("FGSM on %1 MSE + %2 CE")
                                  .arg(numberText(d.strips->reconstructionWeight, 'g', 3),
                                       numberText(d.strips->classWeight, 'g', 3)));
    setExportSize({60 + columns() * 100, 60 + rows() * 130});
  } else {
    setTitle(tr("Iterations"));
    canvas()->xAxis->setLabel({});
    canvas()->yAxis->setLabel({});
  }
  if (d.current.x() >= columns() || d.current.y() >= rows()) d.current = {-1, -1};
  canvas()->xAxis2->setTicker(names);
  canvas()->yAxis->setTicker(radii);
  updateGeometry();
  dataChanged();
}

int StripPlot::sample() const {
  return impl_->strips ? int(impl_->sample) : -1;
}

int StripPlot::columns() const {
  return impl_->columns();
}

int StripPlot::rows() const {
  return impl_->rows();
}

QImage StripPlot::picture(int row, int column) const {
  return impl_->pictures.value(row * columns() + column);
}

QStringList StripPlot::caption(int row, int column) const {
  return stripCaption(*impl_->strips, impl_->sample, std::size_t(row), column);
}

QRectF StripPlot::cell(int row, int column) const {
  const QPointF from(canvas()->xAxis->coordToPixel(column - 0.5),
                     canvas()->yAxis->coordToPixel(row - 0.5));
  const QPointF to(canvas()->xAxis->coordToPixel(column + 0.5),
                   canvas()->yAxis->coordToPixel(row + 0.5));
  return QRectF(from, to).normalized();
}

QPoint StripPlot::current() const {
  return impl_->current;
}

QSize StripPlot::minimumSizeHint() const {
  const int line = fontMetrics().height();
  return {80 + columns() * 6 * line, 100 + rows() * (kLeastPicture + 10 + kLines * line)};
}

PlotTable StripPlot::table() const {
  const Impl& d = *impl_;
  PlotTable table;
  table.labelHeader = tr("radius");
  table.headers = {tr("pass"), tr("class"), tr("similarity to the input"),
                   tr("similarity to the clean image")};
  table.columns.resize(4);
  for (int row = 0; row < rows(); ++row) {
    for (int column = 0; column < columns(); ++column) {
      const std::size_t at = d.strips->at(d.sample, std::size_t(row), column);
      table.labels.append(QString::fromStdString(d.strips->radii[std::size_t(row)]));
      table.columns[0].append(column);
      table.columns[1].append(double(d.strips->classes[at]));
      table.columns[2].append(d.strips->toInput[at]);
      table.columns[3].append(d.strips->toClean[at]);
    }
  }
  return table;
}

QString StripPlot::summary() const {
  const Impl& d = *impl_;
  if (isEmpty()) return tr("No iterations yet.");
  QStringList parts;
  for (int row = 0; row < rows(); ++row) {
    parts += stripSentence(*d.strips, d.sample, std::size_t(row), columns() - 1);
  }
  return tr("Iterations of %1, %2 passes from each of %3 radii. %4.")
      .arg(stripSampleName(*d.strips, d.sample), QString::number(columns() - 1),
           QString::number(rows()), parts.join(QStringLiteral("; ")));
}

bool StripPlot::isEmpty() const {
  return !impl_->strips;
}

void StripPlot::applyTheme(const PlotTheme&) {
  for (QCPAxis* axis : {canvas()->xAxis, canvas()->yAxis, canvas()->xAxis2, canvas()->yAxis2}) {
    axis->setBasePen(Qt::NoPen);
    axis->setTickPen(Qt::NoPen);
  }
}

void StripPlot::fitAxes() {
  canvas()->xAxis->setRange(-0.5, std::max(1, columns()) - 0.5);
  canvas()->xAxis2->setRange(canvas()->xAxis->range());
  canvas()->yAxis->setRange(-0.5, std::max(1, rows()) - 0.5);
}

void StripPlot::hover(const QPointF& pixel) {
  const int column = int(std::lround(canvas()->xAxis->pixelToCoord(pixel.x())));
  const int row = int(std::lround(canvas()->yAxis->pixelToCoord(pixel.y())));
  if (column < 0 || row < 0 || column >= columns() || row >= rows()) {
    hoverLeft();
    return;
  }
  setReadout(stripSentence(*impl_->strips, impl_->sample, std::size_t(row), column));
}

// What was chosen is told again once the mouse has gone.
void StripPlot::hoverLeft() {
  const Impl& d = *impl_;
  const bool chosen = d.strips && d.current.x() >= 0;
  setReadout(chosen ? stripSentence(*d.strips, d.sample, std::size_t(d.current.y()), d.current.x())
                    : QString());
}

void StripPlot::clicked(const QPointF& pixel, Qt::KeyboardModifiers) {
  choose(int(std::lround(canvas()->yAxis->pixelToCoord(pixel.y()))),
         int(std::lround(canvas()->xAxis->pixelToCoord(pixel.x()))));
}

bool StripPlot::keyPressed(int key, Qt::KeyboardModifiers) {
  QPoint step;
  if (key == Qt::Key_Left) step = {-1, 0};
  if (key == Qt::Key_Right) step = {1, 0};
  if (key == Qt::Key_Up) step = {0, -1};
  if (key == Qt::Key_Down) step = {0, 1};
  if (step.isNull()) return false;
  const QPoint to = impl_->current.x() < 0 ? QPoint(0, 0) : impl_->current + step;
  choose(std::clamp(to.y(), 0, rows() - 1), std::clamp(to.x(), 0, columns() - 1));
  return true;
}

void StripPlot::choose(int row, int column) {
  if (column < 0 || row < 0 || column >= columns() || row >= rows()) return;
  impl_->current = {column, row};
  hoverLeft();
  canvas()->setAccessibleDescription(readout());
  queueReplot();
}

}  // namespace bulwark
