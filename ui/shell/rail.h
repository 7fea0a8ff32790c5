#pragma once

#include <QButtonGroup>
#include <QFrame>

#include "ui/bridge/navigator.h"

namespace bulwark {

/// A page as the rail, the menus and the command line name it.
struct PageInfo {
  PageId id;
  QString name;   ///< "data", on the command line and in settings
  QString icon;   ///< of `icon()`
  QString title;  ///< translated
  QString tip;
};
const QList<PageInfo>& pageInfos();

/// The column of page buttons at the left edge.
class Rail : public QFrame {
  Q_OBJECT

 public:
  explicit Rail(QWidget* parent = nullptr);
  void setCurrent(PageId page);
  /// Marks no page: something else is shown.
  void setNone();

 Q_SIGNALS:
  void pageChosen(bulwark::PageId page);

 private:
  QButtonGroup* buttons_;
};

}  // namespace bulwark
