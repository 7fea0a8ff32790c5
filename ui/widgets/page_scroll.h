#pragma once

#include <QScrollArea>

namespace bulwark {

/// A page that scrolls where its place is smaller than the page can be, so that nothing of it is
/// cut off. Elsewhere it has just the size of its place.
class PageScroll : public QScrollArea {
  Q_OBJECT

 public:
  explicit PageScroll(QWidget* page, QWidget* parent = nullptr);

 protected:
  void resizeEvent(QResizeEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fit();
};

}  // namespace bulwark
