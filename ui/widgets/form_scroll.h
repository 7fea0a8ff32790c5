#pragma once

#include <QScrollArea>

namespace bulwark {

/// Scrolls a column of forms up and down only, and is never narrower than that column: what does
/// not fit in width would be cut off without a sign.
class FormScroll : public QScrollArea {
  Q_OBJECT

 public:
  explicit FormScroll(QWidget* parent = nullptr);
  QSize minimumSizeHint() const override;
  /// As high as the column is now, within reason.
  QSize sizeHint() const override;

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
};

}  // namespace bulwark
