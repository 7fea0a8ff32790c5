#include "ui/plots/plot_export.h"

#include <qcustomplot.h>

#include <QBuffer>
#include <QCoreApplication>
#include <QFileInfo>
#include <QLocale>
#include <QPageSize>
#include <QPdfWriter>
#include <QSaveFile>
#include <QSvgGenerator>

#include "ui/plots/plot_widget.h"

namespace bulwark {
namespace {

constexpr int kDpi = 96;

QString text(const char* source) {
  return QCoreApplication::translate("PlotExport", source);
}

bool paint(QCustomPlot& plot, QPaintDevice& device, const QSize& size) {
  QCPPainter painter;
  if (!painter.begin(&device)) return false;
  painter.setMode(QCPPainter::pmVectorized);
  painter.setMode(QCPPainter::pmNoCaching);
  plot.toPainter(&painter, size.width(), size.height());
  return painter.end();
}

QByteArray pdf(QCustomPlot& plot, const QSize& size, const QString& title) {
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  QPdfWriter writer(&buffer);
  writer.setTitle(title);
  writer.setCreator(QStringLiteral("Bulwark"));
  writer.setResolution(kDpi);
  writer.setPageSize(
      QPageSize(QSizeF(size) * 72.0 / kDpi, QPageSize::Point, QString(), QPageSize::ExactMatch));
  writer.setPageMargins(QMarginsF());
  return paint(plot, writer, size) ? buffer.data() : QByteArray();
}

QByteArray svg(QCustomPlot& plot, const QSize& size, const QString& title) {
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  QSvgGenerator generator;
  generator.setOutputDevice(&buffer);
  generator.setTitle(title);
  generator.setResolution(kDpi);
  generator.setSize(size);
  generator.setViewBox(QRect(QPoint(), size));
  return paint(plot, generator, size) ? buffer.data() : QByteArray();
}

QByteArray png(QCustomPlot& plot, const QSize& size, const QString& title) {
  QImage image = plot.toPixmap(size.width(), size.height(), 2.0).toImage();
  image.setDevicePixelRatio(1.0);
  image.setDotsPerMeterX(qRound(2 * kDpi / 0.0254));
  image.setDotsPerMeterY(qRound(2 * kDpi / 0.0254));
  image.setText(QStringLiteral("Title"), title);
  image.setText(QStringLiteral("Software"), QStringLiteral("Bulwark"));
  QBuffer buffer;
  buffer.open(QIODevice::WriteOnly);
  return image.save(&buffer, "PNG") ? buffer.data() : QByteArray();
}

}  // namespace

QString writeBytes(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) {
    return {};
  }
  return text("Cannot write %1: %2").arg(path, file.errorString());
}

QString writeFigure(QCustomPlot& plot, const QString& path, const QSize& size,
                    const QString& title) {
  const QString suffix = QFileInfo(path).suffix().toLower();
  QByteArray bytes;
  if (suffix == QLatin1String("png")) {
    bytes = png(plot, size, title);
  } else if (suffix == QLatin1String("pdf")) {
    bytes = pdf(plot, size, title);
  } else if (suffix == QLatin1String("svg")) {
    bytes = svg(plot, size, title);
  } else {
    return text("A plot is saved as .png, .pdf, .svg or .csv, not as \"%1\"").arg(path);
  }
  if (bytes.isEmpty()) return text("The figure could not be rendered as %1").arg(suffix);
  return writeBytes(path, bytes);
}

QString csvCell(const QString& cell) {
  if (!cell.contains(u',') && !cell.contains(u'"') && !cell.contains(u'\n')) return cell;
  QString quoted = cell;
  quoted.replace(QLatin1String("\""), QLatin1String("\"\""));
  return u'"' + quoted + u'"';
}

QString toCsv(const PlotTable& table) {
  QString csv = csvCell(table.labelHeader);
  for (const QString& header : table.textHeaders + table.headers) csv += u',' + csvCell(header);
  csv += u'\n';
  for (qsizetype row = 0; row < table.labels.size(); ++row) {
    csv += csvCell(table.labels[row]);
    for (const QStringList& column : table.texts) csv += u',' + csvCell(column[row]);
    for (const QVector<double>& column : table.columns) {
      csv += u',' + QLocale::c().toString(column[row], 'g', QLocale::FloatingPointShortest);
    }
    csv += u'\n';
  }
  return csv;
}

}  // namespace bulwark
