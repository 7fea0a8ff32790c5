// Attacks that are cut short, killed even, and go on: everything they return must be what an
// execution that was never disturbed returns, to the last bit.
#include <signal.h>

#include <QProcess>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <thread>

#include "core/attacks/attack.h"
#include "core/attacks/merge.h"
#include "core/attacks/resources.h"
#include "core/base/error.h"
#include "core/experiment/file_progress.h"
#include "core/nn/network.h"

using namespace bulwark;

namespace {

constexpr std::int64_t kImages = 70, kSide = 4;

torch::Tensor images() {
  Random random(Seed{3});
  auto made = torch::empty({kImages, 1, kSide, kSide});
  for (std::int64_t i = 0; i < made.numel(); ++i) {
    made.data_ptr<float>()[i] = static_cast<float>(0.1 + 0.8 * random.uniform());
  }
  return made;
}

/// A hilly function of the pixels, slower when asked; counts the images it has seen.
class Hills : public Objective {
 public:
  explicit Hills(int milliseconds = 0) : milliseconds_(milliseconds) {
    Random random(Seed{4});
    std::vector<float> weights;
    for (std::int64_t i = 0; i < kSide * kSide; ++i) {
      weights.push_back(static_cast<float>(random.normal()));
    }
    weights_ = torch::tensor(weights).reshape({1, 1, kSide, kSide});
  }

  Values evaluate(const torch::Tensor& points, const torch::Tensor&) override {
    seen += points.size(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds_));
    const auto guide = ((points * weights_).sin() + 0.3 * (9.0 * points).cos()).flatten(1).sum(1);
    return {guide, guide.detach()};
  }

  std::int64_t seen = 0;

 private:
  torch::Tensor weights_;
  int milliseconds_;
};

/// A classifier behind the score; counts the images it has seen.
class Behind : public Network {
 public:
  Behind() : Network({1, kSide, kSide, 2}) {
    registerNormalisation();
    Random random(Seed{6});
    std::vector<float> weights;
    for (std::int64_t i = 0; i < kSide * kSide * 3; ++i) {
      weights.push_back(static_cast<float>(random.normal()));
    }
    weights_ = torch::tensor(weights).reshape({kSide * kSide, 3});
  }
  torch::Tensor run(const torch::Tensor& batch, TapValues* taps) override {
    seen += batch.size(0);
    prepare(taps);
    const auto hidden = torch::tanh(torch::matmul(batch.flatten(1), weights_));
    keep(taps, "features", hidden);
    return hidden.slice(1, 0, 2);
  }
  std::vector<std::string> taps() const override { return {"features"}; }

  std::int64_t seen = 0;

 private:
  torch::Tensor weights_;
};

std::unique_ptr<Attack> makeAttack(const Json& options, const std::string& type = "pgd") {
  Registry<Attack> registry{"attack"};
  registerAttacks(registry);
  return registry.make(type, options, "");
}

std::unique_ptr<Attack> pgd() {
  return makeAttack({{"eps", 0.1}, {"steps", 5}, {"restarts", 2}});
}

torch::Tensor cleanValues() {
  Hills hills;
  return hills.judge(images(), torch::arange(kImages)).to(torch::kFloat64);
}

/// The value that half of the images reach at last: many leave early, at different times.
double bound() {
  Hills hills;
  Task task;
  AttackContext context{.batchSize = 16, .seed = Seed{5}, .task = task, .clean = cleanValues()};
  return pgd()->perturb(hills, images(), context).values.median().item<double>();
}

AttackContext contextFor(Task& task, AttackProgress* progress, bool saturate) {
  AttackContext context{.batchSize = 16, .seed = Seed{5}, .task = task, .clean = cleanValues()};
  if (saturate) context.saturation = bound();
  context.snapshotSamples = {0, 17, 50};
  context.snapshotSteps = {0, 1, 3, 10};
  context.progress = progress;
  return context;
}

AttackResult run(AttackProgress* progress, bool saturate, Control* control = nullptr,
                 Hills* counted = nullptr, int milliseconds = 0) {
  Hills own(milliseconds);
  Hills& hills = counted ? *counted : own;
  Task task(control);
  return pgd()->perturb(hills, images(), contextFor(task, progress, saturate));
}

/// Cancels when so many samples are committed; commits whenever it can.
class Interrupting : public FileProgress {
 public:
  Interrupting(const std::filesystem::path& folder, Control& control, int after)
      : FileProgress(folder, Seconds(0.0)), control_(control), left_(after) {}
  bool due() override { return true; }
  void commit(const std::vector<FinishedSample>& samples,
              const std::vector<std::uint8_t>& settled) override {
    FileProgress::commit(samples, settled);
    left_ -= static_cast<int>(samples.size());
    if (left_ <= 0) control_.cancel();
  }

 private:
  Control& control_;
  int left_;
};

bool same(const torch::Tensor& a, const torch::Tensor& b) {
  return a.defined() == b.defined() && (!a.defined() || torch::equal(a, b));
}

void compare(const AttackResult& a, const AttackResult& b) {
  QVERIFY(same(a.images, b.images));
  QVERIFY(same(a.values, b.values));
  QVERIFY(same(a.saturated, b.saturated));
  QVERIFY(same(a.zeroGradient, b.zeroGradient));
  QVERIFY(same(a.snapshots, b.snapshots));
  QVERIFY(same(a.snapshotValues, b.snapshotValues));
  QVERIFY(a.trajectory == b.trajectory);
  QVERIFY(same(a.distances, b.distances));
  QCOMPARE(a.forwards, b.forwards);
  QCOMPARE(a.backwards, b.backwards);
  QCOMPARE(a.improvements.size(), b.improvements.size());
  for (std::size_t i = 0; i < a.improvements.size(); ++i) {
    QCOMPARE(a.improvements[i].size(), b.improvements[i].size());
    for (std::size_t k = 0; k < a.improvements[i].size(); ++k) {
      QCOMPARE(a.improvements[i][k].time, b.improvements[i][k].time);
      QCOMPARE(a.improvements[i][k].value, b.improvements[i][k].value);
    }
  }
}

std::filesystem::path pathOf(const QTemporaryDir& folder) {
  return std::filesystem::path(folder.path().toStdString()) / "progress";
}

}  // namespace

class TestResume : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aCutShortAttackEndsTheSame_data() {
    QTest::addColumn<bool>("saturate");
    QTest::addColumn<int>("samples");
    for (const bool saturate : {false, true}) {
      for (const int samples : {1, 20, 50}) {
        QTest::addRow("%s, after %d images", saturate ? "saturation" : "all steps", samples)
            << saturate << samples;
      }
    }
  }

  void aCutShortAttackEndsTheSame() {
    QFETCH(bool, saturate);
    QFETCH(int, samples);
    Hills undisturbed;
    const auto whole = run(nullptr, saturate, nullptr, &undisturbed);
    if (saturate) {
      const auto early = whole.saturated.sum().item<std::int64_t>();
      QVERIFY2(early > 10 && early < kImages - 10, qPrintable(QString::number(early)));
    }
    QTemporaryDir folder;
    Control control;
    Interrupting cut(pathOf(folder), control, samples);
    QVERIFY_EXCEPTION_THROWN(run(&cut, saturate, &control), Error);
    // Cut short once more while it resumes, then left alone.
    Control second;
    Interrupting again(pathOf(folder), second, 1);
    try {
      run(&again, saturate, &second);
    } catch (const Error& error) {
      QVERIFY(error.kind() == Error::Kind::Cancelled);
    }
    Hills resumed;
    FileProgress progress(pathOf(folder));
    compare(run(&progress, saturate, nullptr, &resumed), whole);
    // What is still to be found begins at most one batch of images before the interruption.
    const bool beyondTheFirstBatch = samples == 50;
    QVERIFY2(resumed.seen < undisturbed.seen || !beyondTheFirstBatch,
             qPrintable(QString("%1 of %2").arg(resumed.seen).arg(undisturbed.seen)));
    progress.discard();
    QVERIFY(!std::filesystem::exists(pathOf(folder)));
  }

  void everyWalkerCanBeResumed_data() {
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("options");
    QTest::newRow("apgd") << "apgd"
                          << R"({"eps": 0.1, "steps": 10})";
    QTest::newRow("pgd l2") << "pgd"
                            << R"({"eps": 0.3, "norm": "l2", "steps": 6, "momentum": 0.9})";
    QTest::newRow("bim_b") << "bim_b"
                           << R"({"eps": 0.1, "steps": 8})";
    QTest::newRow("square") << "square"
                            << R"({"eps": 0.1, "queries": 25})";
    QTest::newRow("simba") << "simba"
                           << R"({"eps": 0.1, "queries": 25})";
    for (const char* bounded : {"true", "false"}) {
      const auto search = [&](const char* type, const char* options) {
        QTest::addRow("%s, bounded %s", type, bounded)
            << type << QString(R"({"bounded": %1, %2})").arg(bounded, options);
      };
      search("cw_l2", R"("eps": 0.3, "steps": 12, "searches": 2)");
      search("deepfool", R"("eps": 0.1, "steps": 8)");
      search("fab", R"("eps": 0.1, "steps": 5, "restarts": 2)");
      search("fab_t", R"("eps": 0.1, "steps": 5)");
    }
    QTest::newRow("jsma") << "jsma"
                          << R"({"gamma": 0.6})";
    QTest::newRow("a3") << "a3"
                        << R"({"eps": 0.1})";
    QTest::newRow("random_search") << "random_search"
                                   << R"({"eps": 0.1, "draws": 12})";
  }

  void everyWalkerCanBeResumed() {
    QFETCH(QString, type);
    QFETCH(QString, options);
    const auto attack = makeAttack(Json::parse(options.toStdString()), type.toStdString());
    const auto clean = cleanValues();
    for (const bool saturate : {false, true}) {
      Behind behind;  // whose features lead A3; the others do not ask for it
      const AttackResources resources{.classifier = &behind, .labels = {}, .source = {}};
      const auto run = [&](AttackProgress* progress, Control* control, Hills& hills) {
        Task task(control);
        auto context = contextFor(task, progress, saturate);
        context.thresholds = {clean.median().item<double>(), clean.max().item<double>()};
        context.resources = &resources;
        return attack->perturb(hills, images(), context);
      };
      Hills undisturbed, cut, resumed;
      const auto whole = run(nullptr, nullptr, undisturbed);
      if (type == "a3") {
        QVERIFY(behind.seen > 0);
        QCOMPARE(whole.forwards, undisturbed.seen + behind.seen);  // not one more, not one less
      }
      for (const int samples : {20, 45}) {
        QTemporaryDir folder;
        Control control;
        Interrupting interrupting(pathOf(folder), control, samples);
        QVERIFY_EXCEPTION_THROWN(run(&interrupting, &control, cut), Error);
        FileProgress progress(pathOf(folder));
        resumed.seen = 0;
        compare(run(&progress, nullptr, resumed), whole);
      }
      QVERIFY2(resumed.seen < undisturbed.seen,
               qPrintable(QString("%1 of %2").arg(resumed.seen).arg(undisturbed.seen)));
    }
  }

  void nothingIsDoneTwice() {
    QTemporaryDir folder;
    Control never;
    Interrupting all(pathOf(folder), never, 1 << 20);
    const auto whole = run(&all, true);
    Hills resumed;
    FileProgress progress(pathOf(folder));
    compare(run(&progress, true, nullptr, &resumed), whole);
    QCOMPARE(resumed.seen, 0);
  }

  void anEnsembleResumesInEachMember() {
    const auto ensemble = [](AttackProgress* progress, Control* control, Hills& hills) {
      Task task(control);
      const auto base = images();
      const auto context = contextFor(task, progress, true);
      WorstOf worst("both", hills, base, context);
      for (const char* name : {"first", "second"}) {
        worst.add(name,
                  [](Objective& objective, const torch::Tensor& set, const AttackContext& around) {
                    return pgd()->perturb(objective, set, around);
                  });
      }
      return worst.take();
    };
    Hills hills;
    const auto whole = ensemble(nullptr, nullptr, hills);
    QCOMPARE(whole.propagations.size(), whole.trajectory.size());
    const auto times = static_cast<std::int64_t>(whole.trajectory.size()) - 1;
    QVERIFY(meanTrajectory(whole.improvements, times) == whole.trajectory);
    for (const int samples : {20, 90}) {
      QTemporaryDir folder;
      Control control;
      Interrupting cut(pathOf(folder), control, samples);
      QVERIFY_EXCEPTION_THROWN(ensemble(&cut, &control, hills), Error);
      Hills resumed;
      FileProgress progress(pathOf(folder));
      compare(ensemble(&progress, nullptr, resumed), whole);
    }
  }

  void anotherAttackTakesNothingOver() {
    QTemporaryDir folder;
    Control never;
    Interrupting all(pathOf(folder), never, 1 << 20);
    run(&all, false);
    const auto other = makeAttack({{"eps", 0.05}, {"steps", 5}, {"restarts", 2}});
    const auto attack = [&](AttackProgress* progress) {
      Hills hills;
      Task task;
      return other->perturb(hills, images(), contextFor(task, progress, false));
    };
    FileProgress progress(pathOf(folder));
    compare(attack(&progress), attack(nullptr));
    QVERIFY(!std::filesystem::exists(pathOf(folder) / "0-0.safetensors"));
    QCOMPARE(progress.earlierSeconds(), 0.0);
  }

  void theTimeOfEarlierExecutionsIsKept() {
    QTemporaryDir folder;
    Control never;
    {
      Interrupting first(pathOf(folder), never, 1 << 20);
      QCOMPARE(first.earlierSeconds(), 0.0);
      run(&first, true);
    }
    double before = 0.0;
    {
      Interrupting second(pathOf(folder), never, 1 << 20);
      before = second.earlierSeconds();
      QVERIFY(before > 0.0 && before < 100.0);
      QVERIFY(!second.begin("of another attack").samples.size());
      QCOMPARE(second.earlierSeconds(), 0.0);
    }
    // As written before times were kept.
    std::filesystem::remove(pathOf(folder) / "seconds");
    QCOMPARE(FileProgress(pathOf(folder)).earlierSeconds(), 0.0);
  }

  void aKilledProcessIsResumed() {
    QTemporaryDir folder;
    QProcess child;
    child.start(QCoreApplication::applicationFilePath(), {"--attack", folder.path()});
    QVERIFY(child.waitForStarted());
    QTRY_VERIFY_WITH_TIMEOUT(std::filesystem::exists(pathOf(folder) / "0-1.safetensors"), 20000);
    ::kill(static_cast<pid_t>(child.processId()), SIGKILL);
    QVERIFY(child.waitForFinished());
    QCOMPARE(child.exitStatus(), QProcess::CrashExit);
    Hills undisturbed, resumed;
    const auto whole = run(nullptr, false, nullptr, &undisturbed);
    FileProgress progress(pathOf(folder));
    compare(run(&progress, false, nullptr, &resumed), whole);
    QVERIFY(resumed.seen > 0 && resumed.seen < undisturbed.seen);
  }
};

int main(int count, char** arguments) {
  torch::set_num_threads(1);
  QCoreApplication application(count, arguments);
  if (count == 3 && QString(arguments[1]) == "--attack") {
    Control never;
    Interrupting progress(std::filesystem::path(arguments[2]) / "progress", never, 1 << 20);
    run(&progress, false, nullptr, nullptr, 30);
    return 0;
  }
  TestResume test;
  return QTest::qExec(&test, count, arguments);
}

#include "tst_resume.moc"
