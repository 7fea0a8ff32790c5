// Forms made from option declarations.
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QMenu>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QTest>

#include "core/base/error.h"
#include "core/params/layer_option.h"
#include "core/params/params.h"
#include "ui/params/component_form.h"
#include "ui/params/param_form.h"

using namespace bulwark;

namespace {

OptionSchema schema() {
  OptionSchema options;
  options.number("eps", "8/255", "Radius of the ball")
      .above(0, 1)
      .from("Madry et al. 2018, section 5")
      .in("fraction of the [0,1] range")
      .simple();
  options.integer("steps", 10, "Steps").range(1, 1000).simple();
  options.choice("norm", "linf", {"linf", "l2"}, "Norm of the ball");
  options.boolean("random_start", true, "Start inside the ball");
  options.textList("settings", {"clean", "in"}, "Settings").choices = {"clean", "in", "out"};
  options.integerList("known", {}, "Known classes").expert();
  options.text("comment", "", "Anything").expert();
  return options;
}

}  // namespace

class TestParamForm : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    form_ = std::make_unique<ParamForm>();
    form_->setSchema(schema());
    form_->show();
  }

  void startsWithTheDefaults() {
    QCOMPARE(form_->values().dump(), Params(schema(), Json::object()).values().dump());
    QVERIFY(form_->changedValues().empty());
    QVERIFY(form_->isValid());
  }

  void takesAndGivesBackEveryType() {
    const Json given = {{"eps", "4/255"},        {"steps", 25},         {"norm", "l2"},
                        {"random_start", false}, {"settings", {"out"}}, {"known", {0, 3, 5}},
                        {"comment", "two words"}};
    QSignalSpy changed(form_.get(), &ParamForm::changed);
    form_->setValues(given);
    QCOMPARE(form_->values().dump(), given.dump());
    QCOMPARE(form_->changedValues().dump(), given.dump());
    QCOMPARE(changed.size(), 0);
    form_->setValues(Json::object());
    QVERIFY(form_->changedValues().empty());
  }

  void typingChangesValues() {
    QSignalSpy changed(form_.get(), &ParamForm::changed);
    auto* eps = field<QLineEdit>("eps");
    eps->selectAll();
    QTest::keyClicks(eps, "16/255");
    QVERIFY(changed.size() >= 1);
    QCOMPARE(form_->values()["eps"].get<std::string>(), std::string("16/255"));
    field<QSpinBox>("steps")->setValue(7);
    field<QComboBox>("norm")->setCurrentIndex(1);
    QTest::mouseClick(field<QCheckBox>("random_start"), Qt::LeftButton, {}, QPoint(8, 12));
    const Json values = form_->values();
    QCOMPARE(values["steps"].get<int>(), 7);
    QCOMPARE(values["norm"].get<std::string>(), std::string("l2"));
    QCOMPARE(values["random_start"].get<bool>(), false);
  }

  void explainsAWrongValue_data() {
    QTest::addColumn<QString>("text");
    QTest::newRow("no number") << "8/256x";
    QTest::newRow("too small") << "0";
    QTest::newRow("negative") << "-0.1";
    QTest::newRow("too large") << "2";
    QTest::newRow("empty") << "";
  }
  void explainsAWrongValue() {
    QFETCH(QString, text);
    auto* eps = field<QLineEdit>("eps");
    eps->selectAll();
    QTest::keyClick(eps, Qt::Key_Delete);
    QTest::keyClicks(eps, text);
    QVERIFY(!form_->isValid());
    auto* error = field<QLabel>("eps.error");
    QVERIFY(error->isVisible());
    QVERIFY(!error->text().isEmpty());
    QVERIFY(eps->property("invalid").toBool());
    // The specification is refused at this very place.
    QVERIFY_EXCEPTION_THROWN(Params(schema(), form_->values(), "attacks[0]"), Error);
    eps->selectAll();
    QTest::keyClicks(eps, "0.1");
    QVERIFY(form_->isValid());
    QVERIFY(!error->isVisible());
  }

  void resetsOneField() {
    form_->setValues({{"eps", "1/255"}, {"steps", 3}});
    auto* reset = field<QToolButton>("eps.reset");
    QVERIFY(reset->isVisible());
    QVERIFY(!field<QToolButton>("norm.reset")->isVisible());
    QSignalSpy changed(form_.get(), &ParamForm::changed);
    QTest::mouseClick(reset, Qt::LeftButton);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(form_->changedValues().dump(), std::string(R"({"steps":3})"));
    QVERIFY(!reset->isVisible());
  }

  void showsAsMuchAsAskedFor() {
    form_->setDetail(Visibility::Simple);
    QVERIFY(field<QLineEdit>("eps")->isVisible());
    QVERIFY(!field<QComboBox>("norm")->isVisible());
    QVERIFY(!field<QLineEdit>("comment")->isVisible());
    form_->setDetail(Visibility::Expert);
    QVERIFY(field<QLineEdit>("comment")->isVisible());
    form_->setDetail(Visibility::Simple);
    form_->setValues({{"norm", "l2"}});
    QVERIFY(field<QComboBox>("norm")->isVisible());  // changed: never hidden
  }

  void tooltipsNameRangeAndSource() {
    const QString tip = field<QLineEdit>("eps")->toolTip();
    QVERIFY(tip.contains(QLatin1String("Madry et al. 2018")));
    QVERIFY(tip.contains(QLatin1String("eps &lt;= 1")));
    QCOMPARE(field<QLineEdit>("eps")->accessibleName(), QStringLiteral("Eps"));
  }

  void errorsOfTheWholeAppearAtTheField() {
    form_->setError("steps", QStringLiteral("too many for this budget"));
    QVERIFY(field<QLabel>("steps.error")->isVisible());
    form_->clearErrors();
    QVERIFY(!field<QLabel>("steps.error")->isVisible());
  }

  /// Options that name layers offer those of the network, and take what is typed.
  void layersAreOffered() {
    OptionSchema options;
    namesLayers(options.text("layer", "auto", "Which layer"), {"auto", "logits"});
    namesLayers(options.textList("ensemble", {}, "Which layers"), {"logits"});
    options.text("comment", "", "Anything");
    form_->setSchema(options);
    QVERIFY(form_->changedValues().empty());
    auto* layer = field<QComboBox>("layer");
    QVERIFY(layer->isEditable());
    const auto listed = [&] {
      QStringList words;
      for (int i = 0; i < layer->count(); ++i) words << layer->itemText(i);
      return words;
    };
    QCOMPARE(listed(), (QStringList{"auto", "logits"}));
    QSignalSpy changed(form_.get(), &ParamForm::changed);
    form_->setLayers({"conv1", "conv2", "features"});
    QCOMPARE(listed(), (QStringList{"auto", "conv1", "conv2", "features", "logits"}));
    QCOMPARE(layer->currentText(), QStringLiteral("auto"));
    QCOMPARE(changed.size(), 0);
    layer->setCurrentIndex(2);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(form_->changedValues().dump(), std::string(R"({"layer":"conv2"})"));
    layer->lineEdit()->selectAll();
    QTest::keyClicks(layer->lineEdit(), "conv9");
    QCOMPARE(form_->values()["layer"].get<std::string>(), std::string("conv9"));
    form_->setLayers({"fc1", "features"});  // another network: what was chosen stays, to be refused
    QCOMPARE(form_->values()["layer"].get<std::string>(), std::string("conv9"));
    QVERIFY(field<QToolButton>("layer.reset")->isVisible());

    auto* ensemble = field<QLineEdit>("ensemble");
    auto* menu = field<QMenu>("ensemble.layers");
    QCOMPARE(menu->actions().size(), 3);
    const int before = static_cast<int>(changed.size());
    for (const int index : {2, 0}) menu->actions()[index]->trigger();
    QCOMPARE(changed.size(), before + 2);
    QCOMPARE(ensemble->text(), QStringLiteral("logits, fc1"));
    QCOMPARE(form_->values()["ensemble"].dump(), std::string(R"(["logits","fc1"])"));
    menu->actions()[2]->trigger();
    QCOMPARE(ensemble->text(), QStringLiteral("fc1"));
    QVERIFY(menu->actions()[0]->isChecked() && !menu->actions()[2]->isChecked());
    // A form made later knows them, too.
    form_->setSchema(options);
    QCOMPARE(field<QComboBox>("layer")->count(), 4);
  }

  void theSwitchTellsItsLevel() {
    DetailSwitch detail;
    QSignalSpy changed(&detail, &DetailSwitch::detailChanged);
    QTest::mouseClick(detail.findChild<QAbstractButton*>(QStringLiteral("detail2")),
                      Qt::LeftButton);
    QCOMPARE(changed.size(), 1);
    QVERIFY(detail.detail() == Visibility::Expert);
  }

  void aComponentKeepsItsTypeAndLabel() {
    ComponentInfo fgsm{"fgsm", "FGSM", "One step.", "", {}, {}};
    ComponentInfo pgd{"pgd", "PGD", "Many steps.", "Madry et al. 2018", schema(), {}};
    ComponentForm form({fgsm, pgd}, QStringLiteral("attackType"));
    QSignalSpy changed(&form, &ComponentForm::changed);
    const Json value = {{"type", "pgd"}, {"label", "strong"}, {"steps", 50}};
    form.setValue(value);
    QCOMPARE(changed.size(), 0);
    QCOMPARE(form.value().dump(), value.dump());
    form.box()->setCurrentIndex(0);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(form.value().dump(), std::string(R"({"type":"fgsm"})"));
    form.setValue("pgd");
    QCOMPARE(form.value().dump(), std::string(R"({"type":"pgd"})"));
  }

  void aLongChoiceIsGroupedByTraits() {
    const auto info = [](const char* name, std::vector<std::string> traits) {
      return ComponentInfo{name, name, "What it does.", "", {}, std::move(traits)};
    };
    ComponentForm form(
        {info("pgd", {"white box", "needs gradient"}), info("square", {"black box"}),
         info("fgsm", {"white box", "needs gradient"}),
         info("fab", {"white box", "minimum distance"}), info("noise", {"black box", "control"})},
        QStringLiteral("attackType"));
    QComboBox* box = form.box();
    QCOMPARE(form.value().dump(), std::string(R"({"type":"pgd"})"));  // no heading is chosen
    QStringList chosen;
    auto* model = qobject_cast<QStandardItemModel*>(box->model());
    for (int row = 0; row < box->count(); ++row) {
      const bool heading = !(model->item(row)->flags() & Qt::ItemIsEnabled);
      QCOMPARE(heading, !box->itemData(row).isValid());
      if (!heading) chosen += box->itemText(row);
    }
    QCOMPARE(chosen, (QStringList{"pgd", "fgsm", "square", "fab", "noise"}));
    QCOMPARE(box->count(), 5 + 4);
    form.setValue("fab");
    QCOMPARE(form.value().dump(), std::string(R"({"type":"fab"})"));
    bool traits = false;
    for (QLabel* label : form.findChildren<QLabel*>()) {
      traits = traits || label->text().contains(QStringLiteral("white box · minimum distance"));
    }
    QVERIFY(traits);
    QTest::keyClick(box, Qt::Key_Up);  // over the heading to the group before
    QCOMPARE(form.value().dump(), std::string(R"({"type":"square"})"));
  }

 private:
  template <class Widget>
  Widget* field(const char* name) {
    auto* widget = form_->findChild<Widget*>(QString::fromLatin1(name));
    if (!widget) qFatal("no field %s", name);
    return widget;
  }

  std::unique_ptr<ParamForm> form_;
};

QTEST_MAIN(TestParamForm)
#include "tst_param_form.moc"
