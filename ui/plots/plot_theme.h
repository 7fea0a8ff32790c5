#pragma once

#include <QColor>
#include <QPalette>
#include <QVector>

namespace bulwark {

/// How one series is drawn. Colour is never the only difference: the line style changes as well.
struct SeriesStyle {
  QColor color;
  Qt::PenStyle line = Qt::SolidLine;
  int marker = 0;  ///< index of a marker shape, 0 to 3
};

/// The colours of a plot, taken from a widget palette so that plots follow light and dark.
struct PlotTheme {
  bool dark = false;
  QColor background, text, muted, grid, accent, panel;
  QColor in;      ///< in-distribution (normal) samples
  QColor out;     ///< out-of-distribution (anomalous) samples
  QColor select;  ///< selected samples
  QVector<QColor> series;

  static PlotTheme fromPalette(const QPalette& palette);
  /// Black on white, for files that go into a paper.
  static PlotTheme forPaper();

  /// Ten distinct looks, then repeating; colours after Okabe and Ito (safe for colour blindness).
  SeriesStyle style(int index) const;
};

}  // namespace bulwark
