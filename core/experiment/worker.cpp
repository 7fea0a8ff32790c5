#include "core/experiment/worker.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/signal_inbox.h"
#include "core/experiment/runner.h"
#include "core/experiment/specification.h"
#include "core/experiment/store_journal.h"
#include "core/nn/device.h"
#include "core/store/run_store.h"

namespace bulwark {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(100);
/// How long a cancelled job may take to stop by itself before its process is ended: a single step
/// of a large network can last longer than anybody wants to wait.
constexpr auto kPatience = std::chrono::milliseconds(300);

Json toJson(const ProgressUpdate& update) {
  Json json = {{"event", "progress"},   {"phase", update.phase}, {"done", update.done},
               {"total", update.total}, {"unit", update.unit},   {"rate", update.rate}};
  json["seconds_left"] = update.secondsLeft ? Json(*update.secondsLeft) : Json(nullptr);
  return json;
}

std::string levelName(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warning:
      return "warning";
    case LogLevel::Error:
      return "error";
  }
  return {};
}

/// The second thread: heartbeat and progress to the database, requests and signals to the control.
class Attendant {
 public:
  Attendant(std::filesystem::path database, std::int64_t job, bool endProcess, Control& control,
            std::function<void(const Json&)> events, const SignalInbox& signals)
      : database_(std::move(database)),
        job_(job),
        endProcess_(endProcess),
        control_(control),
        events_(std::move(events)),
        signals_(signals),
        thread_([this] { attend(); }) {}

  ~Attendant() {
    stop_ = true;
    thread_.join();
  }

  void note(const ProgressUpdate& update) {
    const std::lock_guard lock(mutex_);
    latest_ = update;
  }

 private:
  void attend() {
    // A connection belongs to one thread; this one may fail (a full disk) without ending the job,
    // whose own writes report what is wrong.
    std::optional<RunStore> store;
    while (!stop_) {
      if (signals_.wait(kPollInterval)) control_.cancel();
      try {
        if (!store) store.emplace(RunStore::open(database_));
        follow(*store);
        if (control_.cancelled() && endProcess_) endWhenOverdue(*store);
      } catch (const std::exception&) {
        store.reset();
      }
    }
  }

  void follow(RunStore& store) {
    ProgressUpdate update;
    {
      const std::lock_guard lock(mutex_);
      update = latest_;
    }
    const std::string request = store.reportJob(job_, update);
    if (request == "cancel") control_.cancel();
    if (request == "pause" && !control_.paused()) {
      control_.pause();
      store.setJobState(job_, RunState::Paused);
      events_({{"event", "state"}, {"state", "paused"}});
    }
    if (request == "resume" && control_.paused()) {
      store.setJobState(job_, RunState::Running);
      control_.resume();
      events_({{"event", "state"}, {"state", "running"}});
    }
  }

  /// Every write of the worker is a transaction or an atomic file, so its process can end at any
  /// moment without leaving anything half-written.
  void endWhenOverdue(RunStore& store) {
    const auto now = std::chrono::steady_clock::now();
    if (!cancelledAt_) cancelledAt_ = now;
    if (now - *cancelledAt_ < kPatience) return;
    store.setJobState(job_, RunState::Cancelled);
    events_({{"event", "cancelled"}, {"job", job_}});
    std::cout.flush();
    _exit(130);
  }

  std::filesystem::path database_;
  std::int64_t job_;
  bool endProcess_;
  std::optional<std::chrono::steady_clock::time_point> cancelledAt_;
  Control& control_;
  std::function<void(const Json&)> events_;
  const SignalInbox& signals_;
  std::mutex mutex_;
  ProgressUpdate latest_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

struct Outcome {
  RunState state = RunState::Done;
  Json event;
  std::string error;
};

Outcome failure(const std::string& problem, const std::string& hint) {
  return {RunState::Failed, {{"event", "failed"}, {"error", problem}, {"hint", hint}}, problem};
}

Outcome execute(RunStore& store, const JobRecord& record, const Registries& registries,
                const DatasetCatalogue& catalogue, Task& task,
                const std::function<void(const Json&)>& events) {
  try {
    const RunRecord run = store.run(record.run);
    Json json = run.specification;
    if (!record.device.empty()) json["device"] = record.device;
    if (record.threads > 0) json["threads"] = record.threads;
    const auto specification = Specification::fromJson(json, registries, catalogue);
    StoreJournal journal(store, record.run, events);
    Runner(registries, catalogue).execute(specification, journal, task);
    return {RunState::Done, {{"event", "finished"}, {"run", record.run}}, ""};
  } catch (const Error& error) {
    if (error.kind() == Error::Kind::Cancelled) {
      return {RunState::Cancelled, {{"event", "cancelled"}, {"run", record.run}}, ""};
    }
    auto outcome = failure(error.what(), error.hint());
    outcome.event["exit_code"] = error.exitCode();
    return outcome;
  } catch (const std::bad_alloc&) {
    return failure("the memory is exhausted", "choose a smaller batch or fewer images");
  } catch (const c10::Error& error) {
    // Outside the loops that know their batch size; without LibTorch's backtrace of many lines.
    const std::string problem = error.what_without_backtrace();
    if (parseMemoryError(problem)) {
      return failure("the memory is exhausted", "choose a smaller batch or fewer images");
    }
    return failure(problem, "this is a fault of the program; please report it");
  } catch (const std::exception& error) {
    return failure(error.what(), "this is a fault of the program; please report it");
  }
}

}  // namespace

RunState executeJob(const std::filesystem::path& database, std::int64_t job,
                    const Registries& registries, const DatasetCatalogue& catalogue,
                    const std::function<void(const Json&)>& events, bool endProcess) {
  std::mutex eventMutex;
  const auto emit = [&](const Json& event) {
    const std::lock_guard lock(eventMutex);
    events(event);
  };
  const SignalInbox signals;
  RunStore store = RunStore::open(database);
  store.claimJob(job, getpid());
  const JobRecord record = store.job(job);
  emit({{"event", "started"}, {"job", job}, {"run", record.run}, {"attempt", record.attempt}});

  Control control;
  Outcome outcome;
  {
    Attendant attendant(database, job, endProcess, control, emit, signals);
    const auto worker = std::this_thread::get_id();
    Task task(
        &control,
        [&](const ProgressUpdate& update) {
          attendant.note(update);
          emit(toJson(update));
        },
        [&](LogLevel level, const std::string& text) {
          if (std::this_thread::get_id() == worker) store.putLog(record.run, level, text);
          emit({{"event", "log"}, {"level", levelName(level)}, {"text", text}});
        });
    outcome = execute(store, record, registries, catalogue, task, emit);
  }
  try {
    if (outcome.state == RunState::Failed) {
      store.putLog(record.run, LogLevel::Error, outcome.error);
    }
    store.setJobState(job, outcome.state, outcome.error);
  } catch (const Error& error) {
    // The database itself is what failed: the job stays Running there and is found Interrupted.
    outcome = failure(error.what(), error.hint());
  }
  emit(outcome.event);
  return outcome.state;
}

}  // namespace bulwark
