#include <QtTest/QtTest>

#include <cmath>
#include <filesystem>
#include <limits>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/run_store.h"
#include "sample_runs.h"

using namespace bulwark;
namespace fs = std::filesystem;

/// Everything that is put comes back as it was, in order, and goes when its run goes.
class TestStore : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    QVERIFY(folder_->isValid());
    path_ = fs::path(folder_->path().toStdString()) / "runs.db";
  }

  void sampleRunComesBack() {
    auto store = RunStore::open(path_);
    const auto id = addSampleRun(store, "sample", 1);
    const RunRecord run = store.run(id);
    QCOMPARE(run.name, std::string("sample"));
    QVERIFY(run.state == RunState::Done);
    QVERIFY(run.created.size() == 24 && run.created.back() == 'Z');
    QVERIFY(run.started >= run.created && run.finished >= run.started);
    QCOMPARE(run.specification, samples::specification("sample", 1));
    QVERIFY(run.summary.at("accuracy_clean").get<double>() > 0.8);
    QCOMPARE(store.results(id).size(), std::size_t{32});
    QCOMPARE(store.curves(id).size(), std::size_t{32});
    QCOMPARE(store.scoreSets(id).size(), std::size_t{24});
    QCOMPARE(store.imagePairs(id, true).size(), std::size_t{144});
    QCOMPARE(store.datasets(id).size(), std::size_t{5});
    QCOMPARE(store.epochMetrics(id).size(), std::size_t{20});
    QCOMPARE(store.log(id).size(), std::size_t{10});
  }

 private:
  std::unique_ptr<QTemporaryDir> folder_;
  fs::path path_;
};

QTEST_GUILESS_MAIN(TestStore)
#include "tst_store.moc"
