#include "ui/widgets/page_scroll.h"

#include <QEvent>
#include <QScrollBar>

namespace bulwark {

PageScroll::PageScroll(QWidget* page, QWidget* parent) : QScrollArea(parent) {
  setFrameShape(QFrame::NoFrame);
  setFocusPolicy(Qt::NoFocus);
  setWidget(page);
  fit();
}

void PageScroll::resizeEvent(QResizeEvent* event) {
  fit();
  QScrollArea::resizeEvent(event);
}

bool PageScroll::eventFilter(QObject* watched, QEvent* event) {
  const bool handled = QScrollArea::eventFilter(watched, event);
  if (watched == widget() && event->type() == QEvent::LayoutRequest) fit();
  return handled;
}

// Not by `setWidgetResizable`, which would give a page with wrapped texts the height it likes best
// instead of the one there is.
void PageScroll::fit() {
  const QSize place = maximumViewportSize();
  const QSize least = widget()->minimumSizeHint();
  const int down = verticalScrollBar()->sizeHint().width();
  const int across = horizontalScrollBar()->sizeHint().height();
  bool wide = least.width() > place.width();
  const bool high = least.height() > place.height() - (wide ? across : 0);
  wide = least.width() > place.width() - (high ? down : 0);
  const QSize left = place - QSize(high ? down : 0, wide ? across : 0);
  widget()->resize(left.expandedTo(least));
}

}  // namespace bulwark
