#include <QtTest/QtTest>

#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/store/blob.h"
#include "core/store/clock.h"
#include "core/store/run_store.h"
#include "core/store/schema.h"
#include "sample_runs.h"
#include "store_checks.h"

using namespace bulwark;
using namespace std::chrono_literals;
using samples::contains;
using samples::messageOf;
namespace fs = std::filesystem;

namespace {

const MigrationStep kFirst{1, "a table",
                           "CREATE TABLE a(x INTEGER) STRICT; INSERT INTO a VALUES(7)"};
const MigrationStep kSecond{2, "a column", "ALTER TABLE a ADD COLUMN y TEXT NOT NULL DEFAULT 'y'"};
const MigrationStep kFailing{2, "fails", "UPDATE a SET x = 8; INSERT INTO missing VALUES(1)"};
const MigrationStep kOrphan{
    2, "leaves an orphan",
    "CREATE TABLE p(id INTEGER PRIMARY KEY) STRICT; CREATE TABLE c(p INTEGER "
    "REFERENCES p(id)) STRICT; INSERT INTO c VALUES(3)"};

}  // namespace

/// Migrations, and the small parts under the store: array codec, clock, worker identity, records.
class TestStoreSchema : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    QVERIFY(folder_->isValid());
    root_ = folder_->path().toStdString();
    path_ = root_ / "a.db";
  }

  void aNewDatabaseSaysWhatItIs() {
    { RunStore::open(path_); }
    const FileHeader header = readFileHeader(path_);
    QVERIFY(header.isDatabase);
    QCOMPARE(header.applicationId, std::int64_t{0x424C574B});
    QCOMPARE(header.userVersion, std::int64_t{RunStore::schemaVersion()});
    Connection db(path_, Connection::Mode::ReadWrite, 100ms);
    QCOMPARE(db.text("PRAGMA journal_mode"), std::string("wal"));
    QCOMPARE(db.integer("PRAGMA foreign_keys"), std::int64_t{1});
    QCOMPARE(db.integer("SELECT count(*) FROM migration"), std::int64_t{1});
    QCOMPARE(db.integer("SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND "
                        "strict = 0 AND name NOT LIKE 'sqlite_%'"),
             std::int64_t{0});
    QVERIFY(!fs::exists(path_.string() + ".backup-v0"));
  }

  void stepsAreNumberedWithoutGaps() {
    int expected = 1;
    for (const auto& step : schemaSteps()) {
      QCOMPARE(step.number, expected++);
      QVERIFY(!step.text.empty());
    }
    QCOMPARE(expected - 1, RunStore::schemaVersion());
  }

  void anOlderSchemaIsBackedUpAndMigrated() {
    Connection db(path_, Connection::Mode::Create, 100ms);
    migrate(db, {kFirst});
    QCOMPARE(db.integer("PRAGMA user_version"), std::int64_t{1});
    QVERIFY(!fs::exists(path_.string() + ".backup-v1"));
    migrate(db, {kFirst, kSecond});
    QCOMPARE(db.integer("PRAGMA user_version"), std::int64_t{2});
    QCOMPARE(db.text("SELECT y FROM a"), std::string("y"));
    QCOMPARE(db.text("SELECT text FROM migration WHERE number = 2"), kSecond.text);
    QCOMPARE(db.integer("PRAGMA foreign_keys"), std::int64_t{1});
    Connection backup(path_.string() + ".backup-v1", Connection::Mode::ReadOnly, 100ms);
    QCOMPARE(backup.integer("PRAGMA user_version"), std::int64_t{1});
    QCOMPARE(backup.integer("PRAGMA application_id"), kApplicationId);
    QCOMPARE(backup.integer("SELECT x FROM a"), std::int64_t{7});
    migrate(db, {kFirst, kSecond});  // nothing left to do
    QCOMPARE(db.integer("SELECT count(*) FROM migration"), std::int64_t{2});
  }

  void aFailingStepLeavesTheFileAsItWas_data() {
    QTest::addColumn<bool>("orphan");
    QTest::addColumn<QString>("message");
    QTest::newRow("statement") << false << "missing";
    QTest::newRow("foreign key") << true << "without its owner";
  }

  void aFailingStepLeavesTheFileAsItWas() {
    QFETCH(bool, orphan);
    QFETCH(QString, message);
    {
      Connection db(path_, Connection::Mode::Create, 100ms);
      migrate(db, {kFirst});
    }
    const std::string before = sha256File(path_);
    {
      Connection db(path_, Connection::Mode::ReadWrite, 100ms);
      const auto text = messageOf([&] { migrate(db, {kFirst, orphan ? kOrphan : kFailing}); });
      QVERIFY2(contains(text, message.toStdString()), text.c_str());
      QCOMPARE(db.integer("PRAGMA user_version"), std::int64_t{1});
      QCOMPARE(db.integer("SELECT x FROM a"), std::int64_t{7});
      QCOMPARE(db.integer("PRAGMA foreign_keys"), std::int64_t{1});
    }
    QCOMPARE(sha256File(path_), before);
    QVERIFY(fs::exists(path_.string() + ".backup-v1"));
    Connection db(path_, Connection::Mode::ReadWrite, 100ms);
    migrate(db, {kFirst, kSecond});  // a later program with a mended step goes on from there
    QCOMPARE(db.integer("PRAGMA user_version"), std::int64_t{2});
  }

  void aFailingStepOfANewFileKeepsTheStepsBefore() {
    Connection db(path_, Connection::Mode::Create, 100ms);
    QVERIFY(!messageOf([&] { migrate(db, {kFirst, kFailing}); }).empty());
    QCOMPARE(db.integer("PRAGMA user_version"), std::int64_t{1});
    QCOMPARE(db.integer("SELECT x FROM a"), std::int64_t{7});
  }

  void manyProcessesMayCreateTheSameDatabase() {
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      children.push_back(samples::startChild([&] {
        auto store = RunStore::open(path_);
        for (int k = 0; k < 10; ++k) store.createRun("r", {}, 0, "cpu");
        return 0;
      }));
    }
    for (const pid_t child : children) QCOMPARE(samples::waitFor(child), 0);
    QCOMPARE(RunStore::open(path_).runs(true).size(), std::size_t{60});
  }

  void transactionsRollBackAndNest() {
    Connection db(path_, Connection::Mode::Create, 100ms);
    db.execute("CREATE TABLE t(x INTEGER) STRICT");
    {
      Transaction outer(db);
      db.run("INSERT INTO t VALUES(?)", 1);
      Transaction inner(db);
      db.run("INSERT INTO t VALUES(?)", 2);
      inner.commit();
      QVERIFY(db.inTransaction());
    }
    QCOMPARE(db.integer("SELECT count(*) FROM t"), std::int64_t{0});
    {
      Transaction outer(db);
      db.run("INSERT INTO t VALUES(?)", 3);
      outer.commit();
    }
    QCOMPARE(db.integer("SELECT x FROM t"), std::int64_t{3});
    QVERIFY(contains(messageOf([&] { db.run("INSERT INTO t VALUES(?)", "text"); }), "a.db"));
  }

  void arraysAreCheckedWhenRead() {
    const std::vector<double> values = {1.0, -2.5};
    std::string spare;
    const BlobView blob = encode(values, spare);
    const std::string bytes(static_cast<const char*>(blob.data), blob.size);
    QCOMPARE(bytes.substr(0, 8), std::string("\0\0\0\0\0\0\xf0\x3f", 8));
    QCOMPARE(decodeDoubles(bytes, 2, "here"), values);
    QVERIFY(contains(messageOf([&] { decodeDoubles(bytes, 3, "here"); }), "here: "));
    QVERIFY(!messageOf([&] { decodeDoubles(bytes, -2, "here"); }).empty());
    QVERIFY(!messageOf([&] { decodeDoubles(bytes, std::int64_t{1} << 61, "here"); }).empty());
    std::vector<float> pixels(784, 0.5F);
    pixels[3] = 0.25F;
    const std::string packed = compress(pixels);
    QVERIFY(packed.size() < 200);
    QCOMPARE(decompress(packed, 784, "here"), pixels);
    QVERIFY(!messageOf([&] { decompress(packed, 783, "here"); }).empty());
    QVERIFY(!messageOf([&] { decompress(packed, 785, "here"); }).empty());
    QVERIFY(!messageOf([&] { decompress(packed, std::int64_t{1} << 29, "here"); }).empty());
    QVERIFY(!messageOf([&] { decompress(packed.substr(0, 20), 784, "here"); }).empty());
    std::string flipped = packed;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 0x10);
    QVERIFY(!messageOf([&] { decompress(flipped, 784, "here"); }).empty());
    QVERIFY(compress({}).empty() && decompress({}, 0, "here").empty());
    QVERIFY(crc(0, std::string_view("a")) != crc(0, std::string_view("b")));
    QCOMPARE(crc(crc(0, std::string_view("12345")), std::string_view("6789")),
             std::int64_t{0xCBF43926});  // the check value of CRC-32
    QCOMPARE(crc(5, BlobView{}), std::int64_t{5});
  }

  void alteredScoresAreNoticed() {
    std::int64_t run = 0;
    {
      auto store = RunStore::open(path_);
      run = addSampleRun(store, "s", 1);
    }
    {
      Connection db(path_, Connection::Mode::ReadWrite, 100ms);
      db.execute("UPDATE score_set SET scores = zeroblob(1600) WHERE detector = 'knn'");
      db.execute("UPDATE curve SET y = zeroblob(length(y)) WHERE detector = 'msp'");
      db.execute("UPDATE image_pair SET width = 29");
      db.execute("UPDATE run SET summary = '{'");
    }
    auto store = RunStore::open(path_);
    QVERIFY(store.scores(run, "msp", "", "fashion-mnist", false));
    QVERIFY(contains(messageOf([&] { store.scores(run, "knn", "", "fashion-mnist", false); }),
                     "checksum"));
    QVERIFY(contains(messageOf([&] { store.curves(run); }), "checksum"));
    QVERIFY(contains(messageOf([&] { store.imagePairs(run); }), "damaged"));
    QVERIFY(contains(messageOf([&] { store.runs(true); }), "not JSON"));
  }

  void timesAndIdentifiers() {
    const std::string now = utcNow();
    QCOMPARE(now.size(), std::size_t{24});
    const auto parsed = QDateTime::fromString(QString::fromStdString(now), Qt::ISODateWithMs);
    QVERIFY(parsed.isValid());
    QVERIFY(std::abs(parsed.msecsTo(QDateTime::currentDateTimeUtc())) < 5000);
    QVERIFY(utcBefore(10) < now);
    std::set<std::string> seen;
    for (int i = 0; i < 200; ++i) {
      const std::string uuid = newUuid();
      QVERIFY(isUuid(uuid));
      QVERIFY(uuid[8] == '-' && uuid[14] == '4' && contains("89ab", uuid.substr(19, 1)));
      seen.insert(uuid);
    }
    QCOMPARE(seen.size(), std::size_t{200});
    QVERIFY(!isUuid("../../etc") && !isUuid(std::string(36, '/')));
  }

  void workersAreToldApart() {
    const WorkerIdentity self = identify(::getpid());
    QVERIFY(isAlive(self));
    QVERIFY(!self.host.empty());
    WorkerIdentity recycled = self;
    recycled.start += "0";
    QVERIFY(!isAlive(recycled));
    QVERIFY(!isAlive({}));
    const pid_t child = samples::startChild([] { return 0; });
    siginfo_t info{};
    QCOMPARE(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
    QVERIFY(!isAlive(identify(child)));  // ended, but its parent has not asked for it yet
    QCOMPARE(samples::waitFor(child), 0);
    QVERIFY(!isAlive({child, {}, self.host}));
  }

  void resultRowsHaveTheAgreedKeys() {
    ResultRow row;
    row.detector = "msp";
    row.setting = "clean";
    row.out = "glyphs";
    row.auroc = 0.5;
    std::vector<std::string> keys;
    const Json json = row.toJson();
    for (const auto& [key, value] : json.items()) keys.push_back(key);
    QCOMPARE(keys, (std::vector<std::string>{"detector", "attack", "setting", "out", "auroc",
                                             "aupr_out", "aupr_in", "fpr95_id", "fpr95_ood",
                                             "tnr95", "detection_accuracy", "n_in", "n_out",
                                             "ci_low", "ci_high"}));
    QVERIFY(row.toJson().at("attack").is_null());
    row.attack = "pgd";
    QCOMPARE(row.toJson().at("attack").get<std::string>(), std::string("pgd"));
  }

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  fs::path root_, path_;
};

QTEST_GUILESS_MAIN(TestStoreSchema)
#include "tst_store_schema.moc"
