#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest/QtTest>

#include "ui/bridge/health_runner.h"
#include "ui/widgets/health_panel.h"

using namespace bulwark;

namespace {

/// A program that knows `runs health --full` and does what `body` says.
QString fakeProgram(const QTemporaryDir& folder, const QByteArray& body) {
  const QString path = folder.filePath(QStringLiteral("cli.sh"));
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly)) qFatal("no fake program");
  file.write("#!/bin/sh\nif [ \"$3\" = --help ]; then echo 'options: --full'; exit 0; fi\n" + body);
  file.close();
  file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
  return path;
}

}  // namespace

/// The costly checks of the health panel, made by a program of their own.
class TestHealthCostly : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theButtonIsOffWithTheReason() {
    HealthPanel panel;
    auto* button = panel.findChild<QPushButton*>(QStringLiteral("healthRunCostly"));
    QVERIFY(!button->isEnabled());
    QTemporaryDir folder;
    HealthRunner runner(folder.filePath(QStringLiteral("absent")));
    QSignalSpy probed(&runner, &HealthRunner::probed);
    panel.setRunner(&runner);
    panel.setRun(1, QStringLiteral("runs.db"), {});
    runner.probe();
    QVERIFY(probed.wait(5000));
    QVERIFY(!button->isEnabled());
    QVERIFY(button->toolTip().contains(QLatin1String("cannot be started")));
  }

  void theCostlyChecksRunWithProgress() {
    QTemporaryDir folder;
    const QString log = folder.filePath(QStringLiteral("arguments"));
    HealthRunner runner(fakeProgram(
        folder, "echo \"$@\" > '" + log.toUtf8() + "'\necho 'attacking knn  25/100 images' >&2\n"));
    HealthPanel panel;
    panel.setRunner(&runner);
    panel.setRun(7, QStringLiteral("some runs.db"), QStringLiteral("About 2 min."));
    QSignalSpy probed(&runner, &HealthRunner::probed);
    runner.probe();
    QVERIFY(probed.wait(5000));
    auto* button = panel.findChild<QPushButton*>(QStringLiteral("healthRunCostly"));
    QVERIFY(button->isEnabled());
    QCOMPARE(button->toolTip(), QStringLiteral("About 2 min."));
    QSignalSpy progress(&runner, &HealthRunner::progress);
    QSignalSpy finished(&runner, &HealthRunner::finished);
    button->click();
    QVERIFY(runner.isRunning());
    QVERIFY(finished.wait(5000));
    QCOMPARE(finished[0][0].toLongLong(), 7);
    QCOMPARE(finished[0][2].toString(), QString());
    QCOMPARE(progress.size(), 1);
    QCOMPARE(progress[0][1].toDouble(), 0.25);
    QFile file(log);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll().trimmed(), QByteArray("runs health 7 --full --db some runs.db"));
  }

  void theCostlyChecksAreCancelledAndFailuresSaid() {
    QTemporaryDir folder;
    HealthRunner slow(fakeProgram(folder, "exec sleep 60\n"));
    QSignalSpy finished(&slow, &HealthRunner::finished);
    slow.start(3, QStringLiteral("x.db"));
    QTest::qWait(100);
    QElapsedTimer clock;
    clock.start();
    slow.cancel();
    QVERIFY(finished.wait(5000));
    QVERIFY(clock.elapsed() < 3000);
    QVERIFY(finished[0][1].toBool());
    QTemporaryDir second;
    HealthRunner wrong(fakeProgram(second, "echo 'error: no run 3' >&2\nexit 2\n"));
    HealthPanel panel;
    panel.setRunner(&wrong);
    panel.setRun(3, QStringLiteral("x.db"), {});
    QSignalSpy failed(&wrong, &HealthRunner::finished);
    wrong.start(3, QStringLiteral("x.db"));
    QVERIFY(failed.wait(5000));
    QVERIFY(!failed[0][1].toBool());
    QVERIFY(failed[0][2].toString().contains(QLatin1String("no run 3")));
    QVERIFY(panel.findChild<QLabel*>(QStringLiteral("healthCostlyText"))
                ->text()
                .contains(QLatin1String("no run 3")));
  }
};

QTEST_MAIN(TestHealthCostly)
#include "tst_health_costly.moc"
