// The command line as a user or a script meets it: words, exit codes, output, and what survives a
// killed worker. Drives the built program.
#include <signal.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

namespace {

struct Outcome {
  int code = -1;
  QByteArray out;
  QString error;
};

QProcessEnvironment environment() {
  auto variables = QProcessEnvironment::systemEnvironment();
  variables.insert("OMP_WAIT_POLICY", "passive");
  return variables;
}

Outcome call(const QStringList& arguments, int timeout = 120000,
             const QProcessEnvironment& variables = environment()) {
  QProcess process;
  process.setProcessEnvironment(variables);
  process.start(BULWARK_CLI, arguments);
  if (!process.waitForFinished(timeout)) {
    process.kill();
    process.waitForFinished();
    return {-1, {}, "timed out"};
  }
  return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
          process.readAllStandardOutput(), QString::fromUtf8(process.readAllStandardError())};
}

QJsonDocument json(const QByteArray& text) {
  return QJsonDocument::fromJson(text);
}

QString specification(int epochs, int steps, int trainLimit = 600) {
  return QString(R"({
    "name": "cli", "threads": 1,
    "data": {"in": {"dataset": "glyphs", "train_limit": %3, "test_limit": 80},
             "out": [{"dataset": "noise-uniform", "test_limit": 80}]},
    "classifier": {"network": "lenet5", "recipe": {"type": "standard", "epochs": %1}},
    "detectors": [{"type": "msp"}, {"type": "energy"}, {"type": "knn", "k": 5}],
    "attacks": [{"type": "pgd", "steps": %2}],
    "evaluation": {"bootstrap": 100, "image_pairs": 2, "rank_saturation": false}
  })")
      .arg(epochs)
      .arg(steps)
      .arg(trainLimit);
}

}  // namespace

class TestCli : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    db_ = folder_->filePath("runs.db");
  }

  void listsAndDescribes() {
    for (const char* kind :
         {"datasets", "networks", "recipes", "detectors", "attacks", "metrics", "presets"}) {
      const auto outcome = call({"list", kind, "--json"});
      QCOMPARE(outcome.code, 0);
      const auto items = json(outcome.out).array();
      QVERIFY2(!items.isEmpty(), kind);
      for (const auto& item : items) {
        QVERIFY(!item.toObject().value("name").toString().isEmpty());
        QVERIFY(!item.toObject().value("summary").toString().isEmpty());
        QCOMPARE(item.toObject().contains("installed"), QString(kind) == "datasets");
      }
    }
    const auto pgd = call({"describe", "attack", "pgd", "--json"});
    QCOMPARE(pgd.code, 0);
    QVERIFY(json(pgd.out).object().value("options").toArray().size() >= 4);
    const auto exposure = json(call({"describe", "recipe", "outlier_exposure", "--json"}).out);
    QVERIFY(exposure.object().value("traits").toArray().contains("needs an open set"));
    QStringList keys;
    for (const auto& option : exposure.object().value("options").toArray()) {
      keys << option.toObject().value("key").toString();
    }
    for (const char* key : {"lambda", "open_per_image", "tuning_epochs", "epochs"}) {
      QVERIFY2(keys.contains(key), key);
    }
    const auto network = call({"describe", "network", "lenet5"});
    QCOMPARE(network.code, 0);
    QVERIFY2(network.out.contains("\nlayers: relu1, conv1, relu2, conv2, fc1, features\n"),
             network.out.constData());
    const auto deep = json(call({"describe", "network", "vgg16", "--json"}).out).object();
    QCOMPARE(deep.value("layers").toArray().size(), 20);
    QVERIFY(deep.contains("options"));
    const auto typo = call({"describe", "attack", "pdg"});
    QCOMPARE(typo.code, 2);
    QVERIFY2(typo.error.contains("did you mean 'pgd'"), qPrintable(typo.error));
    QCOMPARE(call({"list", "everything"}).code, 2);
    const auto unknown = call({"no-such-verb"});
    QCOMPARE(unknown.code, 2);
    QVERIFY2(unknown.error.contains("no command 'no-such-verb'") && unknown.error.contains("bench"),
             qPrintable(unknown.error));
    QCOMPARE(call({"--version"}).code, 0);
  }

  /// Not after the training: at once, and nothing is recorded.
  void refusesWhatCouldOnlyFailLater() {
    const auto file = folder_->filePath("spec.json");
    const auto refused = [&](const QStringList& sets) {
      QStringList arguments{"run", file, "--db", db_, "--data", folder_->path()};
      for (const auto& set : sets) arguments << "--set" << set;
      const auto outcome = call(arguments);
      return outcome.code == 2 ? outcome.error : QString("code %1").arg(outcome.code);
    };
    QFile spec(file);
    QVERIFY(spec.open(QIODevice::WriteOnly));
    spec.write(specification(5000, 1000).toUtf8());
    spec.close();
    const auto layer = refused({R"(detectors[0]={"type": "svdd", "layer": "conv9"})"});
    QVERIFY2(layer.contains("detectors[0].layer") && layer.contains("relu1, conv1"),
             qPrintable(layer));
    // notMNIST has test images only.
    QVERIFY(QDir(folder_->path()).mkpath("notmnist"));
    for (const auto& [name, bytes] :
         {std::pair{"images-idx3", QByteArray::fromHex("00000803000000020000001c0000001c")},
          std::pair{"labels-idx1", QByteArray::fromHex("00000801000000020102")}}) {
      QFile part(folder_->filePath(QString("notmnist/t10k-%1-ubyte").arg(name)));
      QVERIFY(part.open(QIODevice::WriteOnly));
      part.write(bytes);
      if (part.fileName().contains("images")) part.write(QByteArray(2 * 784, 7));
    }
    const auto open = refused({R"(data.open={"dataset": "notmnist"})",
                               R"(classifier.recipe={"type": "outlier_exposure"})"});
    QVERIFY2(open.contains("data.open") && open.contains(R"("split": "test")"), qPrintable(open));
    QVERIFY(!QFile::exists(db_));
  }

  void saysWhatToPutWhere() {
    const QString folder = folder_->path();
    QVERIFY(QDir(folder).mkpath("mnist"));
    write("mnist/t10k-images-idx3-ubyte", "not an image");
    auto variables = environment();  // without the data sets of this machine
    variables.remove("BULWARK_DATA");
    variables.insert("XDG_DATA_HOME", "/nowhere");
    const auto outcome = call({"data", "where", "--data", folder}, 120000, variables);
    QCOMPARE(outcome.code, 0);
    const QString text = QString::fromUtf8(outcome.out);
    QCOMPARE(text.count(folder), 2);  // among those searched, and where half of a set was found
    QVERIFY2(text.contains("Found " + folder + "/mnist, without "), qPrintable(text));
    int absent = 0;
    for (const QString& entry : text.split("\n\n").mid(1)) {
      const QStringList lines = entry.trimmed().split('\n');
      QVERIFY2(lines[0].contains(": "), qPrintable(entry));
      if (!lines[0].endsWith("not installed")) continue;
      ++absent;
      // One sentence or more that tell what to do, and the home page once.
      static const QRegularExpression order("^  (Put|Unpack|Convert|Install|Sort|Cut) .*\\.$");
      QVERIFY2(lines[1].contains(order), qPrintable(entry));
      QVERIFY2(lines.last().startsWith("  Home page: http"), qPrintable(entry));
      QCOMPARE(entry.count(lines.last().mid(13)), 1);
      QVERIFY2(!entry.contains("Searched"), qPrintable(entry));
    }
    QVERIFY(absent > 20);
  }

  void refusesWhatIsNoNumber_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("says");
    const QString run =
        " is no run number; a whole number from 1 on, as 'bulwark-cli runs list' "
        "shows them";
    QTest::newRow("health") << QStringList{"runs", "health", "abc"}
                            << "error: bulwark-cli runs health: 'abc'" + run;
    QTest::newRow("show") << QStringList{"runs", "show", "1.5"}
                          << "error: bulwark-cli runs show: '1.5'" + run;
    QTest::newRow("delete") << QStringList{"runs", "delete", "0"}
                            << "error: bulwark-cli runs delete: '0'" + run;
    QTest::newRow("huge") << QStringList{"runs", "show", "99999999999999999999"}
                          << "error: bulwark-cli runs show: '99999999999999999999'" + run;
    QTest::newRow("compare") << QStringList{"runs", "compare", "1", "x"}
                             << "error: bulwark-cli runs compare: 'x'" + run;
    QTest::newRow("export") << QStringList{"export", "1", "last", "--output", "t.csv"}
                            << "error: bulwark-cli export: 'last'" + run;
    QTest::newRow("job") << QStringList{"queue", "cancel", "1x"}
                         << "error: bulwark-cli queue cancel: '1x' is no job number";
    QTest::newRow("worker") << QStringList{"work", "--job", "q"}
                            << "error: bulwark-cli work: 'q' is no job number";
    QTest::newRow("none") << QStringList{"runs", "health"} << "error: run is required; '--help'";
  }

  void refusesWhatIsNoNumber() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, says);
    const auto outcome = call(arguments + QStringList{"--db", db_});
    QCOMPARE(outcome.code, 2);
    QVERIFY2(outcome.error.startsWith(says), qPrintable(outcome.error));
    QVERIFY(!QFile::exists(db_));
  }

  void runsASpecification() {
    const QString file = write("spec.json", specification(1, 4));
    const auto outcome = call({"run", file, "--db", db_, "--json", "--set", "attacks[0].eps=4/255",
                               "--set", "evaluation.health_thresholds={\"H24\": 0.9}"});
    QVERIFY2(outcome.code == 0, qPrintable(outcome.error));
    const auto document = json(outcome.out).object();
    for (const char* key :
         {"run", "specification", "environment", "timings", "accuracy_clean", "results"}) {
      QVERIFY2(document.contains(key), key);
    }
    QCOMPARE(document["results"].toArray().size(), 3 * 4);
    const auto row = document["results"].toArray()[0].toObject();
    for (const char* key :
         {"detector", "attack", "setting", "out", "auroc", "aupr_out", "aupr_in", "fpr95_id",
          "fpr95_ood", "tnr95", "detection_accuracy", "n_in", "n_out", "ci_low", "ci_high"}) {
      QVERIFY2(row.contains(key), key);
    }
    QVERIFY(row["attack"].isNull());
    QCOMPARE(
        document["specification"].toObject()["attacks"].toArray()[0].toObject()["eps"].toString(),
        QString("4/255"));
    QCOMPARE(call({"runs", "list", "--db", db_}).code, 0);
    QVERIFY(call({"runs", "show", "1", "--db", db_}).out.contains("msp"));
    QCOMPARE(call({"runs", "show", "7", "--db", db_}).code, 2);
    // Limits that were changed are told wherever the verdicts are.
    const QByteArray changed = "not the published ones: H24 amber 0.9 instead of 0.05";
    QVERIFY(document["health"].toString().contains(changed));
    for (const QStringList& command : {QStringList{"runs", "show", "1"},
                                       {"runs", "health", "1"},
                                       {"runs", "health", "1", "--json"}}) {
      const auto told = call(command + QStringList{"--db", db_});
      QVERIFY2(told.out.contains(changed), told.out.constData());
    }
    exportsWhereItIsTold();
    QCOMPARE(call({"runs", "delete", "1", "--db", db_}).code, 0);
    QCOMPARE(call({"runs", "delete", "1", "--db", db_}).code, 2);
  }

  void refusesBadInput_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("says");
    QTest::newRow("no specification") << QStringList{} << "--preset";
    QTest::newRow("missing file") << QStringList{"nowhere.json"} << "nowhere.json";
    QTest::newRow("bad set") << QStringList{"--preset", "demo", "--set", "steps"} << "path=value";
    QTest::newRow("unknown preset") << QStringList{"--preset", "dmo"} << "demo";
    QTest::newRow("bad epsilon") << QStringList{"--preset", "demo", "--set",
                                                "attacks[0].eps=8/256x"}
                                 << "attacks[0].eps";
    QTest::newRow("unknown device")
        << QStringList{"--preset", "demo", "--device", "cuda:99"} << "cpu";
  }

  void refusesBadInput() {
    QFETCH(QStringList, arguments);
    QFETCH(QString, says);
    const auto outcome = call(QStringList{"run", "--db", db_} + arguments);
    QCOMPARE(outcome.code, 2);
    QVERIFY2(outcome.error.contains(says), qPrintable(outcome.error));
    QVERIFY2(outcome.error.startsWith("error: ") || outcome.error.contains("error: "),
             qPrintable(outcome.error));
    QVERIFY2(!QFile::exists(db_), "nothing is recorded of what cannot run");
  }

  void refusesABadDatabase() {
    const QString file = write("spec.json", specification(1, 2));
    const QString text = write("text.db", "this is not a database, whatever its name says\n");
    const auto notOne = call({"run", file, "--db", text});
    QCOMPARE(notOne.code, 2);
    QVERIFY2(notOne.error.contains("text.db"), qPrintable(notOne.error));
    QFile same(text);
    QVERIFY(same.open(QIODevice::ReadOnly));
    QVERIFY(same.readAll().startsWith("this is not"));
    QCOMPARE(call({"runs", "list", "--db", folder_->filePath("absent.db")}).code, 2);
    QVERIFY(!QFile::exists(folder_->filePath("absent.db")));
  }

  void aJobForEverySeed() {
    const QString file = write("spec.json", specification(1, 3));
    const auto added = call(
        {"queue", "add", file, "--seeds", "0-2,7", "--set", "attacks[0].steps=4", "--db", db_});
    QCOMPARE(added.code, 0);
    QCOMPARE(added.out.trimmed().split('\n').size(), 4);
    for (const auto& [run, seed] : {std::pair{"1", 0}, std::pair{"3", 2}, std::pair{"4", 7}}) {
      const auto document = json(call({"runs", "show", run, "--json", "--db", db_}).out).object();
      const QJsonObject stored = document["specification"].toObject();
      QCOMPARE(stored["seed"].toInt(), seed);
      QCOMPARE(stored["attacks"].toArray()[0].toObject()["steps"].toInt(), 4);
    }
    for (const char* wrong : {"4-2", "1,1", "a", "0-5000", "1,"}) {
      const auto refused = call({"queue", "add", file, QString("--seeds=") + wrong, "--db", db_});
      QVERIFY2(refused.code == 2 && refused.error.contains("names no seeds"), wrong);
    }
  }

  void aKilledWorkerLosesNothing_data() {
    QTest::addColumn<QString>("killAt");
    QTest::addColumn<int>("count");
    QTest::addColumn<bool>("exposed");
    QTest::newRow("in training") << "metric" << 3 << false;
    QTest::newRow("in tuning with outliers") << "metric" << 17 << true;  // five are an epoch's
    QTest::newRow("in clean scoring") << "scores" << 1 << false;
    QTest::newRow("in an attack") << "scores" << 4 << false;
  }

  void aKilledWorkerLosesNothing() {
    QFETCH(QString, killAt);
    QFETCH(int, count);
    QFETCH(bool, exposed);
    QString text = specification(3, 10);
    if (exposed) {
      text.replace("\"standard\"", "\"outlier_exposure\", \"tuning_epochs\": 4");
      text.replace("\"out\":", "\"open\": {\"dataset\": \"noise-gaussian\"}, \"out\":");
    }
    const QString file = write("spec.json", text);
    QCOMPARE(call({"queue", "add", file, "--db", db_}).code, 0);
    QCOMPARE(call({"queue", "add", file, "--db", db_}).code, 0);
    QCOMPARE(call({"work", "--job", "1", "--db", db_}).code, 0);

    QVERIFY(killWorkerAt("2", killAt, count));
    for (const auto& run : json(call({"runs", "list", "--json", "--db", db_}).out).array()) {
      const bool killed = run.toObject()["run"].toInt() == 2;
      QCOMPARE(run.toObject()["state"].toString(), QString(killed ? "interrupted" : "done"));
    }
    const auto jobs = json(call({"queue", "list", "--json", "--db", db_}).out).array();
    QCOMPARE(jobs[0].toObject()["state"].toString(), QString("interrupted"));
    QCOMPARE(call({"queue", "retry", "2", "--db", db_}).code, 0);
    const auto start = call({"queue", "start", "--db", db_});
    QCOMPARE(start.code, 0);
    // Progress goes to standard error, in words.
    QCOMPARE(start.out.size(), 0);
    QVERIFY2(start.error.contains("job 2: done") && start.error.contains("metrics"),
             qPrintable(start.error));

    QCOMPARE(results("2"), results("1"));
    QVERIFY(results("1").size() > 0);
  }

  void aCancelStopsWithinHalfASecond() {
    const QString file = write("spec.json", specification(400, 4, 4000));
    QCOMPARE(call({"queue", "add", file, "--db", db_}).code, 0);
    QProcess worker;
    worker.setProcessEnvironment(environment());
    worker.start(BULWARK_CLI, {"work", "--job", "1", "--db", db_});
    QVERIFY(waitFor(worker, "progress", "train", 1));
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(::kill(static_cast<pid_t>(worker.processId()), SIGTERM), 0);
    QVERIFY(worker.waitForFinished(10000));
    qInfo("stopped after %lld ms", static_cast<long long>(timer.elapsed()));
    // Half a second is the promise on a free machine; the bound leaves room for a busy one.
    QVERIFY(timer.elapsed() < 2000);
    QCOMPARE(worker.exitCode(), 130);
    const auto jobs = json(call({"queue", "list", "--json", "--db", db_}).out).array();
    QCOMPARE(jobs[0].toObject()["state"].toString(), QString("cancelled"));
  }

  void aCancelDoesNotWaitForALongStep() {
    // One step of this training lasts seconds; the worker must be gone long before it ends.
    QString text = specification(1, 4, 256);
    text.replace("\"lenet5\"", "\"resnet18\"");
    text.replace("\"epochs\": 1", "\"epochs\": 1, \"batch_size\": 200");
    const QString file = write("spec.json", text);
    QCOMPARE(call({"queue", "add", file, "--db", db_}).code, 0);
    QProcess worker;
    worker.setProcessEnvironment(environment());
    worker.start(BULWARK_CLI, {"work", "--job", "1", "--db", db_});
    QVERIFY(waitFor(worker, "progress", "train", 1));
    QTest::qWait(200);
    QCOMPARE(call({"queue", "cancel", "1", "--db", db_}).code, 0);
    // From here on: the program that asks takes a while to start on a busy machine.
    QElapsedTimer timer;
    timer.start();
    QVERIFY(worker.waitForFinished(10000));
    qInfo("stopped after %lld ms", static_cast<long long>(timer.elapsed()));
    QVERIFY(timer.elapsed() < 2000);
    QCOMPARE(worker.exitCode(), 130);
    const auto jobs = json(call({"queue", "list", "--json", "--db", db_}).out).array();
    QCOMPARE(jobs[0].toObject()["state"].toString(), QString("cancelled"));
    QCOMPARE(call({"queue", "retry", "1", "--db", db_}).code, 0);
  }

  void aRequestInTheDatabaseStopsAWorker() {
    const QString file = write("spec.json", specification(400, 4, 4000));
    QCOMPARE(call({"queue", "add", file, "--db", db_}).code, 0);
    QProcess worker;
    worker.setProcessEnvironment(environment());
    worker.start(BULWARK_CLI, {"work", "--job", "1", "--db", db_});
    QVERIFY(waitFor(worker, "progress", "train", 1));
    QCOMPARE(call({"queue", "pause", "1", "--db", db_}).code, 0);
    QVERIFY(waitFor(worker, "state", "paused", 1));
    QCOMPARE(call({"queue", "resume", "1", "--db", db_}).code, 0);
    QVERIFY(waitFor(worker, "state", "running", 1));
    QCOMPARE(call({"queue", "cancel", "1", "--db", db_}).code, 0);
    QVERIFY(worker.waitForFinished(10000));
    QCOMPARE(worker.exitCode(), 130);
  }

 private:
  QString write(const QString& name, const QString& text) {
    QFile file(folder_->filePath(name));
    if (!file.open(QIODevice::WriteOnly)) qFatal("cannot write");
    file.write(text.toUtf8());
    return file.fileName();
  }

  QByteArray results(const QString& run) {
    const auto document = json(call({"runs", "show", run, "--json", "--db", db_}).out).object();
    return QJsonDocument(document["results"].toArray()).toJson();
  }

  /// Of run 1: to a file, to standard output where that is text, never into a folder that is not
  /// there.
  void exportsWhereItIsTold() {
    const auto exported = [&](const QStringList& arguments) {
      return call(QStringList{"export", "1", "--db", db_} + arguments);
    };
    const QString path = folder_->filePath("table.csv");
    QCOMPARE(exported({"--output", path}).code, 0);
    QFile file(path);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray content = file.readAll();
    QVERIFY(content.startsWith("run,") && content.count('\n') > 4);
    const auto piped = exported({"--format", "csv", "--output", "-"});
    QVERIFY2(piped.code == 0 && piped.error.isEmpty(), qPrintable(piped.error));
    QCOMPARE(piped.out, content);
    QVERIFY(!QFile::exists("-"));

    const auto refused = [&](const QStringList& arguments, const QString& says) {
      const auto outcome = exported(arguments);
      QCOMPARE(outcome.code, 2);
      QVERIFY(outcome.out.isEmpty());
      QVERIFY2(outcome.error.contains(says), qPrintable(outcome.error));
    };
    refused({"--what", "scores", "--format", "npz", "--output", "-"}, "'npz' is binary");
    refused({"--what", "images", "--format", "png", "--output", "-"}, "--output images.png");
    refused({"--output", "-"}, "give --format");
    const QString absent = folder_->filePath("not/there");
    refused({"--output", absent + "/table.csv"}, "the folder '" + absent + "' does not exist");
    QVERIFY(!QFile::exists(folder_->filePath("not")));
    refused({"--format", "csv", "--output", folder_->path()}, "is a folder, not a file");
    refused({"--metric", "auroq", "--format", "csv", "--output", "-"}, "did you mean 'auroc'?");
    exportsAPageOfClaims();
  }

  /// What a page asks for and no run has is told; words are refused where nothing shows them.
  void exportsAPageOfClaims() {
    const QString page = write("page.json", R"({"title": "Said", "claims": [
      {"claim": "right", "of": {"experiment": "cli", "metric": "accuracy"}, "at_least": 0},
      {"claim": "wrong", "at_least": 0,
       "of": {"experiment": "cli", "metric": "auroc", "detector": "mps"}}]})");
    const auto exported = [&](const QStringList& arguments) {
      return call(QStringList{"export", "1", "--db", db_, "--page", page, "--output", "-"} +
                  arguments);
    };
    const auto text = exported({"--what", "seeds", "--format", "md"});
    QCOMPARE(text.code, 0);
    QVERIFY2(text.out.startsWith("# Said\n"), text.out.constData());
    QVERIFY2(text.out.contains("| not measured: no detector 'mps'; did you mean 'msp'? |"),
             text.out.constData());
    QCOMPARE(text.error.trimmed(),
             QString("warning: not measured: page.claims[1].of: no detector 'mps'; did you mean "
                     "'msp'?"));
    for (const auto& [what, format] : {std::pair{"seeds", "csv"}, {"report", "md"}}) {
      const auto refused = exported({"--what", what, "--format", format});
      QCOMPARE(refused.code, 2);
      QVERIFY(refused.out.isEmpty());
      QVERIFY2(refused.error.contains("export --page") &&
                   refused.error.contains("use it with --what seeds --format md"),
               qPrintable(refused.error));
    }
  }

  /// Waits until the worker printed `count` events of that kind (whose text contains `with`).
  bool waitFor(QProcess& worker, const QString& kind, const QString& with, int count) {
    QElapsedTimer timer;
    timer.start();
    int seen = 0;
    while (timer.elapsed() < 60000) {
      if (!worker.canReadLine() && !worker.waitForReadyRead(1000)) {
        if (worker.state() == QProcess::NotRunning) return false;
        continue;
      }
      while (worker.canReadLine()) {
        const QByteArray line = worker.readLine();
        if (json(line).object()["event"].toString() == kind && line.contains(with.toUtf8()) &&
            ++seen == count) {
          return true;
        }
      }
    }
    return false;
  }

  bool killWorkerAt(const QString& job, const QString& kind, int count) {
    QProcess worker;
    worker.setProcessEnvironment(environment());
    worker.start(BULWARK_CLI, {"work", "--job", job, "--db", db_});
    const bool reached = waitFor(worker, kind, "", count);
    worker.kill();  // SIGKILL
    worker.waitForFinished();
    return reached && worker.exitStatus() == QProcess::CrashExit;
  }

  std::unique_ptr<QTemporaryDir> folder_;
  QString db_;
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
