#pragma once

#include <QMetaObject>
#include <QObject>
#include <QPointer>
#include <QThreadPool>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/base/error.h"
#include "core/base/task.h"

namespace bulwark {

/// A piece of work on the thread pool whose answer comes back to the window's thread.
///
/// The last `start` wins: an earlier one is cancelled and its late answer is dropped. Dies with
/// its owner; what still runs then is cancelled and never answers.
class BackgroundTask : public QObject {
  Q_OBJECT

 public:
  explicit BackgroundTask(QObject* parent) : QObject(parent) {}
  ~BackgroundTask() override { cancel(); }

  /// `job(Task&)` on the pool, then `done(result)` or `fail(const Error&)` in this thread.
  /// Progress arrives through the signal `progress`.
  template <class Job, class Done, class Fail>
  void start(Job job, Done done, Fail fail) {
    using Result = std::invoke_result_t<Job&, Task&>;
    cancel();
    auto control = std::make_shared<Control>();
    control_ = control;
    auto deliver = deliverer(control);
    QThreadPool::globalInstance()->start([job = std::move(job), done = std::move(done),
                                          fail = std::move(fail), control, deliver]() mutable {
      Task task(control.get(), [deliver](const ProgressUpdate& update) {
        deliver([update](BackgroundTask& owner) { Q_EMIT owner.progress(update); }, false);
      });
      try {
        auto result = std::make_shared<Result>(job(task));
        deliver([done, result](BackgroundTask&) mutable { done(std::move(*result)); }, true);
      } catch (const Error& error) {
        deliver([fail, error](BackgroundTask&) mutable { fail(error); }, true);
      } catch (const std::exception& error) {
        deliver([fail,
                 wrapped = Error::failed(error.what())](BackgroundTask&) mutable { fail(wrapped); },
                true);
      }
    });
  }

  void cancel() {
    if (control_) control_->cancel();
    control_.reset();
  }
  bool isRunning() const { return control_ != nullptr; }

 Q_SIGNALS:
  void progress(const bulwark::ProgressUpdate& update);

 private:
  using Call = std::function<void(BackgroundTask&)>;

  /// Posts to the window's thread, where the answer is dropped unless `control` is still ours.
  std::function<void(Call, bool)> deliverer(const std::shared_ptr<Control>& control);

  std::shared_ptr<Control> control_;
};

}  // namespace bulwark
