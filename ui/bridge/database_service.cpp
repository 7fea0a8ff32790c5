#include "ui/bridge/database_service.h"

#include <QTimer>
#include <filesystem>
#include <optional>

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

  void open(const std::string& path, quint64 generation) {
    timer_->stop();
    store_.reset();
    try {
      store_.emplace(RunStore::open(std::filesystem::path(path)));
      version_ = store_->dataVersion();
      timer_->start();
      announce(generation, [service = service_] {
        service->open_ = true;
        Q_EMIT service->opened(service->path_);
      });
    } catch (const Error& error) {
      store_.reset();
      refuse(generation, error.problem(), error.hint());
    } catch (const std::exception& error) {
      store_.reset();
      refuse(generation, error.what(), {});
    }
  }

  void close() {
    delete timer_;
    timer_ = nullptr;
    store_.reset();
  }

  void perform(const std::function<void(RunStore*)>& job) {
    job(store_ ? &*store_ : nullptr);
    if (store_) poll();
  }

 private:
  void announce(quint64 generation, std::function<void()> call) {
    service_->post([service = service_, generation, call = std::move(call)] {
      if (service->generation_ == generation) call();
    });
  }

  void refuse(quint64 generation, const std::string& problem, const std::string& hint) {
    announce(generation,
             [service = service_, problem = QString::fromStdString(problem),
              hint = QString::fromStdString(hint)] { Q_EMIT service->openFailed(problem, hint); });
  }

  void poll() {
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
  std::int64_t version_ = 0;
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
  path_ = path;
  open_ = false;
  ++generation_;
  QMetaObject::invokeMethod(
      worker_, [worker = worker_, text = path.toStdString(), generation = generation_] {
        worker->open(text, generation);
      });
}

void DatabaseService::perform(std::function<void(RunStore*)> job) {
  QMetaObject::invokeMethod(worker_,
                            [worker = worker_, job = std::move(job)] { worker->perform(job); });
}

void DatabaseService::post(std::function<void()> call) {
  QMetaObject::invokeMethod(this, std::move(call), Qt::QueuedConnection);
}

}  // namespace bulwark
