#include "ui/plots/plot_widget.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QClipboard>
#include <QFileInfo>
#include <QMenu>
#include <QToolButton>
#include <optional>

#include "ui/bridge/dialogs.h"
#include "ui/plots/plot_data_dialog.h"
#include "ui/plots/plot_export.h"
#include "ui/plots/plot_room.h"
#include "ui/widgets/elided_label.h"

namespace bulwark {

struct PlotWidget::Impl {
  QCustomPlot* plot = nullptr;
  QCPLayoutGrid* legendRow = nullptr;
  QCPItemTracer* dot = nullptr;
  ElidedLabel* title = nullptr;
  ElidedLabel* readout = nullptr;
  QLabel* balloon = nullptr;  ///< the read-out beside the mouse, where the header is too narrow
  QLabel* picture = nullptr;  ///< above it, of what is under the mouse
  QLabel* emptyText = nullptr;
  QHBoxLayout* controls = nullptr;
  QToolButton* exportButton = nullptr;
  QMenu* menu = nullptr;
  PlotTheme theme;
  PathChooser chooser;
  QString stem;
  QSize exportSize{640, 440};
  bool drawn = false;
  bool zoomed = false;
  bool pressed = false;
  bool dragged = false;
  bool taken = false;
  bool paper = false;
  QString yTitle, yBrief;
  QPointF pressedAt;
  std::optional<QPointF> mouse;  ///< over the plot

  void applyBase(const PlotTheme& look, const QFont& font);
  void showBalloon(const QString& text, const QImage& image);
};

namespace {

constexpr int kPicture = 84;       // pixels of the larger side
constexpr int kPictureText = 260;  // pixels of the text below it

}  // namespace

void PlotWidget::Impl::applyBase(const PlotTheme& look, const QFont& font) {
  plot->setBackground(QBrush(look.background));
  QFont ticks = font;
  ticks.setPointSizeF(std::max(7.0, font.pointSizeF() * 0.9));
  for (QCPAxis* axis : {plot->xAxis, plot->yAxis, plot->xAxis2, plot->yAxis2}) {
    axis->setBasePen(QPen(look.muted, 1));
    axis->setTickPen(QPen(look.muted, 1));
    axis->setSubTickPen(Qt::NoPen);
    axis->setTickLabelColor(look.text);
    axis->setLabelColor(look.text);
    axis->setTickLabelFont(ticks);
    axis->setLabelFont(font);
    axis->grid()->setPen(QPen(look.grid, 1));
    axis->grid()->setSubGridVisible(false);
    axis->grid()->setZeroLinePen(QPen(look.grid, 1));
  }
  plot->legend->setFont(ticks);
  plot->legend->setTextColor(look.text);
  plot->legend->setBrush(Qt::NoBrush);
  plot->legend->setBorderPen(Qt::NoPen);
  for (int i = 0; i < plot->legend->itemCount(); ++i) {
    QCPAbstractLegendItem* item = plot->legend->item(i);
    if (!item) continue;  // a cell without an entry, at the end of the last row
    item->setFont(ticks);
    item->setTextColor(look.text);
    item->setMargins(QMargins(2, 1, 2, 3));
  }
  dot->setPen(QPen(look.text, 1.5));
  dot->setBrush(look.background);
}

// Beside the mouse, all of it within the plot; in several lines where one is wider than that.
void PlotWidget::Impl::showBalloon(const QString& text, const QImage& image) {
  const QRect room = plot->rect().adjusted(4, 4, -4, -4);
  const int line = balloon->fontMetrics().horizontalAdvance(text) + 14;
  const int widest = image.isNull() ? room.width() : std::min(kPictureText, room.width());
  balloon->setText(text);
  balloon->setWordWrap(line > widest);
  balloon->setFixedWidth(std::min(line, widest));
  balloon->adjustSize();
  QSize size = balloon->size();
  picture->setVisible(!image.isNull());
  if (!image.isNull()) {
    picture->setPixmap(QPixmap::fromImage(
        image.scaled(kPicture, kPicture, Qt::KeepAspectRatio, Qt::FastTransformation)));
    picture->adjustSize();
    size.rheight() += picture->height() - 1;  // they share a border
  }
  const QPoint mouse = this->mouse->toPoint();
  QRect box(mouse + QPoint(14, -size.height() - 10), size);
  if (box.right() > room.right()) box.moveRight(std::max(mouse.x() - 14, box.width()));
  if (box.top() < room.top()) box.moveTop(mouse.y() + 18);
  box.moveLeft(
      std::clamp(box.left(), room.left(), std::max(room.left(), room.right() + 1 - box.width())));
  box.moveTop(
      std::clamp(box.top(), room.top(), std::max(room.top(), room.bottom() + 1 - box.height())));
  picture->move(box.topLeft());
  picture->raise();
  balloon->move(box.left(), box.bottom() + 1 - balloon->height());
  balloon->raise();
}

PlotWidget::PlotWidget(QWidget* parent) : QWidget(parent), impl_(std::make_unique<Impl>()) {
  Impl& d = *impl_;
  d.plot = new QCustomPlot(this);
  d.plot->setObjectName(QStringLiteral("canvas"));
  // QCustomPlot keeps all mouse events; a wheel that it is not given must reach the page.
  d.plot->setAttribute(Qt::WA_NoMousePropagation, false);
  d.plot->setFocusPolicy(Qt::StrongFocus);
  d.plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  d.plot->setNoAntialiasingOnDrag(true);
  d.plot->setMinimumSize(120, 80);
  d.plot->installEventFilter(this);
  d.plot->setContextMenuPolicy(Qt::CustomContextMenu);
  d.plot->axisRect()->setupFullAxesBox();
  d.plot->axisRect()->setMinimumMargins(QMargins(4, 4, 12, 2));
  for (QCPAxis* axis : {d.plot->xAxis2, d.plot->yAxis2}) axis->setTicks(false);

  // The legend has a row of its own above the axes, so that it never hides data.
  d.plot->plotLayout()->insertRow(0);
  d.legendRow = new QCPLayoutGrid;
  d.plot->plotLayout()->addElement(0, 0, d.legendRow);
  d.plot->plotLayout()->setRowStretchFactor(0, 0.0001);
  d.plot->plotLayout()->setRowSpacing(0);
  d.plot->axisRect()->insetLayout()->take(d.plot->legend);
  d.legendRow->addElement(0, 0, d.plot->legend);
  d.legendRow->addElement(0, 1, new QCPLayoutElement(d.plot));
  d.legendRow->setColumnStretchFactor(0, 0.0001);
  d.legendRow->setMargins(QMargins(4, 0, 0, 0));
  d.plot->legend->setVisible(true);
  d.plot->legend->setMargins(QMargins(4, 2, 4, 2));
  d.plot->legend->setRowSpacing(2);
  d.plot->legend->setColumnSpacing(12);
  d.plot->legend->setIconSize(24, 12);
  d.plot->legend->setIconTextPadding(6);

  connect(d.plot, &QCustomPlot::afterLayout, this, [this] {
    Impl& d = *impl_;  // beyond the axis the title would run into the legend
    const int room = d.plot->axisRect()->height() + 6;
    if (!d.yTitle.isEmpty()) fitAxisTitle(*d.plot->yAxis, d.yTitle, d.yBrief, room);
  });
  connect(d.plot, &QCustomPlot::afterReplot, this, [this] { impl_->drawn = true; });

  d.dot = new QCPItemTracer(d.plot);
  d.dot->setStyle(QCPItemTracer::tsCircle);
  d.dot->setSize(8);
  d.dot->setLayer(QStringLiteral("overlay"));
  d.dot->setVisible(false);
  d.dot->setSelectable(false);

  d.title = new ElidedLabel({}, this);
  d.title->setObjectName(QStringLiteral("plotTitle"));
  d.title->setProperty("role", "heading");
  d.title->installEventFilter(this);
  d.readout = new ElidedLabel({}, this);
  d.readout->setObjectName(QStringLiteral("plotReadout"));
  d.readout->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  d.readout->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  d.readout->setProperty("role", "muted");
  QSizePolicy kept = d.readout->sizePolicy();
  kept.setRetainSizeWhenHidden(true);
  d.readout->setSizePolicy(kept);
  d.balloon = new QLabel(d.plot);
  d.balloon->setObjectName(QStringLiteral("plotBalloon"));
  d.picture = new QLabel(d.plot);
  d.picture->setObjectName(QStringLiteral("plotPicture"));
  for (QLabel* label : {d.balloon, d.picture}) {
    label->setAttribute(Qt::WA_TransparentForMouseEvents);
    label->setAutoFillBackground(true);
    label->setBackgroundRole(QPalette::ToolTipBase);
    label->setForegroundRole(QPalette::ToolTipText);
    label->setFrameShape(QFrame::Box);
    label->setMargin(3);
    label->hide();
  }

  d.menu = new QMenu(this);
  d.menu->setObjectName(QStringLiteral("plotMenu"));
  const auto add = [&](const QString& label, const char* name, auto&& action) {
    QAction* item = d.menu->addAction(label);
    item->setObjectName(QLatin1String(name));
    connect(item, &QAction::triggered, this, action);
  };
  add(tr("PNG image…"), "exportPng", [this] { exportAs(QStringLiteral("png")); });
  add(tr("PDF figure…"), "exportPdf", [this] { exportAs(QStringLiteral("pdf")); });
  add(tr("SVG drawing…"), "exportSvg", [this] { exportAs(QStringLiteral("svg")); });
  add(tr("CSV data…"), "exportCsv", [this] { exportAs(QStringLiteral("csv")); });
  d.menu->addSeparator();
  add(tr("Copy image"), "copyImage", [this] { copyImage(); });
  add(tr("Show data"), "showData", [this] { showData(); });
  d.menu->addSeparator();
  add(tr("Reset zoom"), "resetZoom", [this] { resetView(); });
  connect(d.plot, &QWidget::customContextMenuRequested, this,
          [this](const QPoint& at) { impl_->menu->popup(impl_->plot->mapToGlobal(at)); });

  d.exportButton = new QToolButton(this);
  d.exportButton->setObjectName(QStringLiteral("plotExport"));
  d.exportButton->setText(tr("Export"));
  d.exportButton->setToolTip(
      tr("Save this plot as PNG, PDF, SVG or CSV (black on white), copy it, or see its numbers"));
  d.exportButton->setAutoRaise(true);
  d.exportButton->setPopupMode(QToolButton::InstantPopup);
  d.exportButton->setMenu(d.menu);
  d.exportButton->setFocusPolicy(Qt::StrongFocus);

  d.emptyText = new QLabel(d.plot);
  d.emptyText->setObjectName(QStringLiteral("plotEmptyText"));
  d.emptyText->setAlignment(Qt::AlignCenter);
  d.emptyText->setWordWrap(true);
  d.emptyText->setAttribute(Qt::WA_TransparentForMouseEvents);
  d.emptyText->setProperty("role", "muted");
  d.emptyText->setMargin(24);
  d.emptyText->setAutoFillBackground(true);
  d.emptyText->setBackgroundRole(QPalette::Base);

  auto* header = new QHBoxLayout;
  header->setContentsMargins(4, 0, 0, 0);
  header->setSpacing(8);
  d.controls = new QHBoxLayout;
  d.controls->setSpacing(8);
  header->addWidget(d.title);
  header->addLayout(d.controls);
  header->addWidget(d.readout, 1);
  header->addWidget(d.exportButton);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(2);
  layout->addLayout(header);
  layout->addWidget(d.plot, 1);

  d.chooser = [](QWidget* from, const QString& suggested, const QString& filters) {
    return DesktopDialogs().saveFile(from, tr("Export the plot"), suggested, filters);
  };
  d.theme = PlotTheme::fromPalette(palette());
  d.applyBase(d.theme, font());
}

PlotWidget::~PlotWidget() = default;

void PlotWidget::setTitle(const QString& title) {
  impl_->title->setFullText(title);
  setAccessibleName(title);
  impl_->plot->setAccessibleName(title);
  impl_->exportButton->setAccessibleName(tr("Export %1").arg(title));
}

QString PlotWidget::title() const {
  return impl_->title->fullText();
}

void PlotWidget::setEmptyText(const QString& text) {
  impl_->emptyText->setText(text);
  impl_->emptyText->setVisible(isEmpty() && !text.isEmpty());
}

QHBoxLayout* PlotWidget::headerLayout() const {
  return impl_->controls;
}

void PlotWidget::setPathChooser(PathChooser chooser) {
  impl_->chooser = std::move(chooser);
}

void PlotWidget::setFileStem(const QString& stem) {
  impl_->stem = stem;
}

void PlotWidget::setExportSize(const QSize& size) {
  impl_->exportSize = size;
}

bool PlotWidget::exportTo(const QString& path, QString* error) {
  QString problem;
  if (QFileInfo(path).suffix().compare(QLatin1String("csv"), Qt::CaseInsensitive) == 0) {
    problem = writeBytes(path, csv().toUtf8());
  } else {
    // On paper the figure is black on white, whatever the window looks like.
    Impl& d = *impl_;
    const PlotTheme screen = d.theme;
    const auto look = [&](const PlotTheme& theme, const QSize& size, bool paper) {
      d.theme = theme;
      d.paper = paper;
      fitLegend(size);
      d.applyBase(theme, font());
      applyTheme(theme);
      wrapLegend(*d.plot, size.width());
    };
    const bool dot = d.dot->visible();
    d.dot->setVisible(false);
    look(PlotTheme::forPaper(), d.exportSize, true);
    problem = writeFigure(*d.plot, path, d.exportSize, title());
    look(screen, d.plot->size(), false);
    d.dot->setVisible(dot);
    queueReplot();
  }
  if (error) *error = problem;
  if (problem.isEmpty()) {
    setReadout(tr("Saved as %1").arg(QFileInfo(path).fileName()));
    Q_EMIT exported(path);
  } else {
    Q_EMIT exportFailed(problem);
  }
  return problem.isEmpty();
}

QString PlotWidget::csv() const {
  return toCsv(table());
}

bool PlotWidget::isZoomed() const {
  return impl_->zoomed;
}

QString PlotWidget::readout() const {
  return impl_->readout->fullText();
}

QSize PlotWidget::sizeHint() const {
  return {420, 300};
}

QSize PlotWidget::minimumSizeHint() const {
  return {200, 130};
}

void PlotWidget::resetView() {
  impl_->zoomed = false;
  fitAxes();
  queueReplot();
}

void PlotWidget::showData() {
  auto* dialog = new PlotDataDialog(title(), table(), this);
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->show();
}

void PlotWidget::copyImage() {
  QApplication::clipboard()->setPixmap(
      impl_->plot->toPixmap(impl_->plot->width(), impl_->plot->height(), 2.0));
}

void PlotWidget::exportAs(const QString& suffix) {
  static const QMap<QString, QString> filters = {
      {QStringLiteral("png"), tr("PNG image (*.png)")},
      {QStringLiteral("pdf"), tr("PDF figure (*.pdf)")},
      {QStringLiteral("svg"), tr("SVG drawing (*.svg)")},
      {QStringLiteral("csv"), tr("Comma-separated values (*.csv)")}};
  QString stem = impl_->stem.isEmpty() ? title().toLower() : impl_->stem;
  stem.replace(QRegularExpression(QStringLiteral("[^\\w.-]+")), QStringLiteral("-"));
  if (stem.isEmpty()) stem = QStringLiteral("plot");
  QString path = impl_->chooser(this, stem + u'.' + suffix, filters.value(suffix));
  if (path.isEmpty()) return;
  if (QFileInfo(path).suffix().isEmpty()) path += u'.' + suffix;
  exportTo(path);
}

QCustomPlot* PlotWidget::canvas() const {
  return impl_->plot;
}

const PlotTheme& PlotWidget::theme() const {
  return impl_->theme;
}

void PlotWidget::dataChanged() {
  Impl& d = *impl_;
  fitLegend(d.plot->size());
  d.applyBase(d.theme, font());
  applyTheme(d.theme);
  wrapLegend(*d.plot, d.plot->width());
  const bool empty = isEmpty();
  d.emptyText->setVisible(empty && !d.emptyText->text().isEmpty());
  d.exportButton->setEnabled(!empty);
  if (empty) {
    hideHoverDot();
    setReadout({});
    d.zoomed = false;
  }
  if (!d.zoomed) fitAxes();
  const QString description = summary();
  setAccessibleDescription(description);
  d.title->setStatusTip(description);
  d.plot->setAccessibleDescription(description);
  queueReplot();
}

void PlotWidget::queueReplot() {
  impl_->plot->replot(QCustomPlot::rpQueuedReplot);
}

void PlotWidget::replotOverlay() {
  // Before the first replot the layer has nothing to be drawn on.
  if (impl_->drawn) {
    impl_->plot->layer(QStringLiteral("overlay"))->replot();
  } else {
    queueReplot();
  }
}

void PlotWidget::setReadout(const QString& text, const QImage& picture) {
  Impl& d = *impl_;
  d.readout->setFullText(text);
  const bool pictured = !picture.isNull() && d.mouse.has_value();
  const bool fits = d.readout->fontMetrics().horizontalAdvance(text) <= d.readout->width();
  d.readout->setVisible(fits && !pictured);
  const bool inside = (!fits || pictured) && d.mouse.has_value();
  if (inside) d.showBalloon(text, pictured ? picture : QImage());
  d.balloon->setVisible(inside);
  d.picture->setVisible(inside && pictured);
}

void PlotWidget::setYTitle(const QString& title, const QString& brief) {
  impl_->yTitle = title;
  impl_->yBrief = brief;
  impl_->plot->yAxis->setLabel(title);
  queueReplot();
}

QString PlotWidget::yTitle() const {
  return impl_->yTitle;
}

bool PlotWidget::onPaper() const {
  return impl_->paper;
}

int PlotWidget::legendRows(const QStringList& names, int width) const {
  return bulwark::legendRows(*impl_->plot, names, width);
}

bool PlotWidget::fitLegend(const QSize&) {
  return false;
}

void PlotWidget::setZoomed() {
  impl_->zoomed = true;
}

void PlotWidget::showHoverDot(double x, double y) {
  impl_->dot->position->setCoords(x, y);
  impl_->dot->setVisible(true);
  replotOverlay();
}

void PlotWidget::hideHoverDot() {
  if (!impl_->dot->visible()) return;
  impl_->dot->setVisible(false);
  replotOverlay();
}

void PlotWidget::hover(const QPointF&) {}

void PlotWidget::hoverLeft() {
  hideHoverDot();
  setReadout({});
}

bool PlotWidget::mousePress(const QPointF&, Qt::KeyboardModifiers) {
  return false;
}
void PlotWidget::mouseDrag(const QPointF&) {}
void PlotWidget::mouseRelease(const QPointF&) {}
void PlotWidget::clicked(const QPointF&, Qt::KeyboardModifiers) {}

bool PlotWidget::keyPressed(int, Qt::KeyboardModifiers) {
  return false;
}

void PlotWidget::setCanvasCursor(Qt::CursorShape shape) {
  impl_->plot->setCursor(shape);
}

void PlotWidget::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
    Impl& d = *impl_;
    d.theme = PlotTheme::fromPalette(palette());
    d.applyBase(d.theme, font());
    applyTheme(d.theme);
    queueReplot();
  }
}

bool PlotWidget::eventFilter(QObject* watched, QEvent* event) {
  Impl& d = *impl_;
  if (watched == d.title) {
    if (event->type() == QEvent::MouseButtonDblClick) Q_EMIT maximizeRequested();
    return QWidget::eventFilter(watched, event);
  }
  switch (event->type()) {
    case QEvent::Resize:
      d.emptyText->setGeometry(d.plot->rect());
      if (fitLegend(d.plot->size())) {
        d.applyBase(d.theme, font());
        applyTheme(d.theme);
      }
      wrapLegend(*d.plot, d.plot->width());
      break;
    case QEvent::MouseButtonPress: {
      auto* mouse = static_cast<QMouseEvent*>(event);
      if (mouse->button() != Qt::LeftButton || isEmpty()) break;
      d.pressed = true;
      d.dragged = false;
      d.pressedAt = mouse->position();
      d.taken = mousePress(mouse->position(), mouse->modifiers());
      if (d.taken) return true;
      break;
    }
    case QEvent::MouseMove: {
      auto* mouse = static_cast<QMouseEvent*>(event);
      d.mouse = mouse->position();
      if (isEmpty()) break;
      if (!d.pressed) {
        hover(mouse->position());
        break;
      }
      const QPointF moved = mouse->position() - d.pressedAt;
      if (moved.manhattanLength() > QApplication::startDragDistance()) d.dragged = true;
      if (d.taken) {
        mouseDrag(mouse->position());
        return true;
      }
      if (d.dragged) d.zoomed = true;
      break;
    }
    case QEvent::MouseButtonRelease: {
      auto* mouse = static_cast<QMouseEvent*>(event);
      if (!d.pressed || mouse->button() != Qt::LeftButton) break;
      d.pressed = false;
      if (d.taken) {
        d.taken = false;
        mouseRelease(mouse->position());
        return true;
      }
      if (!d.dragged) clicked(mouse->position(), mouse->modifiers());
      break;
    }
    case QEvent::MouseButtonDblClick:
      d.pressed = false;
      if (d.zoomed) {
        resetView();
      } else {
        Q_EMIT maximizeRequested();
      }
      return true;
    case QEvent::Wheel:
      // In a page that scrolls the wheel is the page's; with Ctrl it still zooms.
      if (isEmpty() || (isScrolled(*this) &&
                        !(static_cast<QWheelEvent*>(event)->modifiers() & Qt::ControlModifier))) {
        hoverLeft();      // what it said of this place moves away
        event->ignore();  // goes on to the parent
        return true;
      }
      d.zoomed = true;
      break;
    case QEvent::KeyPress: {
      auto* key = static_cast<QKeyEvent*>(event);
      if (!isEmpty() && keyPressed(key->key(), key->modifiers())) return true;
      break;
    }
    case QEvent::Leave:
      d.mouse.reset();
      hoverLeft();
      break;
    default:
      break;
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace bulwark
