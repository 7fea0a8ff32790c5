#pragma once

#include <QImage>
#include <QStringList>
#include <QVector>
#include <QWidget>
#include <functional>
#include <memory>

#include "ui/plots/plot_theme.h"

class QCustomPlot;
class QHBoxLayout;

namespace bulwark {

/// What a plot shows, as a table: columns of text, then columns of numbers of the same length.
struct PlotTable {
  QString labelHeader = QStringLiteral("series");
  QStringList headers;         ///< of `columns`
  QStringList labels;          ///< [rows]
  QStringList textHeaders;     ///< of `texts`
  QVector<QStringList> texts;  ///< further columns of text, right of the labels
  QVector<QVector<double>> columns;
};

/// QCustomPlot wrapped once: theme, legend, zoom, hover read-out, export, "Show data".
///
/// Only sources in ui/plots see qcustomplot.h (it costs seconds per file); pages use subclasses.
/// A subclass adds its plottables to `canvas()` and answers the virtual functions below.
/// Wheel and drag zoom and move (in a page that scrolls, the wheel scrolls and Ctrl+wheel zooms); a
/// double click resets, or asks to be maximised when there is nothing to reset.
class PlotWidget : public QWidget {
  Q_OBJECT

 public:
  /// Returns the path to save to, or an empty string when the user gave up.
  using PathChooser =
      std::function<QString(QWidget* parent, const QString& suggested, const QString& filters)>;

  explicit PlotWidget(QWidget* parent = nullptr);
  ~PlotWidget() override;

  void setTitle(const QString& title);
  QString title() const;
  /// Shown in place of the plot while it has no data.
  void setEmptyText(const QString& text);
  /// Room right of the title for the controls of a page.
  QHBoxLayout* headerLayout() const;
  void setPathChooser(PathChooser chooser);
  /// Suggested file name without suffix; default: from the title.
  void setFileStem(const QString& stem);
  /// Size of exported figures in pixels at 96 dpi (PNG has twice as many); default 640 x 440.
  void setExportSize(const QSize& size);

  /// Writes png, pdf, svg or csv, told by the suffix, atomically and in black on white.
  /// False, with the reason in `error`, when the suffix is unknown or the file cannot be written.
  bool exportTo(const QString& path, QString* error = nullptr);
  /// Comma-separated values of `table()`, with enough digits to restore every number.
  QString csv() const;
  virtual PlotTable table() const = 0;
  /// One or two sentences for screen readers.
  virtual QString summary() const = 0;
  virtual bool isEmpty() const = 0;

  bool isZoomed() const;
  /// The text of the hover read-out, as shown.
  QString readout() const;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override;

 public Q_SLOTS:
  void resetView();
  void showData();
  void copyImage();
  /// Asks for a path and exports to it. `suffix`: png, pdf, svg or csv.
  void exportAs(const QString& suffix);

 Q_SIGNALS:
  void exported(const QString& path);
  void exportFailed(const QString& message);
  /// Double click on a plot that is not zoomed, or on its title.
  void maximizeRequested();

 protected:
  QCustomPlot* canvas() const;
  const PlotTheme& theme() const;
  /// Call after the data changed: rescales unless zoomed, refreshes texts, queues a replot.
  void dataChanged();
  void queueReplot();
  /// The title of the vertical axis; `brief` stands there where the axis is too short for it.
  void setYTitle(const QString& title, const QString& brief = {});
  QString yTitle() const;
  /// A figure for a file is being drawn.
  bool onPaper() const;
  /// Rows of a legend with these entries in a plot of that width.
  int legendRows(const QStringList& names, int width) const;
  /// What is in view was chosen and stays until `resetView`.
  void setZoomed();
  /// Replots the overlay layer only: threshold line, hover dot.
  void replotOverlay();
  /// With a picture it stands beside the mouse; without one there only where the header is too
  /// narrow.
  void setReadout(const QString& text, const QImage& picture = QImage());
  /// Dot on the overlay layer at plot coordinates.
  void showHoverDot(double x, double y);
  void hideHoverDot();

  /// Sets colours of everything that the subclass draws.
  virtual void applyTheme(const PlotTheme& theme) = 0;
  virtual void fitAxes() = 0;
  /// Before the plot is drawn in another size: true when that has changed the legend.
  virtual bool fitLegend(const QSize& size);
  /// Called with the pixel under the mouse; set the read-out and the hover dot.
  virtual void hover(const QPointF& pixel);
  virtual void hoverLeft();
  /// True when the subclass takes the mouse (dragging its own handle); zooming is then off.
  virtual bool mousePress(const QPointF& pixel, Qt::KeyboardModifiers modifiers);
  virtual void mouseDrag(const QPointF& pixel);
  virtual void mouseRelease(const QPointF& pixel);
  /// A click without a drag.
  virtual void clicked(const QPointF& pixel, Qt::KeyboardModifiers modifiers);

  /// True when the key was used.
  virtual bool keyPressed(int key, Qt::KeyboardModifiers modifiers);
  /// Cursor over the canvas.
  void setCanvasCursor(Qt::CursorShape shape);

  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bulwark
