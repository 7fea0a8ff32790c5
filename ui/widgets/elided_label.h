#pragma once

#include <QLabel>

namespace bulwark {

/// A one-line label that never asks for width: text that does not fit is elided and becomes the
/// tooltip.
class ElidedLabel : public QLabel {
  Q_OBJECT

 public:
  explicit ElidedLabel(const QString& text = {}, QWidget* parent = nullptr);
  void setFullText(const QString& text);
  QString fullText() const { return full_; }
  /// Rich text that is the tooltip instead of the full text.
  void setDetails(const QString& html);
  QSize minimumSizeHint() const override;
  QSize sizeHint() const override;

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void refresh();
  QString full_;
  QString details_;
};

}  // namespace bulwark
