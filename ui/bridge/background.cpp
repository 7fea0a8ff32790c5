#include "ui/bridge/background.h"

#include <QCoreApplication>

namespace bulwark {

std::function<void(BackgroundTask::Call, bool)> BackgroundTask::deliverer(
    const std::shared_ptr<Control>& control) {
  const QPointer<BackgroundTask> self(this);
  return [self, control](Call call, bool last) {
    // The pointer is looked into only in the window's thread, where its object dies.
    QMetaObject::invokeMethod(
        QCoreApplication::instance(),
        [self, control, call = std::move(call), last] {
          if (!self || self->control_ != control) return;
          if (last) self->control_.reset();
          call(*self);
        },
        Qt::QueuedConnection);
  };
}

}  // namespace bulwark
