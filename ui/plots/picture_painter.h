#pragma once

#include <QImage>
#include <QPainter>
#include <QStringList>
#include <algorithm>

#include "ui/plots/plot_theme.h"

namespace bulwark {

/// A picture as large as fits above its caption of up to `lines` lines, both centred in `cell`; the
/// first line stands out where `wrong`. Returns where the picture is.
inline QRectF paintPicture(QPainter& painter, const QRectF& cell, const QImage& image,
                           const QStringList& caption, int lines, bool wrong,
                           const PlotTheme& theme, const QFont& font) {
  const QFontMetricsF metrics(font);
  const double text = lines * metrics.lineSpacing();
  const double side = std::max(8.0, std::min(cell.width() - 8, cell.height() - text - 8));
  QSizeF size(image.size());
  size.scale(side, side, Qt::KeepAspectRatio);
  QRectF target(QPointF(), size);
  target.moveCenter(QPointF(cell.center().x(), 0));
  target.moveTop(cell.top() + (cell.height() - side - text - 2) / 2);
  painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
  painter.drawImage(target, image);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(theme.grid, 1));
  painter.drawRect(target);
  double top = target.bottom() + 2;
  for (qsizetype i = 0; i < caption.size(); ++i) {
    const bool loud = i == 0 && wrong;
    QFont own = font;
    own.setBold(loud);
    painter.setFont(own);
    painter.setPen(loud ? theme.out : i == 0 ? theme.text : theme.muted);
    painter.drawText(QRectF(cell.left(), top, cell.width(), metrics.lineSpacing()),
                     Qt::AlignCenter | Qt::TextDontClip, caption[i]);
    top += metrics.lineSpacing();
  }
  return target;
}

}  // namespace bulwark
