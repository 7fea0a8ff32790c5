#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTableView>
#include <QWheelEvent>
#include <QtTest/QtTest>
#include <algorithm>

#include "core/health/check.h"
#include "ui/bridge/prepared_run.h"
#include "ui/widgets/check_detail.h"
#include "ui/widgets/health_lights.h"
#include "ui/widgets/health_panel.h"
#include "ui_support.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

Json check(const char* id, const char* subject, const char* group, const char* verdict,
           const Json& value, const char* detail = "") {
  return {{"id", id},
          {"subject", subject},
          {"group", group},
          {"title", "a title"},
          {"verdict", verdict},
          {"value", value},
          {"threshold", 0.005},
          {"red_above", 0.02},
          {"rule", "fall of AUROC"},
          {"source", "Carlini et al. 2019"},
          {"detail", detail}};
}

Json summary() {
  return {{"health", "health: 1 red, 2 amber, 4 green"},
          {"health_checks",
           Json::array({check("H1", "", "consistent", "green", 0.0),
                        check("H2", "", "consistent", "green", 0.0),
                        check("H12", "knn", "attackable", "green", 1e-7),
                        check("H14", "knn", "attackable", "amber", 0.12),
                        check("H22", "pgd on msp", "converged", "amber", 0.01),
                        check("H27", "pgd on knn", "converged", "red", 0.04, "in 3 of 4 sets"),
                        check("H28", "pgd on knn", "converged", "green", 0.0),
                        check("H36", "", "converged", "not applicable", nullptr, "no filter")})}};
}

Json specification() {
  return Json::parse(R"({"name": "small", "attacks": [
    {"type": "pgd", "label": "pgd", "eps": "8/255", "norm": "linf", "steps": 20, "restarts": 1}]})");
}

Json series(const char* kind, const char* detector, const char* attack, const char* set) {
  return {{"kind", kind},           {"detector", detector},
          {"attack", attack},       {"set", set},
          {"x", {0, 1, 2}},         {"y", {0.9, 0.5, 0.3}},
          {"low", {0.8, 0.4, 0.2}}, {"high", {1.0, 0.6, 0.4}}};
}

}  // namespace

class TestHealthPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void eachLightIsTheWorstOfItsChecks() {
    const auto entries = readHealth(summary());
    QCOMPARE(entries.size(), std::size_t(8));
    const auto lights = lightsOf(entries);
    QCOMPARE(lights[0].verdict, HealthVerdict::Green);
    QCOMPARE(lights[1].verdict, HealthVerdict::Amber);
    QCOMPARE(lights[2].verdict, HealthVerdict::Red);
    QCOMPARE(lights[0].sentences.size(), 0);
    QCOMPARE(lights[1].sentences.size(), 1);
    QCOMPARE(lights[2].sentences.size(), 2);
    QVERIFY(lights[2].sentences[0].startsWith(QLatin1String("H27 pgd on knn")));  // red first
    QVERIFY(lights[2].sentences[0].contains(QLatin1String("in 3 of 4 sets")));
    QVERIFY(lights[2].sentences[0].contains(QLatin1String("red above 0.02")));
    QVERIFY(lights[1].sentences[0].contains(QLatin1String("limit 0.005")));
    QCOMPARE(lights[2].notApplicable, 1);
    QCOMPARE(lightsOf({})[0].verdict, HealthVerdict::NotApplicable);
  }

  void aLightWithoutAnApplicableCheckIsNotGreen() {
    const auto lights = lightsOf(readHealth(
        {{"health_checks", Json::array({check("H36", "", "converged", "not applicable", 0)})}}));
    QCOMPARE(lights[2].verdict, HealthVerdict::NotApplicable);
  }

  void subjectsOfOneCheckShareASentence() {
    const auto lights = lightsOf(readHealth(
        {{"health_checks", Json::array({check("H34", "msp", "converged", "red", 0.25),
                                        check("H34", "knn", "converged", "red", 0.5, "twin"),
                                        check("H34", "energy", "converged", "amber", 0.01)})}}));
    QCOMPARE(lights[2].sentences.size(), 2);
    QVERIFY(lights[2].sentences[0].startsWith(QLatin1String("H34 msp, knn: ")));
    QVERIFY(lights[2].sentences[0].contains(QLocale().toString(0.5, 'g', 3)));
    QVERIFY(lights[2].sentences[0].contains(QLatin1String("twin")));
    QVERIFY(lights[2].sentences[1].startsWith(QLatin1String("H34 energy: ")));
    QCOMPARE(lights[2].red, 2);
  }

  void checksWithoutAGroupAreSortedByTheirNumber() {
    const Json old{{"health_checks", Json::array({{{"id", "H7"}, {"verdict", "green"}},
                                                  {{"id", "H15 knn"}, {"verdict", "red"}},
                                                  {{"id", "H24"}, {"verdict", "amber"}}})}};
    const auto entries = readHealth(old);
    QCOMPARE(entries[1].id, QStringLiteral("H15"));
    QCOMPARE(entries[1].subject, QStringLiteral("knn"));
    const auto lights = lightsOf(entries);
    QCOMPARE(lights[0].verdict, HealthVerdict::Green);
    QCOMPARE(lights[1].verdict, HealthVerdict::Red);
    QCOMPARE(lights[2].verdict, HealthVerdict::Amber);
  }

  void theLimitsOfACheckAreEdited() {
    HealthPanel panel;
    panel.resize(1008, 620);
    panel.show();
    panel.showSummary(summary(), specification());
    auto* title = panel.findChild<QLabel*>(QStringLiteral("checkTitle"));
    auto* green = panel.findChild<QLineEdit*>(QStringLiteral("checkGreen"));
    auto* red = panel.findChild<QLineEdit*>(QStringLiteral("checkRed"));
    auto* apply = panel.findChild<QPushButton*>(QStringLiteral("checkApply"));
    auto* reset = panel.findChild<QPushButton*>(QStringLiteral("checkReset"));
    // The worst check is chosen at first.
    QVERIFY(title->text().startsWith(QLatin1String("H27 pgd on knn")));
    auto* table = panel.findChild<QTableView*>(QStringLiteral("healthTable"));
    table->setCurrentIndex(table->model()->index(2, 0));
    QVERIFY(title->text().startsWith(QLatin1String("H22 pgd on msp")));
    QCOMPARE(green->text(), QLocale().toString(0.005));
    QCOMPARE(red->text(), QLocale().toString(0.02));
    QVERIFY(!apply->isEnabled());
    QVERIFY(!reset->isEnabled());
    const auto type = [](QLineEdit* edit, const QString& text) {
      edit->selectAll();
      QTest::keyClicks(edit, text);
    };
    type(green, QLocale().toString(0.5));  // above the red one
    QVERIFY(!apply->isEnabled());
    const auto notes = panel.findChildren<QLabel*>();
    const auto says = QStringLiteral("The red limit (%1) is below the green limit (%2)")
                          .arg(QLocale().toString(0.02), QLocale().toString(0.5));
    QVERIFY(std::any_of(notes.begin(), notes.end(),
                        [&](const QLabel* note) { return note->text().startsWith(says); }));
    type(green, QStringLiteral("much"));
    QVERIFY(!apply->isEnabled());
    type(green, QLocale().toString(0.015));
    QVERIFY(apply->isEnabled());
    QSignalSpy edited(&panel, &HealthPanel::thresholdsEdited);
    apply->click();
    QCOMPARE(edited.size(), 1);
    const Json limits = edited[0][0].value<Json>();
    QCOMPARE(limits.dump(), std::string(R"({"H22":[0.015,0.02]})"));
    // As the page does: the stored number is judged anew and shown so, the same check chosen.
    const Json judged = rejudged(summary(), limits);
    panel.showSummary(judged, specification());
    QVERIFY(title->text().startsWith(QLatin1String("H22 pgd on msp")));
    QCOMPARE(panel.model()->index(4, HealthModel::Verdict).data().toString(),
             QStringLiteral("✓ green"));
    QVERIFY(panel.findChild<QLabel*>(QStringLiteral("checkNote"))
                ->text()
                .contains(QLatin1String("not the published")));
    QVERIFY(reset->isEnabled());
    grabBoth(panel, QStringLiteral("health-limits"));
    type(red, QStringLiteral(" "));  // never red
    apply->click();
    QCOMPARE(edited[1][0].value<Json>().dump(), std::string(R"({"H22":[0.015,null]})"));
    reset->click();
    QCOMPARE(edited[2][0].value<Json>().dump(), std::string("{}"));
    panel.showSummary(rejudged(judged, Json::object()), specification());
    QCOMPARE(panel.model()->index(4, HealthModel::Verdict).data().toString(),
             QStringLiteral("⚠ amber"));
    QCOMPARE(green->text(), QLocale().toString(0.005));
    QVERIFY(!reset->isEnabled());
    // What does not apply has no limits to edit.
    table->setCurrentIndex(table->model()->index(7, 0));
    QVERIFY(!green->isVisible());
  }

  void aRemedyPreparesAnotherRun() {
    HealthPanel panel;
    panel.resize(1008, 620);
    panel.show();
    panel.showSummary(summary(), specification());
    auto* table = panel.findChild<QTableView*>(QStringLiteral("healthTable"));
    auto* text = panel.findChild<QLabel*>(QStringLiteral("checkRemedy"));
    auto* button = panel.findChild<QPushButton*>(QStringLiteral("checkRerun"));
    QSignalSpy wanted(&panel, &HealthPanel::rerunWanted);
    table->setCurrentIndex(table->model()->index(2, 0));  // H22: too few steps
    QVERIFY(text->isVisible());
    QVERIFY(button->isVisible());
    QVERIFY(button->text().contains(QLatin1String("pgd with 40 steps")));
    grabBoth(panel, QStringLiteral("health-remedy"));
    button->click();
    QCOMPARE(wanted.size(), 1);
    Json expected = specification();
    expected["attacks"][0]["steps"] = 40;
    expected["name"] = "small, pgd with 40 steps";
    QCOMPARE(wanted[0][0].value<Json>().dump(), expected.dump());
    table->setCurrentIndex(table->model()->index(0, 0));  // H27: a black box wins
    QVERIFY(button->text().contains(QLatin1String("square")));
    table->setCurrentIndex(table->model()->index(1, 0));  // H14: no other attack helps
    QVERIFY(text->isVisible());
    QVERIFY(!button->isVisible());
    table->setCurrentIndex(table->model()->index(3, 0));  // green: nothing to do
    QVERIFY(!text->isVisible());
    QVERIFY(!button->isVisible());
  }

  void aPreparedRunSaysWhatItIs_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("label");
    QTest::addColumn<QString>("prepared");
    QTest::addColumn<QString>("newLabel");
    QTest::newRow("stale attack") << "Demo: LeNet-5 on Fashion-MNIST under PGD-20"
                                  << "pgd"
                                  << "Demo: LeNet-5 on Fashion-MNIST, pgd with 40 steps"
                                  << "pgd";
    QTest::newRow("prepared before") << "Demo, pgd with 20 steps"
                                     << "pgd"
                                     << "Demo, pgd with 40 steps"
                                     << "pgd";
    QTest::newRow("counting label") << "Mine under PGD-20"
                                    << "PGD-20"
                                    << "Mine, PGD-40 with 40 steps"
                                    << "PGD-40";
    QTest::newRow("says nothing of it") << "LeNet-5, 20 classes"
                                        << "pgd"
                                        << "LeNet-5, 20 classes, pgd with 40 steps"
                                        << "pgd";
  }

  void aPreparedRunSaysWhatItIs() {
    QFETCH(QString, name);
    QFETCH(QString, label);
    QFETCH(QString, prepared);
    QFETCH(QString, newLabel);
    Json before = specification();
    before["name"] = name.toStdString();
    before["attacks"][0]["label"] = label.toStdString();
    Json after = before;
    after["attacks"][0]["steps"] = 40;
    const Json made = preparedRun(before, after, label + QStringLiteral(" with 40 steps"));
    QCOMPARE(QString::fromStdString(made.at("name").get<std::string>()), prepared);
    QCOMPARE(QString::fromStdString(made["attacks"][0].at("label").get<std::string>()), newLabel);
    QCOMPARE(made["attacks"][0]["steps"].get<int>(), 40);
  }

  void aPreparedTransferHasItsSource() {
    Json before = specification();
    before["detectors"] = Json::array({Json{{"type", "msp"}}, "knn"});
    Json after = before;
    after["attacks"].push_back(Json{{"type", "transfer"}, {"eps", "8/255"}});
    const QString change = QStringLiteral("transfer as a further attack");
    const Json made =
        preparedRun(before, after, change, QStringLiteral("the images made for knn win by 0.1"));
    QCOMPARE(made["attacks"][1].value("source_detector", std::string()), std::string("knn"));
    QVERIFY(made["name"].get<std::string>().ends_with("transfer as a further attack from knn"));
    // A score that is none of this experiment's cannot be a source.
    const Json other =
        preparedRun(before, after, change, QStringLiteral("the images made for energy win"));
    QVERIFY(!other["attacks"][1].contains("source_detector"));
  }

  void brokenSummariesShowNothing() {
    for (const Json& json :
         {Json(), Json::object(), Json{{"health_checks", 3}},
          Json{{"health_checks", Json::array({1, "x", nullptr})}}, Json{{"health_series", "x"}}}) {
      QVERIFY(readHealth(json).empty());
      HealthPanel panel;
      panel.showSummary(json);
      QCOMPARE(panel.model()->rowCount(), 0);
      QCOMPARE(panel.lights()->card(0)->verdict(), HealthVerdict::NotApplicable);
    }
  }

  void theListFiltersProblems() {
    HealthPanel panel;
    panel.resize(1008, 580);
    QWidget& window = panel;
    window.show();
    QAbstractItemModelTester tester(panel.model());
    QAbstractItemModelTester proxyTester(panel.filter());
    panel.showSummary(summary());
    auto* table = panel.findChild<QTableView*>(QStringLiteral("healthTable"));
    QCOMPARE(table->model()->rowCount(), 8);
    const QModelIndex first = table->model()->index(0, HealthModel::Verdict);
    QCOMPARE(first.data().toString(), QStringLiteral("✗ red"));
    const auto at = [&](int row, int column) {
      return panel.model()->index(row, column).data().toString();
    };
    QCOMPARE(at(5, HealthModel::Id), QStringLiteral("H27 pgd on knn"));
    QCOMPARE(at(5, HealthModel::Value), QLocale().toString(0.04, 'g', 3));
    QCOMPARE(at(5, HealthModel::Threshold), QLocale().toString(0.005, 'g', 3));
    QCOMPARE(at(5, HealthModel::Source), QStringLiteral("Carlini et al. 2019"));
    QCOMPARE(at(7, HealthModel::Value), QStringLiteral("–"));
    QCOMPARE(panel.model()->index(0, HealthModel::Check).data(HealthModel::RuleRole).toString(),
             QStringLiteral("fall of AUROC"));
    const int all = table->height();
    panel.findChild<QCheckBox*>(QStringLiteral("healthOnlyProblems"))->setChecked(true);
    QCOMPARE(table->model()->rowCount(), 3);
    QVERIFY(table->height() < all);
    for (int row = 0; row < 3; ++row) {
      QVERIFY(table->model()->index(row, 0).data(HealthModel::VerdictRole).toInt() >=
              int(HealthVerdict::Amber));
    }
    QCOMPARE(panel.findChild<QLabel*>(QStringLiteral("healthCount"))->text(),
             QStringLiteral("checks: 8, problems: 3"));
    grabBoth(panel, QStringLiteral("health-no-series"));
  }

  void theListStartsWithTheWorst() {
    HealthPanel panel;
    panel.showSummary(summary());
    QStringList ids;
    for (int row = 0; row < panel.filter()->rowCount(); ++row) {
      ids += panel.filter()->index(row, HealthModel::Id).data().toString();
    }
    QCOMPARE(ids.join(u','), QStringLiteral("H27 pgd on knn,H14 knn,H22 pgd on msp,H1,H2,H12 knn,"
                                            "H28 pgd on knn,H36"));
  }

  void theHealthLineStartsWithTheReds() {
    QCOMPARE(healthLine(readHealth(summary())),
             QStringLiteral("Health: 1 red (H27 pgd on knn), 2 amber (H14 knn, H22 pgd on msp), "
                            "4 green"));
  }

  void aCardOpensItsCheck() {
    HealthPanel panel;
    panel.resize(1008, 420);
    panel.show();
    Json many = summary();
    for (int i = 0; i < 40; ++i) {
      many["health_checks"].push_back(check("H17", "knn", "attackable", "green", 0.0));
    }
    panel.showSummary(many, specification());
    auto* table = panel.findChild<QTableView*>(QStringLiteral("healthTable"));
    auto* title = panel.findChild<QLabel*>(QStringLiteral("checkTitle"));
    QTest::qWait(50);
    // The list keeps to some rows, and what is said of the chosen check stands below it.
    QVERIFY(table->height() < 500);
    QVERIFY(panel.detail()->mapTo(&panel, QPoint()).y() >
            table->mapTo(&panel, QPoint()).y() + table->height() - 1);
    HealthLightCard* amber = panel.lights()->card(1);
    QTest::mouseClick(amber, Qt::LeftButton, {}, QPoint(amber->width() - 6, 6));
    QVERIFY(title->text().startsWith(QLatin1String("H14 knn")));
    QVERIFY(panel.verticalScrollBar()->value() > 0);
    QVERIFY(table->mapTo(panel.viewport(), QPoint()).y() < panel.viewport()->height());
    // A sentence opens its own check, not the first of its light.
    auto* sentences = panel.lights()->card(2)->findChild<QLabel*>(QStringLiteral("lightSentences"));
    Q_EMIT sentences->linkActivated(QStringLiteral("1"));
    QVERIFY(title->text().startsWith(QLatin1String("H22 pgd on msp")));
    // A green card opens nothing.
    QTest::mouseClick(panel.lights()->card(0), Qt::LeftButton);
    QVERIFY(title->text().startsWith(QLatin1String("H22 pgd on msp")));
    panel.showCheck();
    QVERIFY(title->text().startsWith(QLatin1String("H27 pgd on knn")));
    grabBoth(panel, QStringLiteral("health-checks"));
  }

  // The first results of the costly checks come while somebody is looking at the panel.
  void nothingMovesWhileChecksComeIn() {
    HealthPanel panel;
    panel.resize(1008, 640);
    panel.show();
    Json first = summary();
    for (int i = 0; i < 24; ++i) {
      const std::string on = "detector " + std::to_string(i);
      first["health_checks"].push_back(check("H17", on.c_str(), "attackable", "green", 0.0));
    }
    panel.setRun(1, QStringLiteral("runs.db"), QStringLiteral("About 2 min."));
    panel.showSummary(first, specification());
    QVERIFY(QTest::qWaitForWindowExposed(&panel));
    auto* table = panel.findChild<QTableView*>(QStringLiteral("healthTable"));
    auto* title = panel.findChild<QLabel*>(QStringLiteral("checkTitle"));
    auto* green = panel.findChild<QLineEdit*>(QStringLiteral("checkGreen"));
    const auto rowOf = [&](const QString& name) {
      for (int row = 0; row < table->model()->rowCount(); ++row) {
        if (table->model()->index(row, HealthModel::Id).data().toString() == name) return row;
      }
      return -1;
    };
    const QString name = QStringLiteral("H17 detector 9");
    panel.showCheck(name);
    QTest::qWait(50);
    panel.verticalScrollBar()->setValue(panel.verticalScrollBar()->maximum() - 30);
    green->selectAll();
    QTest::keyClicks(green, QStringLiteral("1.5"));
    QTest::qWait(50);
    const auto places = [&] {
      QList<QPoint> found;
      for (QWidget* widget :
           {static_cast<QWidget*>(panel.lights()), static_cast<QWidget*>(panel.plots()),
            static_cast<QWidget*>(table), static_cast<QWidget*>(panel.detail())}) {
        found += widget->mapTo(&panel, QPoint());
      }
      found += QPoint(0, table->rowViewportPosition(rowOf(name)));
      return found;
    };
    const auto before = places();
    QVERIFY(before.last().y() >= 0 && before.last().y() < table->viewport()->height());
    Json more = first;
    for (const char* on : {"msp", "energy", "knn", "mahalanobis", "odin", "react"}) {
      more["health_checks"].push_back(check("H29", on, "converged", "red", 0.3, "a worse point"));
      more["health_checks"].push_back(check("H30", on, "attackable", "amber", 0.01, "a finding"));
    }
    more["health_series"] = Json::array({series("auroc_eps", "knn", "pgd", "")});
    panel.showSummary(more, specification());
    QTest::qWait(80);
    QCOMPARE(table->model()->rowCount(), 44);
    QCOMPARE(places(), before);
    QVERIFY(title->text().startsWith(name));
    QCOMPARE(table->currentIndex().row(), rowOf(name));
    QCOMPARE(green->text(), QStringLiteral("1.5"));  // what is being typed
    // Another run starts anew, with its worst.
    panel.setRun(2, QStringLiteral("runs.db"), {});
    panel.showSummary(first, specification());
    QVERIFY(title->text().startsWith(QLatin1String("H27 pgd on knn")));
    QCOMPARE(table->verticalScrollBar()->value(), 0);
  }

  void theCardsKeepTheirHeight() {
    for (const int width : {690, 1008, 1500}) {
      HealthPanel panel;
      panel.resize(width, 640);
      panel.show();
      panel.showSummary({});
      QTest::qWait(20);
      const int height = panel.lights()->height();
      const int costly = panel.findChild<QLabel*>(QStringLiteral("healthCostlyText"))
                             ->mapTo(panel.widget(), QPoint())
                             .y();
      Json many = summary();
      for (const char* id : {"H29", "H30", "H31", "H32", "H33"}) {
        many["health_checks"].push_back(
            check(id, "knn", "converged", "red", 0.4, "a long story of what was found and where"));
      }
      panel.showSummary(many);
      QTest::qWait(20);
      QCOMPARE(panel.lights()->height(), height);
      QCOMPARE(panel.findChild<QLabel*>(QStringLiteral("healthCostlyText"))
                   ->mapTo(panel.widget(), QPoint())
                   .y(),
               costly);
      // Nothing is wider than the panel, and what is elided is told in full.
      QVERIFY2(panel.widget()->width() <= panel.viewport()->width(),
               qPrintable(QString::number(panel.widget()->width())));
      auto* text = panel.lights()->card(2)->findChild<QLabel*>(QStringLiteral("lightSentences"));
      QVERIFY(text->heightForWidth(text->width()) <= text->height());
      Q_EMIT text->linkHovered(QStringLiteral("0"));
      QVERIFY(text->toolTip().contains(QLatin1String("what was found and where")) ||
              text->toolTip().contains(QLatin1String("in 3 of 4 sets")));
    }
  }

  void theWheelOverAPlotScrollsThePanel() {
    HealthPanel panel;
    panel.resize(1008, 420);
    panel.show();
    Json with = summary();
    with["health_series"] = Json::array({series("auroc_eps", "knn", "pgd", "")});
    panel.showSummary(with);
    QVERIFY(QTest::qWaitForWindowExposed(&panel));
    auto* bar = panel.verticalScrollBar();
    for (const auto kind : {HealthPlots::Epsilon, HealthPlots::Restarts}) {  // full, empty
      bar->setValue(0);
      QCOMPARE(bar->value(), 0);
      QVERIFY(bar->maximum() > 60);
      TrendPlot* plot = panel.plots()->plot(kind);
      auto* canvas = plot->findChild<QWidget*>(QStringLiteral("canvas"));
      // As from the mouse: whatever lies on top there.
      QWidget* below = panel.childAt(canvas->mapTo(&panel, canvas->rect().center()));
      QVERIFY(below && (below == canvas || plot->isAncestorOf(below)));
      const QPoint at = below->rect().center();
      QWheelEvent wheel(at, below->mapToGlobal(at), {}, {0, -120}, Qt::NoButton, Qt::NoModifier,
                        Qt::NoScrollPhase, false);
      // Qt hands an ignored wheel on to the parents only when it comes from the mouse.
      QSpontaneKeyEvent::setSpontaneous(&wheel);
      qApp->notify(below, &wheel);
      QVERIFY(bar->value() > 0);
      if (kind == HealthPlots::Epsilon) QVERIFY(!plot->isEmpty());
    }
  }

  void cardsSayTheirVerdictInWords() {
    HealthPanel panel;
    panel.showSummary(summary());
    QCOMPARE(panel.lights()->card(0)->findChild<QLabel*>(QStringLiteral("lightWord"))->text(),
             QStringLiteral("Green"));
    QCOMPARE(panel.lights()->card(2)->findChild<QLabel*>(QStringLiteral("lightWord"))->text(),
             QStringLiteral("Red"));
    QVERIFY(panel.lights()->card(2)->sentences().contains(QLatin1String("H22 pgd on msp")));
    QVERIFY(panel.lights()->card(0)->sentences().isEmpty());
    // Pictures of different shape, not only of different colour.
    const auto shape = [&](int light) {
      const auto labels = panel.lights()->card(light)->findChildren<QLabel*>();
      for (QLabel* label : labels) {
        const QPixmap pixmap = label->pixmap(Qt::ReturnByValue);
        if (!pixmap.isNull()) return pixmap.toImage().convertToFormat(QImage::Format_Alpha8);
      }
      return QImage();
    };
    QVERIFY(!shape(0).isNull());
    QVERIFY(shape(0) != shape(1));
    QVERIFY(shape(1) != shape(2));
  }

  void theSmallPlotsShowWhatBelongsToTheChoice() {
    HealthPanel panel;
    panel.resize(1008, 620);
    panel.show();
    Json with = summary();
    with["health_series"] = Json::array(
        {series("best_score", "knn", "pgd", "in"), series("best_score", "knn", "pgd", "glyphs"),
         series("best_score", "msp", "pgd", "in"), series("auroc_eps", "knn", "pgd", ""),
         series("auroc_restarts", "knn", "pgd", ""), series("gradient_norms", "knn", "", "in"),
         series("blackbox_gain", "knn", "square against pgd", ""), Json{{"kind", "unknown"}},
         Json(3)});
    panel.showSummary(with);
    panel.choose(QStringLiteral("knn"), QStringLiteral("pgd"));
    HealthPlots* plots = panel.plots();
    QCOMPARE(plots->plot(HealthPlots::BestScore)->series().size(), 2);
    QCOMPARE(plots->plot(HealthPlots::BestScore)->series()[0].low[2], 0.2);
    QCOMPARE(plots->plot(HealthPlots::Epsilon)->series()[0].name, QStringLiteral("knn"));
    QCOMPARE(plots->plot(HealthPlots::Gradients)->series().size(), 1);
    QCOMPARE(plots->plot(HealthPlots::BlackBox)->series()[0].y[1], 0.5 - 1);  // black - white
    grabBoth(panel, QStringLiteral("health"));
    panel.choose(QStringLiteral("msp"), QStringLiteral("pgd"));
    QCOMPARE(plots->plot(HealthPlots::BestScore)->series().size(), 1);
    QVERIFY(plots->plot(HealthPlots::Epsilon)->isEmpty());
  }

  void plotsWithoutDataSayWhatWouldProduceIt() {
    HealthPanel panel;
    panel.resize(1008, 620);
    panel.show();
    panel.showSummary(summary());
    for (int kind = 0; kind < HealthPlots::KindCount; ++kind) {
      TrendPlot* plot = panel.plots()->plot(HealthPlots::Kind(kind));
      auto* text = plot->findChild<QLabel*>(QStringLiteral("plotEmptyText"));
      QVERIFY(plot->isEmpty());
      QVERIFY(text->isVisible());
      QVERIFY(!text->text().isEmpty());
    }
    panel.plots()->setFallback(HealthPlots::BestScore,
                               {{QStringLiteral("in"), {0, 1}, {1, 2}, {}, {}}});
    QVERIFY(!panel.plots()->plot(HealthPlots::BestScore)->isEmpty());
  }
};

QTEST_MAIN(TestHealthPanel)
#include "tst_health_panel.moc"
