// The models behind the data list, the jobs dock and the log dock.
#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include "ui/bridge/experiment_draft.h"
#include "ui/models/dataset_model.h"
#include "ui/models/job_table_model.h"
#include "ui/models/log_model.h"

using namespace bulwark;

namespace {

DatasetEntry entry(const char* name, bool installed, bool generated = false) {
  DatasetEntry made;
  made.info.name = name;
  made.info.title = std::string("The ") + name;
  made.info.summary = "pictures of things";
  made.info.generated = generated;
  made.status.installed = installed;
  made.statusKnown = true;
  return made;
}

JobRecord job(std::int64_t id, RunState state) {
  JobRecord record;
  record.id = id;
  record.run = 100 + id;
  record.name = "job " + std::to_string(id);
  record.state = state;
  return record;
}

QStringList column(const QAbstractItemModel& model, int column) {
  QStringList texts;
  for (int row = 0; row < model.rowCount(); ++row) {
    texts << model.index(row, column).data().toString();
  }
  return texts;
}

using Reporting = QAbstractItemModelTester::FailureReportingMode;

}  // namespace

class TestShellModels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void setsAreSortedAndFiltered() {
    DatasetModel model;
    DatasetFilter filter;
    filter.setSourceModel(&model);
    const QAbstractItemModelTester tester(&model, Reporting::Fatal);
    const QAbstractItemModelTester proxyTester(&filter, Reporting::Fatal);
    model.setEntries({entry("noise", false, true), entry("cifar10", false), entry("mnist", true)});
    QCOMPARE(column(filter, 0), QStringList({"The mnist", "The noise", "The cifar10"}));
    filter.setInstalledOnly(true);
    QCOMPARE(column(filter, 0), QStringList({"The mnist", "The noise"}));
    filter.setWords(QStringLiteral("NOI thing"));
    QCOMPARE(column(filter, 0), QStringList({"The noise"}));
    filter.setWords({});
    filter.setInstalledOnly(false);
    DatasetStatus now;
    now.installed = true;
    model.setStatus(QStringLiteral("cifar10"), now);
    QCOMPARE(column(filter, 0), QStringList({"The cifar10", "The mnist", "The noise"}));
    QCOMPARE(model.indexOf(QStringLiteral("mnist")).row(), 2);
    QVERIFY(!model.find(QStringLiteral("absent")));
  }

  void anOwnSetIsNamedByItsPath() {
    DatasetEntry own = entry("leaves", true);
    own.own = true;
    own.path = QStringLiteral("/data/leaves");
    own.info.format = "folder";
    QCOMPARE(own.request().dump(),
             std::string(R"({"path":"/data/leaves","format":"folder","label":"leaves"})"));
    QCOMPARE(entry("mnist", true).request().dump(), std::string(R"({"dataset":"mnist"})"));
  }

  void jobsKeepTheirRows() {
    JobTableModel model;
    const QAbstractItemModelTester tester(&model, Reporting::Fatal);
    model.setJobs({job(2, RunState::Running), job(1, RunState::Done)});
    const QPersistentModelIndex first = model.index(1, 0);
    QSignalSpy reset(&model, &JobTableModel::modelReset);
    model.setJobs({job(3, RunState::Queued), job(2, RunState::Running), job(1, RunState::Done)});
    QVERIFY(first.isValid());
    QCOMPARE(first.row(), 2);
    QCOMPARE(reset.size(), 0);
    model.setJobs({job(3, RunState::Queued), job(1, RunState::Done)});
    QCOMPARE(first.row(), 1);
    QCOMPARE(model.rowOf(2), -1);
    QCOMPARE(model.index(0, JobTableModel::State).data().toString(), QStringLiteral("Queued"));
  }

  void progressIsShownAtOnce() {
    JobTableModel model;
    const QAbstractItemModelTester tester(&model, Reporting::Fatal);
    model.setJobs({job(1, RunState::Running)});
    QCOMPARE(model.index(0, 0).data(JobTableModel::FractionRole).toDouble(), -1.0);
    ProgressUpdate update;
    update.phase = "pgd on knn";
    update.done = 30;
    update.total = 120;
    update.unit = "images";
    update.rate = 4.5;
    update.secondsLeft = 20;
    model.setProgress(1, update);
    model.setProgress(99, update);  // gone meanwhile
    QCOMPARE(model.index(0, 0).data(JobTableModel::FractionRole).toDouble(), 0.25);
    QCOMPARE(model.index(0, JobTableModel::Phase).data().toString(), QStringLiteral("pgd on knn"));
    QVERIFY(model.index(0, JobTableModel::Rate).data().toString().startsWith(u"4"));
    QVERIFY(!model.index(0, JobTableModel::Left).data().toString().isEmpty());
  }

  void aFailedJobShowsItsReason() {
    JobTableModel model;
    JobRecord failed = job(1, RunState::Failed);
    failed.error = "out of memory";
    failed.phase = "train";
    model.setJobs({failed});
    QCOMPARE(model.index(0, JobTableModel::Phase).data().toString(),
             QStringLiteral("out of memory"));
  }

  void logLinesAreFiltered() {
    LogModel model;
    LogFilter filter;
    filter.setSourceModel(&model);
    const QAbstractItemModelTester tester(&model, Reporting::Fatal);
    const QAbstractItemModelTester proxyTester(&filter, Reporting::Fatal);
    model.append({{1, "2026-01-01T00:00:00Z", "debug", "detail"},
                  {2, "2026-01-01T00:00:01Z", "info", "epoch 1"},
                  {3, "2026-01-01T00:00:02Z", "error", "disk full"}});
    QCOMPARE(column(filter, LogModel::Text), QStringList({"epoch 1", "disk full"}));
    filter.setLeastSeverity(3);
    QCOMPARE(column(filter, LogModel::Text), QStringList({"disk full"}));
    filter.setLeastSeverity(0);
    filter.setText(QStringLiteral("EPOCH"));
    QCOMPARE(column(filter, LogModel::Text), QStringList({"epoch 1"}));
    model.clear();
    QCOMPARE(filter.rowCount(), 0);
  }

  void theDraftTellsOfEveryChangeOnce() {
    ExperimentDraft draft;
    QSignalSpy changed(&draft, &ExperimentDraft::changed);
    draft.setPart("/seed", 3);
    draft.setPart("/seed", 3);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(draft.seed(), quint64{3});
    QVERIFY(draft.addOut({{"dataset", "glyphs"}}));
    QVERIFY(!draft.addOut({{"dataset", "glyphs"}}));
    QVERIFY(draft.addOut({{"dataset", "noise-uniform"}}));
    draft.removeOut(0);
    QCOMPARE(draft.part("/data/out").dump(), std::string(R"([{"dataset":"noise-uniform"}])"));
    draft.removeOut(5);
    QCOMPARE(changed.size(), 4);
    draft.setPart("/classifier", Json());
    QVERIFY(draft.part("/classifier/network").is_null());
    const Json other = {{"name", "x"}, {"seed", 9}};
    draft.load(other);
    QCOMPARE(draft.specification().dump(), other.dump());
    QCOMPARE(draft.device(), QStringLiteral("auto"));
  }
};

QTEST_MAIN(TestShellModels)
#include "tst_shell_models.moc"
