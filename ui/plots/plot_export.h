#pragma once

#include <QSize>
#include <QString>

class QCustomPlot;

namespace bulwark {

struct PlotTable;

/// Renders at `size` (pixels at 96 dpi) and writes atomically; the format follows the suffix of
/// `path`: png (twice the pixels), pdf, svg. Returns an empty string, or why it failed.
QString writeFigure(QCustomPlot& plot, const QString& path, const QSize& size,
                    const QString& title);

/// Comma-separated, RFC 4180 quoting, 17 significant digits where needed.
QString toCsv(const PlotTable& table);
QString csvCell(const QString& text);

/// Writes atomically; returns an empty string, or why it failed.
QString writeBytes(const QString& path, const QByteArray& bytes);

}  // namespace bulwark
