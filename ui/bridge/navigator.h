#pragma once

#include <QObject>

namespace bulwark {

/// The pages of the window, in the order of the rail.
enum class PageId { Data, Train, Attack, Results, Images, Compare, Report };

/// Lets a page ask the window to show another one.
class Navigator : public QObject {
  Q_OBJECT

 public:
  using QObject::QObject;
  void showPage(PageId page) { Q_EMIT pageRequested(page); }

 Q_SIGNALS:
  void pageRequested(bulwark::PageId page);
};

}  // namespace bulwark
