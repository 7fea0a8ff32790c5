#pragma once

#include <QObject>
#include <QPointer>
#include <QString>
#include <QThread>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "core/base/error.h"
#include "core/store/run_store.h"

namespace bulwark {

/// The window's only way to the run database: one worker thread with one connection.
///
/// Belongs to the window's thread, which itself does no SQL. Jobs run in the order in which they
/// were given; a job given after `open` sees the newly opened file.
class DatabaseService : public QObject {
  Q_OBJECT

 public:
  explicit DatabaseService(QObject* parent = nullptr);
  ~DatabaseService() override;

  /// Opens `path` in the worker and closes what was open; answered by `opened` or `openFailed`.
  /// What is open stays so until then, and when `path` cannot be opened.
  void open(const QString& path);
  /// What is open, or was last asked for while nothing was.
  QString path() const { return path_; }
  bool isOpen() const { return open_; }

  /// Calls `job(RunStore&)` in the worker, then `done(result)` (or `done()` for a void job) in the
  /// window's thread. Nothing is called when `context` has died. An error goes to the signal
  /// `failed`, unless it is of kind Cancelled.
  template <class Job, class Done>
  void run(QObject* context, Job job, Done done) {
    run(context, std::move(job), std::move(done), [this](const Error& error) {
      if (error.kind() == Error::Kind::Cancelled) return;
      Q_EMIT failed(QString::fromStdString(error.what()));
    });
  }

  /// The same with `fail(const Error&)` instead of the signal: of kind Cancelled when no file is
  /// open, or when another one was opened before the answer came. While `context` lives, one of
  /// `done` and `fail` is always called.
  template <class Job, class Done, class Fail>
  void run(QObject* context, Job job, Done done, Fail fail) {
    using Result = std::invoke_result_t<Job&, RunStore&>;
    const QPointer<QObject> alive(context);
    const quint64 generation = generation_;
    auto deliver = [this, alive, generation, fail](std::function<void()> call) {
      post([this, alive, generation, fail, call = std::move(call)]() mutable {
        if (!alive) return;
        if (generation == generation_) {
          call();
        } else {
          fail(Error::cancelled());
        }
      });
    };
    perform(generation, [job = std::move(job), done = std::move(done), fail = std::move(fail),
                         deliver](RunStore* store) mutable {
      try {
        if (!store) throw Error::cancelled();
        if constexpr (std::is_void_v<Result>) {
          job(*store);
          deliver([done = std::move(done)]() mutable { done(); });
        } else {
          auto result = std::make_shared<Result>(job(*store));
          deliver([done = std::move(done), result]() mutable { done(std::move(*result)); });
        }
      } catch (const Error& error) {
        deliver([fail = std::move(fail), error]() mutable { fail(error); });
      } catch (const std::exception& error) {
        deliver([fail = std::move(fail), wrapped = Error::failed(error.what())]() mutable {
          fail(wrapped);
        });
      }
    });
  }

 Q_SIGNALS:
  /// Before another file is opened: the last moment to store something in this one.
  void aboutToOpen();
  void opened(const QString& path);
  /// The file could not be opened and was left as it was.
  void openFailed(const QString& problem, const QString& hint, const QString& path);
  /// Something in the database changed, by this or any other process; at most every 250 ms for
  /// changes made elsewhere.
  void changed();
  /// A job without its own error handler failed; one line for the user.
  void failed(const QString& text);

 private:
  class Worker;

  void perform(quint64 generation, std::function<void(RunStore*)> job);
  void post(std::function<void()> call);

  QThread thread_;
  Worker* worker_;
  QString path_;
  bool open_ = false;
  quint64 generation_ = 0;  ///< of the file that jobs are for
  quint64 lastOpen_ = 0;    ///< the generation last asked for
};

}  // namespace bulwark
