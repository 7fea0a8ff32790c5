#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>

#include "app/cli/progress_printer.h"
#include "app/cli/seeds.h"
#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/specification.h"
#include "core/experiment/worker.h"

extern char** environ;

namespace bulwark::cli {
namespace {

void listJobs(Session& session, bool asJson) {
  RunStore store = session.openStore(RunStore::Mode::ReadWrite);
  store.markInterrupted();
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows = {{"job", "run", "state", "progress", "name"}};
  for (const auto& job : store.jobs()) {
    std::string progress = job.phase;
    if (job.total > 0) {
      progress += " " + std::to_string(job.done) + "/" + std::to_string(job.total);
    }
    rows.push_back(
        {std::to_string(job.id), std::to_string(job.run), toString(job.state), progress, job.name});
    list.push_back({{"job", job.id},
                    {"run", job.run},
                    {"state", toString(job.state)},
                    {"phase", job.phase},
                    {"done", job.done},
                    {"total", job.total},
                    {"attempt", job.attempt},
                    {"error", job.error},
                    {"name", job.name}});
  }
  if (asJson) {
    std::cout << list.dump(2) << '\n';
  } else {
    printColumns(rows);
  }
}

/// The worker's events, one JSON object per line, until it closes its end.
void showEvents(int pipe) {
  ProgressPrinter printer;
  std::string pending;
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    pending.append(buffer, static_cast<std::size_t>(count));
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
      const Json event = Json::parse(pending.substr(0, end), nullptr, false);
      if (event.is_object() && event.contains("event")) printer.show(event);
      pending.erase(0, end + 1);
    }
  }
}

/// Runs `bulwark-cli work` for one job, so that a crash costs that job only.
void runChild(const std::filesystem::path& database, std::int64_t job) {
  std::vector<std::string> words = {"bulwark-cli",     "work",  "--db",
                                    database.string(), "--job", std::to_string(job)};
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error::failed("no pipe could be made", "queue start");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  // Ctrl+C reaches both: the worker cancels in order while this process keeps reading, and ends
  // this process as soon as it is let through below.
  sigset_t interrupt, before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, &before);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &before);
  pid_t child = 0;
  const int problem =
      posix_spawn(&child, "/proc/self/exe", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (problem == 0) showEvents(ends[0]);
  close(ends[0]);
  int status = 0;
  if (problem == 0) waitpid(child, &status, 0);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  if (problem != 0) throw Error::failed("the worker could not be started", "queue start");
}

void startQueue(Session& session) {
  for (;;) {
    std::optional<JobRecord> next;
    {
      RunStore store = session.openStore(RunStore::Mode::ReadWrite);
      store.markInterrupted();
      next = store.nextJob();
    }
    if (!next) return;
    std::cerr << "job " << next->id << ": " << next->name << '\n';
    runChild(session.databasePath(), next->id);
    RunStore store = session.openStore(RunStore::Mode::ReadWrite);
    store.markInterrupted();
    const JobRecord done = store.job(next->id);
    std::cerr << "job " << done.id << ": " << toString(done.state)
              << (done.error.empty() ? "" : ": " + done.error) << '\n';
    if (done.state == RunState::Queued) {
      throw Error::failed("the worker did not take the job", "queue start");
    }
    if (done.state != RunState::Done) session.exitCode = 1;
  }
}

}  // namespace

void addQueueCommands(CLI::App& program, Session& session) {
  auto* queue = program.add_subcommand("queue", "The jobs of a run database");
  queue->require_subcommand(1);

  auto* add = queue->add_subcommand("add", "Queue a specification");
  auto file = std::make_shared<std::string>();
  auto presetName = std::make_shared<std::string>();
  add->add_option("specification", *file, "SPEC.json");
  add->add_option("--preset", *presetName, "A specification that ships with the program");
  auto seeds = std::make_shared<std::string>();
  add->add_option("--seeds", *seeds, "A job for each of these seeds, e.g. 0-4 or 0,2,5");
  auto sets = std::make_shared<std::vector<std::string>>();
  add->add_option("--set", *sets, "path=value, e.g. attacks[0].eps=4/255");
  addDatabaseOption(*add, session);
  addDataOption(*add, session);
  add->callback([&session, file, presetName, seeds, sets] {
    if (file->empty() == presetName->empty()) {
      throw Error::badInput("expected one specification", "queue add",
                            "give a SPEC.json or --preset NAME, not both");
    }
    Json json = file->empty() ? preset(*presetName).specification : Specification::readJson(*file);
    setAll(json, *sets);
    std::vector<Specification> specs;
    const auto read = [&] {
      specs.push_back(Specification::fromJson(json, session.registries(), session.catalogue()));
    };
    if (seeds->empty()) read();
    for (const auto seed : seeds->empty() ? std::vector<std::uint64_t>() : parseSeeds(*seeds)) {
      json["seed"] = seed;
      read();
    }
    RunStore store = session.openStore(RunStore::Mode::ReadWrite);
    for (const auto& spec : specs) {
      std::cout << store.enqueue(spec.name, spec.toJson(), spec.seed, spec.device, spec.threads)
                << '\n';
    }
  });

  auto* list = queue->add_subcommand("list", "All jobs, newest first");
  auto asJson = std::make_shared<bool>(false);
  list->add_flag("--json", *asJson, "Print JSON");
  addDatabaseOption(*list, session);
  list->callback([&session, asJson] { listJobs(session, *asJson); });

  const auto verb = [&](const char* name, const char* help, auto action) {
    auto* command = queue->add_subcommand(name, help);
    auto id = std::make_shared<std::int64_t>();
    addNumberOption(*command, "job", *id, "job", "Job number");
    addDatabaseOption(*command, session);
    command->callback([&session, id, action] {
      RunStore store = session.openStore(RunStore::Mode::ReadWrite);
      store.markInterrupted();
      action(store, *id);
    });
  };
  verb("cancel", "Stop a job or take it from the queue",
       [](RunStore& store, std::int64_t id) { store.requestJob(id, "cancel"); });
  verb("pause", "Hold a running job",
       [](RunStore& store, std::int64_t id) { store.requestJob(id, "pause"); });
  verb("resume", "Let a paused job go on",
       [](RunStore& store, std::int64_t id) { store.requestJob(id, "resume"); });
  verb("retry", "Queue a job again; it resumes where it stopped",
       [](RunStore& store, std::int64_t id) { store.retryJob(id); });

  auto* start = queue->add_subcommand("start", "Execute queued jobs until none is left");
  addDatabaseOption(*start, session);
  start->callback([&session] { startQueue(session); });

  auto* work = program.add_subcommand("work", "Execute one job, one JSON event per line");
  auto job = std::make_shared<std::int64_t>();
  addNumberOption(*work, "--job", *job, "job", "Job number");
  addDatabaseOption(*work, session);
  addDataOption(*work, session);
  work->callback([&session, job] {
    int failedCode = 1;
    const auto state = executeJob(
        session.databasePath(), *job, session.registries(), session.catalogue(),
        [&](const Json& event) {
          std::cout << event.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
          if (event.contains("exit_code")) failedCode = event.at("exit_code").get<int>();
        },
        true);
    session.exitCode = state == RunState::Done        ? 0
                       : state == RunState::Cancelled ? 130
                                                      : failedCode;
  });
}

}  // namespace bulwark::cli
