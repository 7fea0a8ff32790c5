#include "ui/widgets/class_grid.h"

#include <QHelpEvent>
#include <QLocale>
#include <QPaintEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <map>

namespace bulwark {

namespace {
constexpr int side = 40;
constexpr int gap = 4;
constexpr int rowHeight = side + 8;
constexpr int labelWidth = 100;
constexpr int blockWidth = labelWidth + 2 * (side + gap) + 8;  // the least that a class needs
}  // namespace

ClassGrid::ClassGrid(QWidget* parent) : QWidget(parent) {
  setObjectName(QStringLiteral("classGrid"));
  setAccessibleName(tr("Images by class"));
}

void ClassGrid::setPreview(const DatasetPreview& preview) {
  rows_.clear();
  std::map<std::int64_t, std::size_t> rowOfLabel;
  for (const auto& [label, count] : preview.classCounts) {
    Row row;
    const auto index = static_cast<std::size_t>(label);
    row.name = label >= 0 && index < preview.classNames.size()
                   ? QString::fromStdString(preview.classNames[index])
                   : (label < 0 ? tr("no label") : QString::number(label));
    row.count = count;
    rowOfLabel[label] = rows_.size();
    rows_.push_back(std::move(row));
  }
  for (const auto& thumbnail : preview.thumbnails) {
    const auto found = rowOfLabel.find(thumbnail.label);
    const auto bytes =
        static_cast<std::size_t>(thumbnail.width) * static_cast<std::size_t>(thumbnail.height) * 3;
    if (found == rowOfLabel.end() || bytes == 0 || thumbnail.rgb.size() != bytes) continue;
    const QImage image(thumbnail.rgb.data(), thumbnail.width, thumbnail.height, thumbnail.width * 3,
                       QImage::Format_RGB888);
    // Small images are enlarged without smoothing: a pixel is what the network sees.
    const auto mode = thumbnail.width < side ? Qt::FastTransformation : Qt::SmoothTransformation;
    rows_[found->second].images.push_back(
        image.scaled(side * 2, side * 2, Qt::KeepAspectRatio, mode));
    rows_[found->second].indices.push_back(thumbnail.index);
  }
  arrange();
}

void ClassGrid::clear() {
  rows_.clear();
  arrange();
}

void ClassGrid::arrange() {
  const int most = std::max(1, width() / blockWidth);
  const int room = parentWidget() ? parentWidget()->height() : height();
  columns_ = 1;
  while (columns_ < most && minimumSizeHint().height() > room) ++columns_;
  updateGeometry();
  update();
}

void ClassGrid::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

QRect ClassGrid::block(int row) const {
  const int wide = width() / columns_;
  return {row % columns_ * wide, row / columns_ * rowHeight + 4, wide - 8, side};
}

QSize ClassGrid::minimumSizeHint() const {
  return {blockWidth, (rowCount() + columns_ - 1) / columns_ * rowHeight};
}

QSize ClassGrid::sizeHint() const {
  std::size_t widest = 0;
  for (const auto& row : rows_) widest = std::max(widest, row.images.size());
  return {labelWidth + static_cast<int>(widest) * (side + gap), minimumSizeHint().height()};
}

void ClassGrid::paintEvent(QPaintEvent* event) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  for (int i = 0; i < rowCount(); ++i) {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    const QRect box = block(i);
    if (!event->rect().intersects(box)) continue;
    const QRect name(box.left(), box.top(), labelWidth - 8, side / 2);
    painter.setPen(palette().color(QPalette::Text));
    painter.drawText(name, Qt::AlignLeft | Qt::AlignBottom,
                     fontMetrics().elidedText(row.name, Qt::ElideRight, name.width()));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(name.translated(0, side / 2), Qt::AlignLeft | Qt::AlignTop,
                     tr("%1 images").arg(QLocale().toString(row.count)));
    for (std::size_t k = 0; k < row.images.size(); ++k) {
      const QSize size = row.images[k].size() / 2;
      const QRect cell(box.left() + labelWidth + static_cast<int>(k) * (side + gap), box.top(),
                       side, side);
      if (cell.right() > box.right()) break;
      painter.drawImage(
          QRect(cell.center() - QPoint(size.width() / 2 - 1, size.height() / 2 - 1), size),
          row.images[k]);
    }
  }
}

bool ClassGrid::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    for (int i = 0; i < rowCount(); ++i) {
      const QRect box = block(i);
      if (!box.contains(help->pos())) continue;
      const Row& found = rows_[static_cast<std::size_t>(i)];
      const int inside = help->pos().x() - box.left() - labelWidth;
      const auto column = static_cast<std::size_t>(std::max(0, inside) / (side + gap));
      const QString text =
          inside < 0 || column >= found.indices.size()
              ? tr("%1: %2 images").arg(found.name, QLocale().toString(found.count))
              : tr("%1, image %2").arg(found.name).arg(found.indices[column]);
      QToolTip::showText(help->globalPos(), text, this);
      return true;
    }
    QToolTip::hideText();
    return true;
  }
  return QWidget::event(event);
}

}  // namespace bulwark
