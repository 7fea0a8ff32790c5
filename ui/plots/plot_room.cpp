#include "ui/plots/plot_room.h"

#include <qcustomplot.h>

#include <QScrollArea>
#include <QScrollBar>
#include <algorithm>
#include <vector>

namespace bulwark {

namespace {

constexpr int kBeside = 12;  // pixels beside a legend: margins of its row and its own

int entryWidth(const QCPLegend& legend, const QString& name) {
  return QFontMetrics(legend.font()).horizontalAdvance(name) + legend.iconSize().width() +
         legend.iconTextPadding() + legend.columnSpacing() + 4;
}

int columnsOf(const std::vector<int>& widths, int width) {
  const int count = int(widths.size());
  int columns = std::max(1, count);
  for (; columns > 1; --columns) {
    int total = kBeside;
    for (int column = 0; column < columns; ++column) {
      int widest = 0;
      for (int i = column; i < count; i += columns) {
        widest = std::max(widest, widths[std::size_t(i)]);
      }
      total += widest;
    }
    if (total <= width) break;
  }
  return columns;
}

}  // namespace

int legendRows(const QCustomPlot& plot, const QStringList& names, int width) {
  std::vector<int> widths;
  for (const QString& name : names) widths.push_back(entryWidth(*plot.legend, name));
  const int columns = columnsOf(widths, width);
  return (int(names.size()) + columns - 1) / columns;
}

void wrapLegend(QCustomPlot& plot, int width) {
  QCPLegend& legend = *plot.legend;
  std::vector<int> widths;
  for (int i = 0; i < legend.itemCount(); ++i) {
    auto* item = qobject_cast<QCPPlottableLegendItem*>(legend.item(i));
    if (item) widths.push_back(entryWidth(legend, item->plottable()->name()));
  }
  if (widths.empty()) return;
  const int columns = columnsOf(widths, width);
  if (legend.wrap() != columns || legend.columnCount() > columns) {
    legend.setWrap(columns);
    legend.setFillOrder(QCPLayoutGrid::foColumnsFirst, true);
  }
}

void fitAxisTitle(QCPAxis& axis, const QString& title, const QString& brief, int room) {
  const QFontMetrics metrics(axis.labelFont());
  const auto fits = [&](const QString& text) { return metrics.horizontalAdvance(text) <= room; };
  const QString& less = brief.isEmpty() ? title : brief;
  axis.setLabel(fits(title)  ? title
                : fits(less) ? less
                             : metrics.elidedText(less, Qt::ElideRight, room));
}

bool isScrolled(const QWidget& plot) {
  for (const QWidget* widget = plot.parentWidget(); widget; widget = widget->parentWidget()) {
    const auto* area = qobject_cast<const QAbstractScrollArea*>(widget);
    if (area && area->verticalScrollBar()->maximum() > area->verticalScrollBar()->minimum()) {
      return true;
    }
  }
  return false;
}

}  // namespace bulwark
