#include "ui/widgets/form_scroll.h"

#include <QEvent>
#include <QScrollBar>
#include <algorithm>

namespace bulwark {

FormScroll::FormScroll(QWidget* parent) : QScrollArea(parent) {
  setWidgetResizable(true);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFrameShape(QFrame::NoFrame);
}

QSize FormScroll::minimumSizeHint() const {
  QSize size = QScrollArea::minimumSizeHint();
  if (widget()) {
    size.setWidth(widget()->minimumSizeHint().width() + verticalScrollBar()->sizeHint().width());
  }
  return size;
}

QSize FormScroll::sizeHint() const {
  QSize size = QScrollArea::sizeHint();
  if (widget()) {
    size.setHeight(
        std::min(widget()->sizeHint().height() + 2 * frameWidth(), 24 * fontMetrics().height()));
  }
  return size;
}

bool FormScroll::eventFilter(QObject* watched, QEvent* event) {
  const bool handled = QScrollArea::eventFilter(watched, event);
  if (watched == widget() && event->type() == QEvent::LayoutRequest) updateGeometry();
  return handled;
}

}  // namespace bulwark
