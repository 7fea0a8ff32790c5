#include <QtTest/QtTest>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/store/run_store.h"
#include "core/store/sqlite.h"
#include "sample_runs.h"
#include "store_checks.h"

using namespace bulwark;
using namespace std::chrono_literals;
using samples::asOrdinaryUser;
using samples::contains;
using samples::messageOf;
namespace fs = std::filesystem;

namespace {

constexpr StoreOptions kHasty{100ms, 0};

void touchEverything(const RunStore& store) {
  for (const auto& run : store.runs()) {
    store.datasets(run.id);
    store.epochMetrics(run.id);
    store.scoreSets(run.id);
    store.results(run.id);
    store.curves(run.id);
    store.imagePairs(run.id);
    store.artefacts(run.id);
    store.log(run.id);
  }
  store.jobs();
}

/// Limits the size of every file that this process writes, as a full disk would.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uintmax_t bytes) {
    previous_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, previous_);
  }

 private:
  rlimit before_{};
  void (*previous_)(int) = SIG_DFL;
};

ScoreSet bigSet(double value) {
  ScoreSet set;
  set.detector = "knn";
  set.dataset = "mnist";
  set.scores.assign(500000, value);
  return set;
}

}  // namespace

/// Each bad database is refused with its name and a remedy, and left as it was.
class TestStoreBadFiles : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    QVERIFY(folder_->isValid());
    root_ = folder_->path().toStdString();
    path_ = root_ / "runs.db";
  }

  void refusedFilesStayAsTheyAre_data() {
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("problem");
    QTest::addColumn<QString>("remedy");
    QTest::newRow("newer") << "newer"
                           << "has schema 99"
                           << "newer Bulwark";
    QTest::newRow("newer in the log") << "newer in log"
                                      << "has schema 99"
                                      << "newer Bulwark";
    QTest::newRow("another program's") << "foreign"
                                       << "another program"
                                       << "another file";
    QTest::newRow("no application id") << "anonymous"
                                       << "another program"
                                       << "another file";
    QTest::newRow("text") << "text"
                          << "not a database"
                          << "another file";
    QTest::newRow("short text") << "short"
                                << "not a database"
                                << "another file";
    QTest::newRow("header only") << "header"
                                 << "not a database"
                                 << "another file";
  }

  void refusedFilesStayAsTheyAre() {
    QFETCH(QString, kind);
    QFETCH(QString, problem);
    QFETCH(QString, remedy);
    makeBad(kind.toStdString());
    const std::string before = sha256File(path_);
    for (const auto mode : {RunStore::Mode::ReadWrite, RunStore::Mode::ReadOnly}) {
      try {
        RunStore::open(path_, mode, kHasty);
        QFAIL("opened a file that must be refused");
      } catch (const Error& error) {
        QVERIFY(error.kind() == Error::Kind::BadInput);
        QCOMPARE(error.where(), path_.string());
        QVERIFY2(contains(error.problem(), problem.toStdString()), error.what());
        QVERIFY2(contains(error.hint(), remedy.toStdString()), error.what());
      }
      QCOMPARE(sha256File(path_), before);
    }
  }

  void missingAndEmptyFiles() {
    const auto reading = [&] { RunStore::open(path_, RunStore::Mode::ReadOnly); };
    QVERIFY(contains(messageOf(reading), "no such database"));
    QVERIFY(!fs::exists(path_));
    writeFileAtomically(path_, "");
    QVERIFY(contains(messageOf(reading), "is empty"));
    QCOMPARE(fs::file_size(path_), std::uintmax_t{0});
    RunStore::open(path_).createRun("r", {}, 0, "cpu");
    reading();
    QVERIFY(contains(messageOf([&] { RunStore::open(root_); }), "folder"));
    QVERIFY(contains(messageOf([&] { RunStore::open("/dev/null"); }), "not a"));
    QVERIFY(!messageOf([&] { RunStore::open(path_ / "below" / "runs.db"); }).empty());
  }

  void aFileWithoutWriteAheadLogIsRefused() {
    // SQLite keeps no log for its in-memory database, as on a file system that cannot share one.
    const std::string message = messageOf([] { RunStore::open(":memory:"); });
    QVERIFY2(contains(message, "write-ahead log (journal mode is 'memory')"), message.c_str());
    QVERIFY(contains(message, "local disk"));
  }

  void aCutFileIsDamaged_data() {
    QTest::addColumn<double>("share");
    QTest::addColumn<int>("extra");
    for (const double share : {0.05, 0.3, 0.6, 0.9}) {
      QTest::addRow("%.0f %%", 100 * share) << share << 0;
      QTest::addRow("%.0f %% and a half page", 100 * share) << share << 777;
    }
  }

  void aCutFileIsDamaged() {
    QFETCH(double, share);
    QFETCH(int, extra);
    makeSample();
    const auto pages = static_cast<double>(fs::file_size(path_)) / 4096;
    fs::resize_file(path_, static_cast<std::uintmax_t>(pages * share) * 4096 +
                               static_cast<std::uintmax_t>(extra));
    const std::string before = sha256File(path_);
    const std::string message =
        messageOf([&] { touchEverything(RunStore::open(path_, RunStore::Mode::ReadOnly)); });
    QVERIFY2(contains(message, "damaged") && contains(message, "runs.db"), message.c_str());
    QVERIFY(contains(message, "backup"));
    QCOMPARE(sha256File(path_), before);
  }

  void overwrittenPagesAreDamaged() {
    makeSample();
    std::string content = readFile(path_);
    // Every page but the first loses its first bytes, which say what kind of page it is.
    for (std::size_t page = 4096; page < content.size(); page += 4096) {
      for (std::size_t i = 0; i < 8; ++i) content[page + i] = '\x07';
    }
    writeFileAtomically(path_, content);
    const std::string before = sha256File(path_);
    const std::string message = messageOf([&] { touchEverything(RunStore::open(path_)); });
    QVERIFY2(contains(message, "damaged"), message.c_str());
    QCOMPARE(sha256File(path_), before);
  }

  /// Found when it is opened, not by the page that happens to need the damaged part.
  void aFileThatIsDamagedInTheMiddleIsNotOpened() {
    makeSample();
    std::string content = readFile(path_);
    const std::size_t from = content.size() / 8192 * 4096;
    for (std::size_t i = from; i < std::min(content.size(), from + 4096); ++i) content[i] = '\x5a';
    writeFileAtomically(path_, content);
    const std::string before = sha256File(path_);
    for (const auto mode : {RunStore::Mode::ReadWrite, RunStore::Mode::ReadOnly}) {
      const std::string message = messageOf([&] { RunStore::open(path_, mode); });
      QVERIFY2(contains(message, "damaged") && contains(message, "backup"), message.c_str());
    }
    QCOMPARE(sha256File(path_), before);
  }

  void flippedBitsNeverCrash() {
    makeSample();
    const std::string whole = readFile(path_);
    Random random(Seed(11));
    int refused = 0;
    for (int round = 0; round < 30; ++round) {
      std::string content = whole;
      for (int flip = 0; flip < 40; ++flip) {
        const auto at = random.below(content.size());
        content[at] = static_cast<char>(content[at] ^ (1 << random.below(8)));
      }
      {
        std::ofstream file(path_, std::ios::binary | std::ios::trunc);
        file << content;
      }
      const auto mode = round % 2 ? RunStore::Mode::ReadOnly : RunStore::Mode::ReadWrite;
      const std::string message =
          messageOf([&] { touchEverything(RunStore::open(path_, mode, kHasty)); });
      if (!message.empty()) {
        ++refused;
        QVERIFY2(contains(message, "runs.db"), message.c_str());
      }
      QCOMPARE(readFile(path_) == content, true);
    }
    // Most of the file is scores, curves and packed images, which carry checksums.
    QVERIFY2(refused >= 25, std::to_string(refused).c_str());
  }

  void readOnlyFile() {
    makeSample();
    makeVisible();
    fs::permissions(path_, fs::perms(0444));
    const std::string before = sha256File(path_);
    QCOMPARE(asOrdinaryUser([&] {
               const auto message = messageOf([&] { RunStore::open(path_); });
               if (!contains(message, "read-only") || !contains(message, "writable")) return 1;
               auto store = RunStore::open(path_, RunStore::Mode::ReadOnly);
               if (store.runs().size() != 1) return 2;
               touchEverything(store);
               return contains(messageOf([&] { store.setRunNote(1, "x"); }), "cannot be written")
                          ? 0
                          : 3;
             }),
             0);
    QCOMPARE(sha256File(path_), before);
  }

  void readOnlyFolder() {
    makeSample();
    makeVisible();
    fs::permissions(path_, fs::perms(0666));
    fs::permissions(root_, fs::perms(0555));
    const std::string before = sha256File(path_);
    const int code = asOrdinaryUser([&] {
      const auto message =
          messageOf([&] { RunStore::open(path_, RunStore::Mode::ReadWrite, kHasty); });
      if (!contains(message, "runs.db") || !contains(message, "writ")) return 1;
      if (RunStore::open(path_, RunStore::Mode::ReadOnly).runs().size() != 1) return 2;
      if (!contains(messageOf([&] { RunStore::open(root_ / "new.db"); }), "new.db")) return 3;
      const auto below = messageOf([&] { RunStore::open(root_ / "sub" / "new.db"); });
      return contains(below, "folder cannot be created") ? 0 : 4;
    });
    fs::permissions(root_, fs::perms(0777));
    QCOMPARE(code, 0);
    QCOMPARE(sha256File(path_), before);
    QVERIFY(!fs::exists(root_ / "new.db"));
  }

  void unreadableFile() {
    makeSample();
    makeVisible();
    fs::permissions(path_, fs::perms(0));
    QCOMPARE(asOrdinaryUser([&] {
               for (const auto mode : {RunStore::Mode::ReadWrite, RunStore::Mode::ReadOnly}) {
                 const auto message = messageOf([&] { RunStore::open(path_, mode, kHasty); });
                 if (!contains(message, "cannot be opened")) return 1;
               }
               return 0;
             }),
             0);
  }

  void lockedForWriting() {
    auto store = RunStore::open(path_, RunStore::Mode::ReadWrite, kHasty);
    const auto run = store.createRun("r", {}, 0, "cpu");
    {
      Connection holder(path_, Connection::Mode::ReadWrite, 100ms);
      Transaction transaction(holder);
      QElapsedTimer timer;
      timer.start();
      const auto message = messageOf([&] { store.setRunNote(run, "x"); });
      QVERIFY2(contains(message, "locked by another program"), message.c_str());
      QVERIFY(contains(message, "try again"));
      QVERIFY(timer.elapsed() >= 90 && timer.elapsed() < 4000);
      QCOMPARE(store.run(run).note, std::string());  // readers go on
      QCOMPARE(RunStore::open(path_, RunStore::Mode::ReadWrite, kHasty).runs().size(),
               std::size_t{1});
    }
    store.setRunNote(run, "x");
    QCOMPARE(store.run(run).note, std::string("x"));
  }

  void lockedAltogether() {
    makeSample();
    const std::string before = sha256File(path_);
    {
      Connection holder(path_, Connection::Mode::ReadWrite, 100ms);
      holder.execute("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      for (const auto mode : {RunStore::Mode::ReadWrite, RunStore::Mode::ReadOnly}) {
        const auto message = messageOf([&] { RunStore::open(path_, mode, kHasty); });
        QVERIFY2(contains(message, "locked"), message.c_str());
      }
      holder.execute("ROLLBACK");
    }
    QCOMPARE(sha256File(path_), before);
    QCOMPARE(RunStore::open(path_).runs().size(), std::size_t{1});
  }

  void fullByPages() {
    {
      auto store = RunStore::open(path_);
      store.createRun("r", {}, 0, "cpu");
      ScoreSet small = bigSet(1);
      small.scores.resize(10);
      store.putScores(1, small, {});
    }
    {
      auto store = RunStore::open(path_, RunStore::Mode::ReadWrite, {100ms, 100});
      requireFull([&] { store.putScores(1, bigSet(2), {}); });
      QCOMPARE(store.scores(1, "knn", "", "mnist", false)->scores, std::vector<double>(10, 1.0));
      store.setRunNote(1, "small things still fit");
    }
    auto store = RunStore::open(path_);
    store.putScores(1, bigSet(2), {});
    QCOMPARE(store.scores(1, "knn", "", "mnist", false)->scores.size(), std::size_t{500000});
  }

  void fullDisk() {
    auto store = RunStore::open(path_);
    store.createRun("r", {}, 0, "cpu");
    ScoreSet small = bigSet(1);
    small.scores.resize(10);
    store.putScores(1, small, {});
    const auto used = std::max(fs::file_size(path_), fs::file_size(path_.string() + "-wal"));
    {
      const FileSizeLimit limit(used + 65536);
      requireFull([&] { store.putScores(1, bigSet(2), {}); });
      requireFull([&] { store.enqueue(std::string(500000, 'n'), {}, 0, "cpu", 1); });
      QCOMPARE(store.scores(1, "knn", "", "mnist", false)->scores, std::vector<double>(10, 1.0));
      QCOMPARE(store.runs().size(), std::size_t{1});
      QVERIFY(store.jobs().empty());
    }
    store.putScores(1, bigSet(2), {});
    QCOMPARE(store.scores(1, "knn", "", "mnist", false)->scores.size(), std::size_t{500000});
    const Connection check(path_, Connection::Mode::ReadOnly, 100ms);
    QCOMPARE(check.text("PRAGMA integrity_check"), std::string("ok"));
  }

  void fullDiskWhileCreating() {
    {
      const FileSizeLimit limit(20000);
      requireFull([&] { RunStore::open(path_); });
    }
    QVERIFY(!fs::exists(path_));
    RunStore::open(path_).createRun("r", {}, 0, "cpu");
  }

  void fullDiskWhileImporting() {
    const fs::path otherPath = root_ / "other.db";
    {
      auto other = RunStore::open(otherPath);
      addSampleRun(other, "s", 1);
      writeFileAtomically(other.artefactFolder(1) / "w", std::string(100000, 'w'));
    }
    auto store = RunStore::open(path_);
    const auto used = std::max(fs::file_size(path_), fs::file_size(path_.string() + "-wal"));
    {
      const FileSizeLimit limit(used + 65536);
      const auto message = messageOf([&] { store.importFrom(otherPath); });
      QVERIFY2(contains(message, "full"), message.c_str());
      QVERIFY(store.runs().empty());
    }
    QVERIFY(!fs::exists(path_.string() + ".artefacts") ||
            fs::is_empty(path_.string() + ".artefacts"));
    QCOMPARE(store.importFrom(otherPath).size(), std::size_t{1});
    QCOMPARE(fs::file_size(store.artefactFolder(1) / "w"), std::uintmax_t{100000});
  }

  void oddNames() {
    const fs::path odd = root_ / "with space" / "quo'te%41?immutable=1#x.db";
    RunStore::open(odd).createRun("r", {}, 0, "cpu");
    QVERIFY(fs::exists(odd));
    QCOMPARE(RunStore::open(odd, RunStore::Mode::ReadOnly).runs().size(), std::size_t{1});
    const Connection immutable(odd, Connection::Mode::Immutable, 100ms);
    QCOMPARE(immutable.integer("SELECT count(*) FROM run"), std::int64_t{1});
  }

 private:
  void makeSample() {
    auto store = RunStore::open(path_);
    addSampleRun(store, "s", 1);
  }

  void makeVisible() { fs::permissions(root_, fs::perms(0777)); }

  void makeBad(const std::string& kind) {
    if (kind == "text") return writeFileAtomically(path_, std::string(20000, 'x'));
    if (kind == "short") return writeFileAtomically(path_, "hello\n");
    if (kind == "header") {
      return writeFileAtomically(path_, std::string("SQLite format 3\0", 16));
    }
    if (kind == "anonymous") {
      Connection db(path_, Connection::Mode::Create, 100ms);
      return db.execute("CREATE TABLE photo(id INTEGER)");
    }
    makeSample();
    Connection db(path_, Connection::Mode::ReadWrite, 100ms);
    if (kind == "newer in log") {
      db.keepLogOnClose(true);
      db.execute("PRAGMA user_version = 99");
    } else if (kind == "newer") {
      db.execute("PRAGMA user_version = 99");
    } else if (kind == "foreign") {
      db.execute("PRAGMA application_id = 1196444487");
    }
  }

  void requireFull(const std::function<void()>& action) {
    try {
      action();
      QFAIL("fitted on a full disk");
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::Failed);
      QVERIFY2(contains(error.problem(), "database or disk is full"), error.what());
      QCOMPARE(error.where(), path_.string());
      QVERIFY(contains(error.hint(), "free some space"));
    }
  }

  std::unique_ptr<QTemporaryDir> folder_;
  fs::path root_, path_;
};

QTEST_GUILESS_MAIN(TestStoreBadFiles)
#include "tst_store_bad_files.moc"
