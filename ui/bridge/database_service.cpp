#include "ui/bridge/database_service.h"

#include <QTimer>
#include <filesystem>
#include <optional>

#include "core/store/file_identity.h"

namespace bulwark {

namespace {
constexpr int pollInterval = 250;  // ms
}

/// Lives in the worker thread and owns the connection.
class DatabaseService::Worker : public QObject {
 public:
  explicit Worker(DatabaseService* service) : service_(service) {}

  void start() {
    timer_ = new QTimer(this);
    timer_->setInterval(pollInterval);
    connect(timer_, &QTimer::timeout, this, &Worker::poll);
  }

  /// `keep`: what is open stays open when `path` cannot be opened.
  void open(const QString& path, quint64 generation, bool keep) {
    if (keep) {
      recover();  // a new connection to the same file would share what the old one has lost
    } else {
      timer_->stop();
      store_.reset();
    }
    try {
      const std::filesystem::path file(path.toStdString());
      RunStore fresh = RunStore::open(file);
      const std::int64_t version = fresh.dataVersion();
      timer_->stop();
      store_.reset();
      store_.emplace(std::move(fresh));
      file_ = file;
      files_.emplace(file);
      version_ = version;
      generation_ = generation;
      timer_->start();
      // Said even where another file has been asked for meanwhile: should that fail, this stays.
      service_->post([service = service_, path, generation] {
        if (generation < service->generation_) return;
        service->generation_ = generation;
        service->path_ = path;
        service->open_ = true;
        Q_EMIT service->opened(path);
      });
    } catch (const Error& error) {
      refuse(generation, path, error.problem(), error.hint());
    } catch (const std::exception& error) {
      refuse(generation, path, error.what(), {});
    }
  }

  void close() {
    delete timer_;
    timer_ = nullptr;
    store_.reset();
  }

  /// A job meant for another file than the one that is open finds none.
  void perform(quint64 generation, const std::function<void(RunStore*)>& job) {
    recover();
    job(store_ && generation == generation_ ? &*store_ : nullptr);
    if (store_) poll();
  }

 private:
  void announce(quint64 generation, std::function<void()> call) {
    service_->post([service = service_, generation, call = std::move(call)] {
      if (service->lastOpen_ == generation) call();
    });
  }

  void refuse(quint64 generation, const QString& path, const std::string& problem,
              const std::string& hint) {
    announce(generation, [service = service_, path, problem = QString::fromStdString(problem),
                          hint = QString::fromStdString(hint)] {
      Q_EMIT service->openFailed(problem, hint, path);
    });
  }

  /// Opens the file again when it is no longer the one that the connection has open.
  void recover() {
    if (!timer_->isActive() || (store_ && !files_->replaced())) return;
    store_.reset();
    try {
      RunStore fresh = RunStore::open(file_);
      version_ = fresh.dataVersion();
      store_.emplace(std::move(fresh));
      files_.emplace(file_);
      refused_ = false;
      service_->post([service = service_] { Q_EMIT service->changed(); });
    } catch (const std::exception& error) {
      // Tried again with the next poll, said once.
      if (std::exchange(refused_, true)) return;
      service_->post([service = service_, text = QString::fromUtf8(error.what())] {
        Q_EMIT service->failed(text);
      });
    }
  }

  void poll() {
    recover();
    if (!store_) return;
    try {
      const std::int64_t version = store_->dataVersion();
      if (version == version_) return;
      version_ = version;
      service_->post([service = service_] { Q_EMIT service->changed(); });
    } catch (const std::exception&) {
      // A file that vanished is reported by the next job that needs it.
    }
  }

  DatabaseService* service_;
  QTimer* timer_ = nullptr;
  std::optional<RunStore> store_;
  std::filesystem::path file_;
  std::optional<DatabaseFiles> files_;  ///< those that `store_` has open
  bool refused_ = false;                ///< the file cannot be opened again at present
  std::int64_t version_ = 0;
  quint64 generation_ = 0;
};

DatabaseService::DatabaseService(QObject* parent) : QObject(parent), worker_(new Worker(this)) {
  thread_.setObjectName(QStringLiteral("database"));
  worker_->moveToThread(&thread_);
  thread_.start();
  QMetaObject::invokeMethod(worker_, [worker = worker_] { worker->start(); });
}

DatabaseService::~DatabaseService() {
  QMetaObject::invokeMethod(
      worker_, [worker = worker_] { worker->close(); }, Qt::BlockingQueuedConnection);
  thread_.quit();
  thread_.wait();
  delete worker_;
}

void DatabaseService::open(const QString& path) {
  Q_EMIT aboutToOpen();
  const quint64 generation = ++lastOpen_;
  if (!open_) {
    path_ = path;
    generation_ = generation;  // what is asked from now on is meant for this file
  }
  QMetaObject::invokeMethod(worker_, [worker = worker_, path, generation, keep = open_] {
    worker->open(path, generation, keep);
  });
}

void DatabaseService::perform(quint64 generation, std::function<void(RunStore*)> job) {
  QMetaObject::invokeMethod(worker_, [worker = worker_, generation, job = std::move(job)] {
    worker->perform(generation, job);
  });
}

void DatabaseService::post(std::function<void()> call) {
  QMetaObject::invokeMethod(this, std::move(call), Qt::QueuedConnection);
}

}  // namespace bulwark
