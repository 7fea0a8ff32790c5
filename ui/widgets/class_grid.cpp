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
constexpr int labelWidth = 124;
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
  updateGeometry();
  resize(sizeHint());
  update();
}

void ClassGrid::clear() {
  rows_.clear();
  updateGeometry();
  update();
}

QSize ClassGrid::sizeHint() const {
  std::size_t widest = 0;
  for (const auto& row : rows_) widest = std::max(widest, row.images.size());
  return {labelWidth + static_cast<int>(widest) * (side + gap),
          static_cast<int>(rows_.size()) * rowHeight};
}

void ClassGrid::paintEvent(QPaintEvent* event) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::SmoothPixmapTransform);
  const int first = std::max(0, event->rect().top() / rowHeight);
  const int last = std::min(rowCount() - 1, event->rect().bottom() / rowHeight);
  for (int i = first; i <= last; ++i) {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    const int top = i * rowHeight + 4;
    const QRect name(0, top, labelWidth - 8, side / 2);
    painter.setPen(palette().color(QPalette::Text));
    painter.drawText(name, Qt::AlignLeft | Qt::AlignBottom,
                     fontMetrics().elidedText(row.name, Qt::ElideRight, name.width()));
    painter.setPen(palette().color(QPalette::PlaceholderText));
    painter.drawText(name.translated(0, side / 2), Qt::AlignLeft | Qt::AlignTop,
                     tr("%1 images").arg(QLocale().toString(row.count)));
    for (std::size_t k = 0; k < row.images.size(); ++k) {
      const QSize size = row.images[k].size() / 2;
      const QRect cell(labelWidth + static_cast<int>(k) * (side + gap), top, side, side);
      painter.drawImage(
          QRect(cell.center() - QPoint(size.width() / 2 - 1, size.height() / 2 - 1), size),
          row.images[k]);
    }
  }
}

bool ClassGrid::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip) {
    auto* help = static_cast<QHelpEvent*>(event);
    const int row = help->pos().y() / rowHeight;
    const int column = (help->pos().x() - labelWidth) / (side + gap);
    if (row >= 0 && row < rowCount() && help->pos().x() >= labelWidth) {
      const Row& found = rows_[static_cast<std::size_t>(row)];
      if (column < static_cast<int>(found.indices.size())) {
        QToolTip::showText(
            help->globalPos(),
            tr("%1, image %2").arg(found.name).arg(found.indices[static_cast<std::size_t>(column)]),
            this);
        return true;
      }
    }
    QToolTip::hideText();
    return true;
  }
  return QWidget::event(event);
}

}  // namespace bulwark
