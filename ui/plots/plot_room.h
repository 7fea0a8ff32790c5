#pragma once

#include <QString>
#include <QStringList>

class QCPAxis;
class QCustomPlot;
class QWidget;

namespace bulwark {

/// Rows of the legend of `plot` with these entries, where it is `width` pixels wide.
int legendRows(const QCustomPlot& plot, const QStringList& names, int width);

/// As many entries of the legend side by side as fit in `width` pixels.
void wrapLegend(QCustomPlot& plot, int width);

/// `title` for an axis that is `room` pixels long; where it is longer, `brief` or the start of it.
void fitAxisTitle(QCPAxis& axis, const QString& title, const QString& brief, int room);

/// Whether a plot stands in an area that has something to scroll.
bool isScrolled(const QWidget& plot);

}  // namespace bulwark
