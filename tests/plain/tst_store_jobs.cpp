#include <QtTest/QtTest>

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "core/base/error.h"
#include "core/store/clock.h"
#include "core/store/run_store.h"
#include "core/store/sqlite.h"
#include "store_checks.h"

using namespace bulwark;
using namespace std::chrono_literals;
using samples::contains;
using samples::messageOf;
using samples::startChild;
using samples::waitFor;
namespace fs = std::filesystem;

namespace {

using enum RunState;

constexpr std::array kAll = {Queued, Running, Paused, Cancelled, Failed, Interrupted, Done};

/// The rows say from, the columns to, in the order of `kAll`; x: allowed.
constexpr std::array<const char*, 7> kAllowed = {
    ".x.xx..",  // Queued
    "..xxxxx",  // Running
    ".x.xxx.",  // Paused
    "xx.....",  // Cancelled
    "xx.....",  // Failed
    "xx.x...",  // Interrupted
    ".......",  // Done
};

/// A way to every state that uses allowed changes only.
const std::map<RunState, std::vector<RunState>> kWays = {
    {Queued, {}},
    {Running, {Running}},
    {Paused, {Running, Paused}},
    {Cancelled, {Cancelled}},
    {Failed, {Running, Failed}},
    {Interrupted, {Running, Interrupted}},
    {Done, {Running, Done}},
};

/// The id of a process that has ended and is gone.
std::int64_t endedProcess() {
  const pid_t child = startChild([] { return 0; });
  waitFor(child);
  return child;
}

}  // namespace

/// The queue: who may do what when, between processes, and when workers die.
class TestStoreJobs : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    QVERIFY(folder_->isValid());
    path_ = fs::path(folder_->path().toStdString()) / "runs.db";
  }

  void aSecondConnectionKeepsTheLocksOfTheFirst() {
    // Opening the file again in one process must not drop the first connection's locks: another
    // process that then closes its own would remove the write-ahead log, and what this process
    // writes afterwards would be seen by nobody else.
    int wake[2];
    QCOMPARE(::pipe(wake), 0);
    const pid_t visitor = startChild([&] {
      char byte = 0;
      if (::read(wake[0], &byte, 1) != 1) return 1;
      RunStore store = RunStore::open(path_);
      store.setRunNote(1, "visited");
      return 0;
    });
    int second[2];
    QCOMPARE(::pipe(second), 0);
    const pid_t reader = startChild([&] {
      char byte = 0;
      if (::read(second[0], &byte, 1) != 1) return 1;
      return RunStore::open(path_, RunStore::Mode::ReadOnly).run(1).note == "after" ? 0 : 2;
    });
    RunStore first = RunStore::open(path_);
    first.createRun("run", Json::object(), 0, "cpu");
    RunStore again = RunStore::open(path_);
    QCOMPARE(again.run(1).name, std::string("run"));
    QCOMPARE(::write(wake[1], "x", 1), ssize_t{1});
    QCOMPARE(waitFor(visitor), 0);
    again.setRunNote(1, "after");
    QCOMPARE(::write(second[1], "x", 1), ssize_t{1});
    QCOMPARE(waitFor(reader), 0);
    for (const int end : {wake[0], wake[1], second[0], second[1]}) ::close(end);
  }

  void statesHaveNames() {
    std::set<std::string> names;
    for (const RunState state : kAll) {
      names.insert(toString(state));
      QVERIFY(runStateFromString(toString(state)) == state);
    }
    QCOMPARE(names.size(), kAll.size());
    QVERIFY(contains(messageOf([] { runStateFromString("running "); }), "'running '"));
    QVERIFY(isFinal(Cancelled) && isFinal(Failed) && isFinal(Interrupted) && isFinal(Done));
    QVERIFY(!isFinal(Queued) && !isFinal(Running) && !isFinal(Paused));
  }

  void changesFollowTheTable() {
    auto store = RunStore::open(path_);
    for (std::size_t from = 0; from < kAll.size(); ++from) {
      for (std::size_t to = 0; to < kAll.size(); ++to) {
        const bool allowed = kAllowed[from][to] == 'x';
        QCOMPARE(canChange(kAll[from], kAll[to]), allowed);
        if (from == to) continue;
        const auto run = store.createRun("r", {}, 0, "cpu");
        for (const RunState step : kWays.at(kAll[from])) store.setRunState(run, step);
        const std::string message = messageOf([&] { store.setRunState(run, kAll[to], "why"); });
        QCOMPARE(message.empty(), allowed);
        QVERIFY(store.run(run).state == kAll[allowed ? to : from]);
        QCOMPARE(store.run(run).error, std::string(allowed ? "why" : ""));
      }
    }
  }

  void aJobGoesThroughItsLife() {
    auto store = RunStore::open(path_);
    const auto id = store.enqueue("first", Json{{"a", 1}}, 5, "auto", 2);
    JobRecord job = store.job(id);
    QVERIFY(job.state == Queued && job.attempt == 0 && job.pid == 0 && job.threads == 2);
    QCOMPARE(job.name, std::string("first"));
    QCOMPARE(job.device, std::string("auto"));
    QVERIFY(!job.queued.empty() && job.started.empty());
    QCOMPARE(store.jobOfRun(job.run)->id, id);
    QCOMPARE(store.run(job.run).seed, std::uint64_t{5});
    QCOMPARE(store.nextJob()->id, id);

    store.claimJob(id, ::getpid());
    job = store.job(id);
    QVERIFY(job.state == Running && job.attempt == 1 && job.pid == ::getpid());
    QVERIFY(store.run(job.run).state == Running);
    QVERIFY(!store.run(job.run).started.empty() && !job.started.empty());
    QVERIFY(!store.nextJob());

    QCOMPARE(store.reportJob(id, {"train", 30, 100, "images", 12.5, 5.6}), std::string());
    job = store.job(id);
    QCOMPARE(job.phase, std::string("train"));
    QCOMPARE(job.unit, std::string("images"));
    QVERIFY(job.done == 30 && job.total == 100 && job.rate == 12.5 && *job.secondsLeft == 5.6);
    store.reportJob(id, {"fit", 0, 0, "", 0, std::nullopt});
    QVERIFY(!store.job(id).secondsLeft);

    store.setJobState(id, Done);
    job = store.job(id);
    QVERIFY(job.state == Done && job.pid == 0 && !job.finished.empty());
    QVERIFY(store.run(job.run).state == Done);
    QVERIFY(!messageOf([&] { store.claimJob(id, ::getpid()); }).empty());
    QVERIFY(contains(messageOf([&] { store.retryJob(id); }), "is done"));
    QVERIFY(contains(messageOf([&] { store.job(id + 1); }), "there is no job"));
  }

  void theOldestQueuedJobIsNext() {
    auto store = RunStore::open(path_);
    const auto first = store.enqueue("1", {}, 0, "cpu", 1);
    QTest::qSleep(3);
    const auto second = store.enqueue("2", {}, 0, "cpu", 1);
    QCOMPARE(store.jobs().front().id, second);
    QCOMPARE(store.nextJob()->id, first);
    store.requestJob(first, "cancel");
    QVERIFY(store.job(first).state == Cancelled);
    QCOMPARE(store.nextJob()->id, second);
    QTest::qSleep(3);
    store.retryJob(first);  // to the end of the queue
    QCOMPARE(store.nextJob()->id, second);
    store.claimJob(second, ::getpid());
    store.setJobState(second, Paused);
    QVERIFY(!store.nextJob());  // a paused job with a living worker keeps its place
    store.setJobState(second, Running);
    store.setJobState(second, Failed, "out of memory");
    QCOMPARE(store.job(second).error, std::string("out of memory"));
    QCOMPARE(store.nextJob()->id, first);
  }

  void requestsReachTheWorker() {
    auto store = RunStore::open(path_);
    const auto id = store.enqueue("r", {}, 0, "cpu", 1);
    QVERIFY(!messageOf([&] { store.requestJob(id, "pause"); }).empty());
    QVERIFY(!messageOf([&] { store.requestJob(id, "explode"); }).empty());
    store.claimJob(id, ::getpid());
    store.requestJob(id, "pause");
    QCOMPARE(store.job(id).request, std::string("pause"));
    QCOMPARE(store.reportJob(id, {}), std::string("pause"));
    QCOMPARE(store.reportJob(id, {}), std::string());
    store.setJobState(id, Paused);
    store.requestJob(id, "resume");
    QCOMPARE(store.reportJob(id, {}), std::string("resume"));
    store.setJobState(id, Running);
    store.requestJob(id, "cancel");
    store.requestJob(id, "resume");  // too late
    QCOMPARE(store.reportJob(id, {}), std::string("cancel"));
    QCOMPARE(store.reportJob(id, {}), std::string("cancel"));
    store.setJobState(id, Cancelled);
    QCOMPARE(store.job(id).request, std::string());
    store.requestJob(id, "cancel");                            // asked twice: nothing to do
    QCOMPARE(store.reportJob(id, {}), std::string("cancel"));  // a straggler is told to stop
    QVERIFY(!messageOf([&] { store.requestJob(id, "resume"); }).empty());
  }

  void aClaimedJobIsRefusedToOthers() {
    auto store = RunStore::open(path_);
    const auto id = store.enqueue("r", {}, 0, "cpu", 1);
    store.claimJob(id, ::getpid());
    const auto message = messageOf([&] { store.claimJob(id, ::getppid()); });
    QVERIFY2(contains(message, "by process " + std::to_string(::getpid())), message.c_str());
    QCOMPARE(store.job(id).attempt, 1);
    QVERIFY(contains(messageOf([&] { store.retryJob(id); }), "is running"));
    QVERIFY(contains(messageOf([&] { store.deleteRun(store.job(id).run); }), "being worked on"));
  }

  void everyJobIsClaimedByExactlyOneProcess() {
    constexpr int kJobs = 20, kWorkers = 4;
    {
      auto store = RunStore::open(path_);
      for (int i = 0; i < kJobs; ++i) store.enqueue("r", {}, 0, "cpu", 1);
    }
    std::vector<pid_t> workers;
    for (int w = 0; w < kWorkers; ++w) {
      workers.push_back(startChild([&] {
        auto store = RunStore::open(path_);
        int claimed = 0;
        for (int id = 1; id <= kJobs; ++id) {
          try {
            store.claimJob(id, ::getpid());
            ++claimed;
          } catch (const Error& error) {
            if (!contains(error.problem(), "is being worked on")) return 99;
          }
        }
        // Nobody leaves while another may still find a claimed job abandoned.
        store.putLog(1, LogLevel::Info, "ready");
        while (store.log(1).size() < kWorkers) QTest::qSleep(2);
        return claimed;
      }));
    }
    int total = 0;
    for (const pid_t worker : workers) {
      const int claimed = waitFor(worker);
      QVERIFY(claimed >= 0 && claimed <= kJobs);
      total += claimed;
    }
    QCOMPARE(total, kJobs);
    auto store = RunStore::open(path_);
    for (const auto& job : store.jobs()) QCOMPARE(job.attempt, 1);
    QCOMPARE(store.markInterrupted(), kJobs);
  }

  void aKilledWorkerLeavesAnInterruptedJobThatResumes() {
    const auto id = RunStore::open(path_).enqueue("r", {}, 0, "cpu", 1);
    int ready[2];
    QCOMPARE(::pipe(ready), 0);
    const pid_t worker = startChild([&] {
      auto store = RunStore::open(path_);
      store.claimJob(id, ::getpid());
      ScoreSet set;
      set.detector = "msp";
      set.dataset = "in";
      set.scores = {1, 2};
      store.putScores(store.job(id).run, set, {});
      if (::write(ready[1], "x", 1) != 1) return 1;
      ::pause();
      return 0;
    });
    char byte = 0;
    QCOMPARE(::read(ready[0], &byte, 1), ssize_t{1});
    {
      auto store = RunStore::open(path_);
      QCOMPARE(store.markInterrupted(), 0);
      ::kill(worker, SIGKILL);
      QCOMPARE(waitFor(worker), -1);
      QCOMPARE(store.markInterrupted(), 1);
      QCOMPARE(store.markInterrupted(), 0);
    }
    ::close(ready[0]);
    ::close(ready[1]);
    auto store = RunStore::open(path_);
    const JobRecord job = store.job(id);
    QVERIFY(job.state == Interrupted && !job.error.empty() && job.pid == 0);
    store.retryJob(id);
    QVERIFY(store.job(id).state == Queued && store.job(id).error.empty());
    QCOMPARE(store.scoreSets(job.run).size(), std::size_t{1});  // what was stored stays
    store.claimJob(id, ::getpid());
    QCOMPARE(store.job(id).attempt, 2);
  }

  void aDeadWorkerBlocksNobody() {
    auto store = RunStore::open(path_);
    const auto first = store.enqueue("1", {}, 0, "cpu", 1);
    const auto second = store.enqueue("2", {}, 0, "cpu", 1);
    store.claimJob(first, endedProcess());
    QCOMPARE(store.nextJob()->id, second);
    store.claimJob(first, ::getpid());  // taken over
    QCOMPARE(store.job(first).attempt, 2);
    QVERIFY(!store.nextJob());
    store.setJobState(first, Done);
    store.claimJob(second, endedProcess());
    store.requestJob(second, "cancel");  // nobody is there to obey: cancelled at once
    QVERIFY(store.job(second).state == Cancelled);
    store.claimJob(second, endedProcess());
    store.retryJob(second);
    QVERIFY(store.job(second).state == Queued);
    store.claimJob(second, endedProcess());
    store.deleteRun(store.job(second).run);
    QCOMPARE(store.jobs().size(), std::size_t{1});
  }

  void aRecycledProcessIdDoesNotCount() {
    auto store = RunStore::open(path_);
    const auto id = store.enqueue("r", {}, 0, "cpu", 1);
    store.claimJob(id, ::getpid());
    QCOMPARE(store.markInterrupted(), 0);
    tamper("UPDATE run SET worker_start = worker_start || '1'");
    QCOMPARE(store.markInterrupted(), 1);
    QVERIFY(store.job(id).state == Interrupted);
  }

  void workersOfOtherHostsAreJudgedByTheirHeartbeat() {
    auto store = RunStore::open(path_);
    const auto id = store.enqueue("r", {}, 0, "cpu", 1);
    store.claimJob(id, endedProcess());
    tamper("UPDATE run SET worker_host = 'elsewhere'");
    QCOMPARE(store.markInterrupted(), 0);
    tamper("UPDATE job SET heartbeat = '" + utcBefore(50) + "'");
    QCOMPARE(store.markInterrupted(), 0);
    tamper("UPDATE job SET heartbeat = '" + utcBefore(61) + "'");
    QCOMPARE(store.markInterrupted(RunStore::Workers::OfThisHost), 0);
    QCOMPARE(store.markInterrupted(), 1);
  }

  void aRunCanBeLeftToWhoeverStartedIt() {
    auto store = RunStore::open(path_);
    const auto mine = store.enqueue("1", {}, 0, "cpu", 1);
    const auto other = store.enqueue("2", {}, 0, "cpu", 1);
    for (const auto id : {mine, other}) store.claimJob(id, endedProcess());
    QCOMPARE(store.markInterrupted(RunStore::Workers::OfThisHost, store.job(mine).run), 1);
    QVERIFY(store.job(mine).state == Running && store.job(other).state == Interrupted);
    store.claimJob(other, ::getpid());
    Connection writer(path_, Connection::Mode::ReadWrite, 1000ms);
    writer.execute("BEGIN IMMEDIATE");  // where nothing has died, nobody waits for it
    QCOMPARE(store.markInterrupted(RunStore::Workers::OfThisHost, store.job(mine).run), 0);
    writer.execute("ROLLBACK");
  }

  void aRunWithoutAJobIsWatchedToo() {
    const auto run = RunStore::open(path_).createRun("r", {}, 0, "cpu");
    QCOMPARE(waitFor(startChild([&] {
               RunStore::open(path_).setRunState(run, Running);
               return 0;
             })),
             0);
    auto store = RunStore::open(path_);
    QCOMPARE(store.markInterrupted(), 1);
    QVERIFY(store.run(run).state == Interrupted);
    store.setRunState(run, Running);
    QCOMPARE(store.markInterrupted(), 0);
    QVERIFY(store.jobs().empty());
  }

  void reportingIsCheap() {
    auto store = RunStore::open(path_);
    const auto id = store.enqueue("r", {}, 0, "cpu", 1);
    store.claimJob(id, ::getpid());
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < 200; ++i) store.reportJob(id, {"train", i, 200, "images", 1, 1});
    const double each = static_cast<double>(timer.nsecsElapsed()) / 1e6 / 200;
    qInfo("one report: %.3f ms", each);
    QVERIFY(each < 100);
  }

 private:
  void tamper(const std::string& sql) {
    Connection db(path_, Connection::Mode::ReadWrite, 1000ms);
    db.execute(sql);
  }

  std::unique_ptr<QTemporaryDir> folder_;
  fs::path path_;
};

QTEST_GUILESS_MAIN(TestStoreJobs)
#include "tst_store_jobs.moc"
