#include "ui/widgets/whole_rows.h"

#include <QHeaderView>
#include <QScrollBar>
#include <QTableView>

namespace bulwark {

WholeRows::WholeRows(QTableView* table, QWidget* parent) : QWidget(parent), table_(table) {
  table_->setParent(this);
  connect(table_->verticalHeader(), &QHeaderView::geometriesChanged, this, &WholeRows::fit,
          Qt::QueuedConnection);
  connect(table_->verticalHeader(), &QHeaderView::sectionResized, this, &WholeRows::fit,
          Qt::QueuedConnection);
  connect(table_->horizontalScrollBar(), &QScrollBar::rangeChanged, this, &WholeRows::fit,
          Qt::QueuedConnection);
}

QSize WholeRows::sizeHint() const {
  return table_->sizeHint();
}

QSize WholeRows::minimumSizeHint() const {
  return table_->minimumSizeHint();
}

void WholeRows::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  fit();
}

// Rows may differ in height, so they are added up until the next one would be cut.
void WholeRows::fit() {
  const int above = table_->horizontalHeader()->sizeHint().height() + 2 * table_->frameWidth();
  const QScrollBar* across = table_->horizontalScrollBar();
  const int below = across->maximum() > 0 ? across->sizeHint().height() : 0;
  int fitting = above;
  const QHeaderView* rows = table_->verticalHeader();
  for (int row = 0; row < rows->count(); ++row) {
    const int next = rows->sectionSize(row);
    if (fitting + next + below > height()) break;
    fitting += next;
  }
  const bool all = rows->count() == 0 || fitting == above;
  table_->setGeometry(0, 0, width(), all ? height() : fitting + below);
}

}  // namespace bulwark
