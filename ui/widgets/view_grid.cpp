#include "ui/widgets/view_grid.h"

#include <QFrame>
#include <QShortcut>
#include <QSplitter>
#include <QVBoxLayout>

namespace bulwark {

ViewGrid::ViewGrid(const std::array<QWidget*, 4>& views, QWidget* parent) : QWidget(parent) {
  auto* column = new QSplitter(Qt::Vertical, this);
  column->setObjectName(QStringLiteral("viewGridColumn"));
  column->setChildrenCollapsible(false);
  column->setHandleWidth(8);
  for (int row = 0; row < 2; ++row) {
    rows_[row] = new QSplitter(Qt::Horizontal, column);
    rows_[row]->setObjectName(QStringLiteral("viewGridRow%1").arg(row));
    rows_[row]->setChildrenCollapsible(false);
    rows_[row]->setHandleWidth(8);
    for (int side = 0; side < 2; ++side) {
      const int index = row * 2 + side;
      auto* frame = new QFrame(rows_[row]);
      frame->setProperty("panel", true);
      auto* inside = new QVBoxLayout(frame);
      inside->setContentsMargins(8, 4, 8, 8);
      inside->addWidget(views[index]);
      frames_[index] = frame;
    }
    rows_[row]->setSizes({1000, 1000});
  }
  column->setSizes({1000, 1000});
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(column);
  auto* escape = new QShortcut(Qt::Key_Escape, this);
  escape->setContext(Qt::WidgetWithChildrenShortcut);
  connect(escape, &QShortcut::activated, this, &ViewGrid::restore);
}

void ViewGrid::toggleMaximized(int view) {
  if (maximized_ == view) {
    restore();
    return;
  }
  maximized_ = view;
  for (int i = 0; i < 4; ++i) frames_[i]->setVisible(i == view);
  for (int row = 0; row < 2; ++row) rows_[row]->setVisible(row == view / 2);
}

void ViewGrid::restore() {
  maximized_ = -1;
  for (QSplitter* row : rows_) row->show();
  for (QFrame* frame : frames_) frame->show();
}

}  // namespace bulwark
