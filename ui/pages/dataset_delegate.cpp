#include "ui/pages/dataset_delegate.h"

#include <QApplication>
#include <QPainter>

#include "ui/models/dataset_model.h"

namespace bulwark {

void DatasetDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                            const QModelIndex& index) const {
  QStyleOptionViewItem cell(option);
  initStyleOption(&cell, index);
  const QString title = cell.text;
  cell.text.clear();
  const QStyle* style = option.widget ? option.widget->style() : QApplication::style();
  style->drawControl(QStyle::CE_ItemViewItem, &cell, painter, option.widget);

  const bool installed = index.data(DatasetModel::InstalledRole).toBool();
  const QString badge = index.data(DatasetModel::BadgeRole).toString();
  // Not the option's: a style sheet puts its selection colour there.
  const QPalette palette = QApplication::palette();
  const QRect box = option.rect.adjusted(10, 6, -10, -6);
  QFont bold(option.font);
  bold.setWeight(QFont::DemiBold);
  QFont small(option.font);
  small.setPointSizeF(small.pointSizeF() * 0.88);

  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setFont(small);
  const int badgeWidth = painter->fontMetrics().horizontalAdvance(badge) + 14;
  const QRect pill(box.right() - badgeWidth + 1, box.top(), badgeWidth, 18);
  painter->setPen(Qt::NoPen);
  QColor fill = palette.color(installed ? QPalette::Highlight : QPalette::Mid);
  fill.setAlphaF(installed ? 0.16f : 0.45f);
  painter->setBrush(fill);
  painter->drawRoundedRect(pill, 9, 9);
  painter->setPen(installed ? palette.color(QPalette::Highlight)
                            : palette.color(QPalette::PlaceholderText));
  painter->drawText(pill, Qt::AlignCenter, badge);

  const QRect line(box.left(), box.top(), box.width() - badgeWidth - 8, box.height() / 2);
  painter->setFont(bold);
  painter->setPen(palette.color(installed ? QPalette::Text : QPalette::PlaceholderText));
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                    painter->fontMetrics().elidedText(title, Qt::ElideRight, line.width()));
  painter->setFont(small);
  painter->setPen(palette.color(QPalette::PlaceholderText));
  const QRect second(box.left(), box.center().y() + 1, box.width(), box.height() / 2);
  painter->drawText(
      second, Qt::AlignLeft | Qt::AlignVCenter,
      painter->fontMetrics().elidedText(index.data(DatasetModel::SubtitleRole).toString(),
                                        Qt::ElideRight, second.width()));
  painter->restore();
}

QSize DatasetDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
  return {200, option.fontMetrics.height() * 2 + 20};
}

}  // namespace bulwark
