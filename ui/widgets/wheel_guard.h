#pragma once

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QEvent>
#include <QObject>

namespace bulwark {

/// Keeps the wheel, which scrolls the page, from changing the value of a box on its way: only the
/// box that has the focus turns, and the wheel gives none. Installed as an event filter of the
/// application, or of a single box.
class WheelGuard : public QObject {
 public:
  using QObject::QObject;

  /// The wheel gives the box no focus.
  static void guard(QWidget* box) {
    if (box->focusPolicy() == Qt::WheelFocus) box->setFocusPolicy(Qt::StrongFocus);
  }

  bool eventFilter(QObject* watched, QEvent* event) override {
    const bool wheel = event->type() == QEvent::Wheel;
    if (wheel || event->type() == QEvent::Polish) {
      QWidget* box = qobject_cast<QComboBox*>(watched);
      if (!box) box = qobject_cast<QAbstractSpinBox*>(watched);
      if (box && !wheel) guard(box);
      if (box && wheel && !box->hasFocus()) {
        event->ignore();  // it is the parent's
        return true;
      }
    }
    return QObject::eventFilter(watched, event);
  }
};

}  // namespace bulwark
