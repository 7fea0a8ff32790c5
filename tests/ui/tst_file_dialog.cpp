// SQLite holds its locks by process and file: whatever opens and closes a database file in the
// window's process drops them, and the next program takes the write-ahead log away.
#include <QAbstractItemModel>
#include <QFile>
#include <QFileDialog>
#include <QProcess>
#include <QTimer>
#include <QTreeView>
#include <optional>

#include "core/data/catalogue.h"
#include "core/experiment/specification.h"
#include "ui/bridge/file_dialog.h"
#include "ui_support.h"

using namespace bulwark;
using bulwark::testing::Workbench;

namespace {

/// Gives the modal dialog time to look at its files, keeps what it listed, and gives up.
class Dismisser : public QObject {
 public:
  Dismisser() {
    timer_.setInterval(50);
    connect(&timer_, &QTimer::timeout, this, &Dismisser::look);
    timer_.start();
  }
  QStringList listed, types;
  QString folder;

 private:
  void look() {
    auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
    if (!dialog || ++looks_ < 12) return;
    folder = dialog->directory().absolutePath();
    const auto* view = dialog->findChild<QTreeView*>(QStringLiteral("treeView"));
    const QModelIndex root = view->rootIndex();
    for (int row = 0; row < view->model()->rowCount(root); ++row) {
      listed << view->model()->index(row, 0, root).data().toString();
      types << view->model()->index(row, 2, root).data().toString();
    }
    timer_.stop();
    dialog->reject();
  }

  QTimer timer_;
  int looks_ = 0;
};

/// Another program writes a run and closes the database again.
void deleteRun(const QString& database, std::int64_t run) {
  QProcess other;
  other.start(QStringLiteral(BULWARK_CLI),
              {QStringLiteral("runs"), QStringLiteral("delete"), QString::number(run),
               QStringLiteral("--db"), database});
  QVERIFY(other.waitForFinished(20000));
  QVERIFY2(other.exitCode() == 0, other.readAllStandardError().constData());
}

}  // namespace

class TestFileDialog : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_.emplace();
    store_.emplace(RunStore::open(file().toStdString()));
    first_ = samples::addSampleRun(*store_, "first", 1);
    second_ = samples::addSampleRun(*store_, "second", 2);
  }

  void whatOthersWriteIsSeenAfterADialog_data() {
    QTest::addColumn<int>("kind");
    QTest::newRow("save") << 0;
    QTest::newRow("open") << 1;
    QTest::newRow("folder") << 2;
  }

  void whatOthersWriteIsSeenAfterADialog() {
    QFETCH(int, kind);
    const QString title = QStringLiteral("Choose"), before = QDir::currentPath();
    QVERIFY(QDir::setCurrent(folder_->path()));
    Dismisser dismisser;
    DesktopDialogs dialogs;
    QString chosen;
    if (kind == 0) chosen = dialogs.saveFile(nullptr, title, QStringLiteral("a.png"), {});
    if (kind == 1) chosen = dialogs.openFile(nullptr, title, QStringLiteral("All files (*)"));
    if (kind == 2) chosen = dialogs.openFolder(nullptr, title);
    QDir::setCurrent(before);
    QVERIFY(chosen.isEmpty());
    QCOMPARE(QFileInfo(dismisser.folder).canonicalFilePath(),
             QFileInfo(folder_->path()).canonicalFilePath());
    if (kind != 2) {
      // The files were looked at: without an entry, this would prove nothing.
      const auto row = dismisser.listed.indexOf(QStringLiteral("runs.db"));
      QVERIFY2(row >= 0, qPrintable(dismisser.listed.join(u' ')));
      QCOMPARE(dismisser.types[row], QStringLiteral("DB file"));
      QVERIFY(dismisser.listed.contains(QStringLiteral("runs.db-shm")));
    }
    expectToSeeOthers();
  }

  /// The window opens the file that is open already, and others have a look at its name.
  void whatOthersWriteIsSeenAfterASecondLook() {
    { const RunStore again = RunStore::open(file().toStdString()); }
    QVERIFY_EXCEPTION_THROWN(Specification::readJson(file().toStdString()), Error);
    QVERIFY_EXCEPTION_THROWN(guessFormat(file().toStdString()), Error);
    QVERIFY_EXCEPTION_THROWN(guessFormat(folder_->path().toStdString()), Error);
    expectToSeeOthers();
  }

  /// Where locks are lost all the same, the window opens the database again.
  void theWindowRecoversFromLostLocks() {
    store_.reset();
    DatabaseService database;
    QSignalSpy opened(&database, &DatabaseService::opened);
    QSignalSpy failed(&database, &DatabaseService::failed);
    database.open(file());
    QVERIFY(opened.wait(10000));
    for (const char* suffix : {"", "-wal", "-shm"}) {
      QFile touched(file() + QLatin1String(suffix));
      QVERIFY(touched.open(QIODevice::ReadOnly));
    }
    QSignalSpy changed(&database, &DatabaseService::changed);
    deleteRun(file(), second_);
    QTRY_VERIFY_WITH_TIMEOUT(!changed.isEmpty(), 3000);
    std::size_t seen = 0;
    const auto count = [](RunStore& store) { return store.runs().size(); };
    database.run(this, count, [&](std::size_t found) { seen = found; });
    QTRY_COMPARE(seen, std::size_t{1});
    // The new connection has locks that hold, and what it writes arrives.
    database.run(
        this, [first = first_](RunStore& store) { store.setRunNote(first, "kept"); }, [] {});
    QTRY_VERIFY(RunStore::open(file().toStdString()).run(first_).note == "kept");
    QTest::qWait(400);
    changed.clear();
    deleteRun(file(), first_);
    QTRY_VERIFY_WITH_TIMEOUT(!changed.isEmpty(), 3000);
    database.run(this, count, [&](std::size_t found) { seen = found; });
    QTRY_COMPARE(seen, std::size_t{0});
    QCOMPARE(failed.size(), 0);
  }

 private:
  QString file() const { return folder_->filePath(QStringLiteral("runs.db")); }

  void expectToSeeOthers() {
    const auto version = store_->dataVersion();
    deleteRun(file(), second_);
    if (QTest::currentTestFailed()) return;
    QVERIFY(store_->dataVersion() != version);
    QCOMPARE(store_->runs().size(), std::size_t{1});
    QVERIFY(QFile::exists(file() + QStringLiteral("-shm")));
  }

  std::optional<QTemporaryDir> folder_;
  std::optional<RunStore> store_;
  std::int64_t first_ = 0, second_ = 0;
};

QTEST_MAIN(TestFileDialog)
#include "tst_file_dialog.moc"
