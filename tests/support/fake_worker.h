#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>

#include "core/store/run_store.h"

/// A worker process for tests of the window: the test program itself, called as
/// `work --db FILE --job ID`. What it does is told by the name of the job.
namespace bulwark::testing {

inline void emitEvent(const Json& event) {
  std::cout << event.dump() << std::endl;
}

inline void pauseFor(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

/// Names: "ok" finishes; "slow" takes `$BULWARK_TEST_STEPS` steps of 20 ms and obeys requests;
/// "crash" aborts in its first attempt and finishes in the next; "mute" exits with 3 before it
/// takes the job; "late" finds the job taken by the program that started it; "error" fails as a
/// worker should; "stubborn" ignores everything for a minute.
inline int fakeWorker(int argc, char** argv) {
  std::string file;
  std::int64_t id = 0;
  for (int i = 2; i + 1 < argc; i += 2) {
    if (std::string(argv[i]) == "--db") file = argv[i + 1];
    if (std::string(argv[i]) == "--job") id = std::stoll(argv[i + 1]);
  }
  const char* policy = std::getenv("OMP_WAIT_POLICY");
  if (!policy || std::string(policy) != "passive") return 9;
  RunStore store = RunStore::open(file);
  JobRecord job = store.job(id);
  if (job.name == "mute") {
    std::cerr << "libsomething.so: cannot open shared object file" << std::endl;
    return 3;
  }
  if (job.name == "late") {
    store.claimJob(id, static_cast<std::int64_t>(getppid()));
    std::cerr << "error: job 1 is being worked on" << std::endl;
    return 1;
  }
  store.claimJob(id, static_cast<std::int64_t>(getpid()));
  job = store.job(id);
  emitEvent({{"event", "started"}, {"job", id}, {"run", job.run}});
  std::cout << "a library prints this\n{\"event\": 7}\n[1, 2" << std::endl;
  ProgressUpdate update;
  update.phase = "train";
  update.unit = "images";
  if (job.name == "crash" && job.attempt == 1) std::abort();
  if (job.name == "stubborn") pauseFor(60000);
  if (job.name == "error") {
    store.setJobState(id, RunState::Failed, "the set is empty");
    emitEvent({{"event", "failed"}, {"error", "the set is empty"}, {"hint", "choose another"}});
    return 1;
  }
  const char* wanted = std::getenv("BULWARK_TEST_STEPS");
  const int steps = job.name == "slow" ? (wanted ? std::atoi(wanted) : 500) : 3;
  update.total = steps;
  bool paused = false;
  for (int step = 0; step < steps;) {
    update.done = step;
    update.rate = 50;
    update.secondsLeft = (steps - step) / 50.0;
    const std::string request = store.reportJob(id, update);
    if (request == "cancel") {
      store.setJobState(id, RunState::Cancelled);
      emitEvent({{"event", "cancelled"}});
      return 130;
    }
    if (request == "pause" || request == "resume") {
      paused = request == "pause";
      store.setJobState(id, paused ? RunState::Paused : RunState::Running);
      emitEvent({{"event", "state"}, {"state", paused ? "paused" : "running"}});
    }
    if (!paused) {
      emitEvent({{"event", "progress"},
                 {"phase", "train"},
                 {"done", step},
                 {"total", steps},
                 {"unit", "images"},
                 {"rate", 50.0},
                 {"seconds_left", (steps - step) / 50.0}});
      store.putEpochMetrics(job.run, {{"train", step + 1, "loss", 1.0 / (1 + step)}});
      store.putLog(job.run, LogLevel::Info, "step " + std::to_string(step));
      ++step;
    }
    pauseFor(20);
  }
  store.setJobState(id, RunState::Done);
  emitEvent({{"event", "finished"}, {"run", job.run}});
  return 0;
}

}  // namespace bulwark::testing
