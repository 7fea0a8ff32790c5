// The database service and the job controller, with a real child process that plays the worker.
#include <QApplication>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include "fake_worker.h"
#include "ui/bridge/background.h"
#include "ui/bridge/database_service.h"
#include "ui/bridge/job_controller.h"
#include "ui/bridge/run_focus.h"

using namespace bulwark;

namespace {

constexpr int patience = 10000;

struct Bench {
  explicit Bench(const QString& worker = QCoreApplication::applicationFilePath())
      : jobs(std::make_unique<JobController>(&database, worker)) {
    QSignalSpy opened(&database, &DatabaseService::opened);
    database.open(file());
    if (!opened.wait(patience)) qFatal("the database does not open");
  }
  QString file() const { return folder.filePath(QStringLiteral("runs.db")); }
  RunStore store() const { return RunStore::open(file().toStdString()); }
  void submit(const char* name) {
    jobs->submit(QString::fromLatin1(name), Json{{"name", name}}, 7, QStringLiteral("cpu"), 1);
  }

  QTemporaryDir folder;
  DatabaseService database;
  std::unique_ptr<JobController> jobs;
};

std::string stateOf(const QSignalSpy& finished, int index = 0) {
  return toString(finished.at(index).at(2).value<RunState>());
}

}  // namespace

class TestJobController : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void answersInTheWindowsThread() {
    Bench bench;
    bool answered = false;
    bench.database.run(
        this,
        [](RunStore& store) {
          store.createRun("a", Json::object(), 1, "cpu");
          return QThread::currentThread();
        },
        [&](QThread* worker) {
          answered = worker != QThread::currentThread() && QThread::currentThread() == thread();
        });
    QTRY_VERIFY_WITH_TIMEOUT(answered, patience);
  }

  void dropsAnswersNobodyWaitsFor() {
    Bench bench;
    auto context = std::make_unique<QObject>();
    bool called = false, last = false;
    bench.database.run(
        context.get(), [](RunStore& store) { return store.jobs().size(); },
        [&](std::size_t) { called = true; });
    context.reset();
    bench.database.run(
        this, [](RunStore&) {}, [&] { last = true; });
    QTRY_VERIFY_WITH_TIMEOUT(last, patience);
    QVERIFY(!called);
  }

  void answersOfAClosedFileAreCancelled() {
    DatabaseService database;
    QTemporaryDir folder;
    QSignalSpy failed(&database, &DatabaseService::failed);
    int cancelled = 0, done = 0;
    const auto ask = [&] {
      database.run(
          this, [](RunStore& store) { return store.jobs().size(); }, [&](std::size_t) { ++done; },
          [&](const Error& error) { cancelled += error.kind() == Error::Kind::Cancelled; });
    };
    ask();  // before any file
    database.open(folder.filePath(QStringLiteral("a.db")));
    ask();
    database.open(folder.filePath(QStringLiteral("b.db")));
    ask();
    QTRY_COMPARE_WITH_TIMEOUT(done, 1, patience);
    QCOMPARE(cancelled, 2);
    QCOMPARE(failed.size(), 0);
  }

  void saysWhenAnotherProcessChangesTheDatabase() {
    Bench bench;
    RunFocus focus(&bench.database);
    focus.setRun(1);
    QTest::qWait(300);
    QSignalSpy changed(&bench.database, &DatabaseService::changed);
    QSignalSpy content(&focus, &RunFocus::contentChanged);
    bench.store().createRun("elsewhere", Json::object(), 1, "cpu");
    QVERIFY(changed.wait(1000));
    QCOMPARE(content.size(), changed.size());
  }

  void refusesWhatIsNoDatabase() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("notes.db"));
    QFile notes(path);
    QVERIFY(notes.open(QIODevice::WriteOnly));
    notes.write(QByteArray(5000, 'x'));
    notes.close();
    DatabaseService database;
    QSignalSpy failed(&database, &DatabaseService::openFailed);
    database.open(path);
    QVERIFY(failed.wait(patience));
    QVERIFY(!failed.first().at(0).toString().isEmpty());
    QVERIFY(!database.isOpen());
    QVERIFY(notes.open(QIODevice::ReadOnly));
    QCOMPARE(notes.readAll(), QByteArray(5000, 'x'));
    bool refused = false;
    database.run(
        this, [](RunStore& store) { return store.jobs().size(); }, [](std::size_t) {},
        [&](const Error&) { refused = true; });
    QTRY_VERIFY_WITH_TIMEOUT(refused, patience);
    QSignalSpy opened(&database, &DatabaseService::opened);
    database.open(folder.filePath(QStringLiteral("fresh.db")));
    QVERIFY(opened.wait(patience));
    QVERIFY(database.isOpen());
  }

  void whatIsOpenStaysOpenWhenAnotherCannotBeOpened() {
    Bench bench;
    QTRY_VERIFY_WITH_TIMEOUT(bench.database.isOpen(), patience);
    const QString before = bench.database.path();
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("notes.db"));
    QFile notes(path);
    QVERIFY(notes.open(QIODevice::WriteOnly));
    notes.write(QByteArray(5000, 'x'));
    notes.close();
    QSignalSpy failed(&bench.database, &DatabaseService::openFailed);
    QSignalSpy opened(&bench.database, &DatabaseService::opened);
    int done = 0, cancelled = 0;
    const auto ask = [&] {
      bench.database.run(
          this, [](RunStore& store) { return store.jobs().size(); }, [&](std::size_t) { ++done; },
          [&](const Error&) { ++cancelled; });
    };
    ask();
    bench.database.open(path);
    ask();  // goes to what is open
    QVERIFY(failed.wait(patience));
    QCOMPARE(failed[0][2].toString(), path);
    ask();
    QTRY_COMPARE_WITH_TIMEOUT(done, 3, patience);
    QCOMPARE(cancelled, 0);
    QCOMPARE(opened.size(), 0);
    QVERIFY(bench.database.isOpen());
    QCOMPARE(bench.database.path(), before);
    // What was asked of the old file never meets the new one.
    bench.database.open(folder.filePath(QStringLiteral("fresh.db")));
    std::size_t runs = 99;
    bench.database.run(
        this,
        [](RunStore& store) { store.createRun("for the old file", Json::object(), 1, "cpu"); },
        [] {}, [](const Error&) {});
    QVERIFY(opened.wait(patience));
    bench.database.run(
        this, [](RunStore& store) { return store.runs(true).size(); },
        [&](std::size_t count) { runs = count; });
    QTRY_COMPARE_WITH_TIMEOUT(runs, std::size_t{0}, patience);
  }

  void runsOneJobAfterTheOther() {
    Bench bench;
    QSignalSpy submitted(bench.jobs.get(), &JobController::submitted);
    QSignalSpy started(bench.jobs.get(), &JobController::started);
    QSignalSpy progress(bench.jobs.get(), &JobController::progress);
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit("ok");
    bench.submit("ok");
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 2, patience);
    QCOMPARE(submitted.size(), 2);
    QCOMPARE(started.size(), 2);
    QVERIFY(progress.size() >= 6);
    const auto update = progress.last().at(1).value<ProgressUpdate>();
    QCOMPARE(update.phase, std::string("train"));
    QCOMPARE(update.total, std::int64_t{3});
    QVERIFY(update.secondsLeft.has_value());
    QCOMPARE(stateOf(finished, 0), std::string("done"));
    QCOMPARE(stateOf(finished, 1), std::string("done"));
    QVERIFY(finished.at(0).at(0) != finished.at(1).at(0));
    const auto first = bench.store().job(finished.at(0).at(0).toLongLong());
    const auto second = bench.store().job(finished.at(1).at(0).toLongLong());
    QVERIFY(first.finished <= second.started);
  }

  void survivesACrashAndResumes() {
    Bench bench;
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit("crash");
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("interrupted"));
    const qint64 job = finished.first().at(0).toLongLong();
    QVERIFY(!bench.store().job(job).error.empty());
    bench.jobs->retry(job);
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 2, patience);
    QCOMPARE(stateOf(finished, 1), std::string("done"));
    QCOMPARE(bench.store().job(job).attempt, 2);
  }

  void leavesAJobToTheProgramThatTookIt() {
    Bench bench;
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit("late");
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("running"));
    const qint64 job = finished.first().at(0).toLongLong();
    auto store = bench.store();
    QCOMPARE(toString(store.job(job).state), std::string("running"));
    QVERIFY(store.job(job).error.empty());
    QVERIFY(!bench.jobs->isRunning());
    // The other program goes on, and this window with its queue after that.
    store.setJobState(job, RunState::Done);
    bench.submit("ok");
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 2, patience);
    QCOMPARE(stateOf(finished, 1), std::string("done"));
  }

  void keepsTheReasonOfAFailure_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("reason");
    QTest::newRow("said by the worker") << "error"
                                        << "the set is empty";
    QTest::newRow("left on standard error") << "mute"
                                            << "cannot open shared object file";
  }
  void keepsTheReasonOfAFailure() {
    QFETCH(QString, name);
    QFETCH(QString, reason);
    Bench bench;
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit(name.toLatin1().constData());
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("failed"));
    const auto job = bench.store().job(finished.first().at(0).toLongLong());
    QVERIFY2(job.error.find(reason.toStdString()) != std::string::npos, job.error.c_str());
  }

  void saysThatTheProgramIsMissing() {
    Bench bench(QStringLiteral("/nonexistent/bulwark-cli"));
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit("ok");
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("failed"));
    const auto job = bench.store().job(finished.first().at(0).toLongLong());
    QVERIFY(job.error.find("/nonexistent/bulwark-cli") != std::string::npos);
  }

  void cancelsWithinHalfASecond() {
    Bench bench;
    QSignalSpy started(bench.jobs.get(), &JobController::started);
    QSignalSpy progress(bench.jobs.get(), &JobController::progress);
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit("slow");
    QTRY_VERIFY_WITH_TIMEOUT(progress.size() > 2, patience);
    QElapsedTimer timer;
    timer.start();
    bench.jobs->cancel(bench.jobs->runningJob());
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("cancelled"));
    QVERIFY2(timer.elapsed() < 500, qPrintable(QString::number(timer.elapsed())));
    QVERIFY(!bench.jobs->isRunning());
  }

  void killsAWorkerThatIgnoresACancel() {
    Bench bench;
    QSignalSpy started(bench.jobs.get(), &JobController::started);
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.jobs->setPatience(300);
    bench.submit("stubborn");
    QTRY_COMPARE_WITH_TIMEOUT(started.size(), 1, patience);
    bench.jobs->cancel(bench.jobs->runningJob());
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("cancelled"));
  }

  void pausesAndGoesOn() {
    qputenv("BULWARK_TEST_STEPS", "20");
    Bench bench;
    QSignalSpy progress(bench.jobs.get(), &JobController::progress);
    QSignalSpy finished(bench.jobs.get(), &JobController::finished);
    bench.submit("slow");
    QTRY_VERIFY_WITH_TIMEOUT(progress.size() > 2, patience);
    const qint64 job = bench.jobs->runningJob();
    bench.jobs->pause(job);
    QTRY_VERIFY_WITH_TIMEOUT(bench.store().job(job).state == RunState::Paused, patience);
    QTest::qWait(100);
    const auto before = progress.size();
    QTest::qWait(300);
    QCOMPARE(progress.size(), before);
    bench.jobs->resume(job);
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, patience);
    QCOMPARE(stateOf(finished), std::string("done"));
    qunsetenv("BULWARK_TEST_STEPS");
  }

  void leavesADetachedWorkerRunning() {
    qputenv("BULWARK_TEST_STEPS", "30");
    Bench bench;
    QSignalSpy progress(bench.jobs.get(), &JobController::progress);
    bench.submit("slow");
    QTRY_VERIFY_WITH_TIMEOUT(progress.size() > 2, patience);
    const qint64 job = bench.jobs->runningJob();
    bench.jobs->detach();
    bench.jobs.reset();
    QVERIFY(bench.store().job(job).state == RunState::Running);
    QTRY_VERIFY_WITH_TIMEOUT(bench.store().job(job).state == RunState::Done, patience);
    qunsetenv("BULWARK_TEST_STEPS");
  }

  void findsWhatAnEarlierWindowLeft() {
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("runs.db"));
    {
      RunStore store = RunStore::open(file.toStdString());
      const auto job = store.enqueue("lost", Json::object(), 1, "cpu", 1);
      store.claimJob(job, 999999999);  // no process has this number
    }
    DatabaseService database;
    JobController jobs(&database, QCoreApplication::applicationFilePath());
    QSignalSpy found(&jobs, &JobController::interruptedFound);
    database.open(file);
    QVERIFY(found.wait(patience));
    QCOMPARE(found.first().at(0).toInt(), 1);
    QVERIFY(!jobs.isRunning());
  }

  void findsWhatIsKilledWhileTheWindowIsOpen() {
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("runs.db"));
    QProcess killed, living;
    for (QProcess* process : {&killed, &living}) {
      process->start(QStringLiteral("sleep"), {QStringLiteral("60")});
      QVERIFY(process->waitForStarted());
    }
    RunStore store = RunStore::open(file.toStdString());
    const auto mine = store.enqueue("killed", Json::object(), 1, "cpu", 1);
    const auto other = store.enqueue("of another program", Json::object(), 1, "cpu", 1);
    store.claimJob(mine, killed.processId());
    store.claimJob(other, living.processId());
    DatabaseService database;
    JobController jobs(&database, QCoreApplication::applicationFilePath());
    jobs.setWatch(50);
    QSignalSpy opened(&database, &DatabaseService::opened);
    QSignalSpy found(&jobs, &JobController::interruptedFound);
    database.open(file);
    QVERIFY(opened.wait(patience));
    QTest::qWait(300);
    QCOMPARE(found.size(), 0);
    killed.kill();
    QVERIFY(killed.waitForFinished());
    QVERIFY(found.wait(patience));
    QCOMPARE(found.first().at(0).toInt(), 1);
    QVERIFY(store.job(mine).state == RunState::Interrupted);
    QTest::qWait(200);
    QCOMPARE(found.size(), 1);
    QVERIFY(store.job(other).state == RunState::Running);  // whatever this window thinks of it
    living.kill();
    living.waitForFinished();
  }

  /// A long run of this window hides no other that dies.
  void findsWhatIsKilledWhileItsOwnWorkerRuns() {
    qputenv("BULWARK_TEST_STEPS", "30");
    Bench bench;
    bench.jobs->setWatch(50);
    QSignalSpy progress(bench.jobs.get(), &JobController::progress);
    QSignalSpy found(bench.jobs.get(), &JobController::interruptedFound);
    bench.submit("slow");
    QTRY_VERIFY_WITH_TIMEOUT(progress.size() > 2, patience);
    const qint64 own = bench.jobs->runningJob();
    QProcess killed;
    killed.start(QStringLiteral("sleep"), {QStringLiteral("60")});
    QVERIFY(killed.waitForStarted());
    RunStore store = bench.store();
    const auto other = store.enqueue("killed", Json::object(), 1, "cpu", 1);
    store.claimJob(other, killed.processId());
    killed.kill();
    QVERIFY(killed.waitForFinished());
    QTRY_VERIFY_WITH_TIMEOUT(found.size() == 1, patience);
    QVERIFY(store.job(other).state == RunState::Interrupted);
    QVERIFY(bench.jobs->isRunning() && store.job(own).state == RunState::Running);
    bench.jobs->cancel(own);
    QTRY_VERIFY_WITH_TIMEOUT(!bench.jobs->isRunning(), patience);
    qunsetenv("BULWARK_TEST_STEPS");
  }

  void backgroundWorkIsDroppedWhenReplaced() {
    BackgroundTask task(this);
    std::atomic<bool> stopped{false};
    QList<int> answers;
    task.start(
        [&](Task& work) {
          try {
            for (int i = 0; i < 5000; ++i) {
              work.checkpoint();
              testing::pauseFor(1);
            }
          } catch (const Error&) {
            stopped = true;
            throw;
          }
          return 1;
        },
        [&](int answer) { answers << answer; }, [&](const Error&) { answers << -1; });
    task.start([](Task&) { return 2; }, [&](int answer) { answers << answer; },
               [&](const Error&) { answers << -2; });
    QTRY_VERIFY_WITH_TIMEOUT(stopped && !answers.isEmpty(), patience);
    QTest::qWait(50);
    QCOMPARE(answers, QList<int>{2});
    QVERIFY(!task.isRunning());
  }
};

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "work") return testing::fakeWorker(argc, argv);
  QApplication application(argc, argv);
  TestJobController test;
  return QTest::qExec(&test, argc, argv);
}

#include "tst_job_controller.moc"
