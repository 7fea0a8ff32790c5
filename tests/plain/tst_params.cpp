#include <QtTest/QtTest>

#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/base/error.h"
#include "core/params/option.h"
#include "core/params/params.h"
#include "store_checks.h"

using namespace bulwark;
using samples::contains;
using samples::messageOf;

namespace {

OptionSchema pgdOptions() {
  OptionSchema schema;
  schema.number("eps", "8/255", "size of the ball")
      .above(0, 1)
      .from("Madry et al. 2018, section 5")
      .in("fraction of the [0,1] range")
      .simple();
  schema.integer("steps", 10, "gradient steps").range(1, 10000);
  schema.number("step_size", 0.25, "relative to eps").above(0);
  schema.choice("norm", "linf", {"linf", "l2"}, "norm of the ball");
  schema.boolean("random_start", true, "start inside the ball");
  schema.text("label", "", "name in tables").expert();
  schema.textList("keep", {"best"}, "what is kept").choices = {"best", "last", "all"};
  schema.integerList("shown", {1, 5}, "steps to show").range(0, 100);
  return schema;
}

std::string refusal(const Json& given) {
  return messageOf([&] { Params(pgdOptions(), given, "attacks[0]"); });
}

Json parse(const char* text) {
  return Json::parse(text);
}

std::string shown(const std::vector<ParamDifference>& differences) {
  std::string text;
  for (const auto& difference : differences) {
    text += difference.path + ":" + difference.before + ">" + difference.after + " ";
  }
  return text;
}

}  // namespace

class TestParams : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void missingKeysTakeTheirDefaults() {
    for (const Json& given : {Json(), Json::object()}) {
      const Params params(pgdOptions(), given);
      QVERIFY(params.getNumber("eps") == 8.0 / 255);
      QCOMPARE(params.getInt("steps"), 10LL);
      QCOMPARE(params.getText("norm"), std::string("linf"));
      QVERIFY(params.getBool("random_start"));
      QCOMPARE(params.getTextList("keep"), std::vector<std::string>{"best"});
      QCOMPARE(params.getIntList("shown"), (std::vector<long long>{1, 5}));
      QVERIFY(params.changed().empty());
      QVERIFY(params.has("eps") && !params.has("epsilon"));
    }
  }

  void givenValuesAreTaken() {
    const Params params(pgdOptions(), parse(R"({"type": "pgd", "eps": 0.5, "steps": 3.0,
        "norm": "l2", "random_start": false, "label": "mine", "keep": [], "shown": [0, 100]})"),
                        "attacks[0]");
    QVERIFY(params.getNumber("eps") == 0.5);
    QCOMPARE(params.getInt("steps"), 3LL);
    QVERIFY(params.getNumber("steps") == 3.0);
    QVERIFY(params.values().at("steps").is_number_integer());
    QCOMPARE(params.getText("norm"), std::string("l2"));
    QVERIFY(!params.getBool("random_start"));
    QVERIFY(params.getTextList("keep").empty());
    QCOMPARE(params.getIntList("shown"), (std::vector<long long>{0, 100}));
    QCOMPARE(params.pathOf("eps"), std::string("attacks[0].eps"));
    QCOMPARE(Params().pathOf("eps"), std::string("eps"));
  }

  void wrongValuesAreRefused_data() {
    QTest::addColumn<QString>("given");
    QTest::addColumn<QString>("message");
    const auto row = [](const char* given, const char* message) {
      QTest::newRow(given) << given << message;
    };
    row(R"({"eps": "8/256x"})",
        R"(attacks[0].eps: "8/256x" is not a number or a fraction; expected 0 < eps <= 1)");
    row(R"({"eps": 0})", "attacks[0].eps: 0 is not allowed; expected 0 < eps <= 1");
    row(R"({"eps": -0.1})", "attacks[0].eps: -0.1 is not allowed; expected 0 < eps <= 1");
    row(R"({"eps": "9/8"})", R"(attacks[0].eps: "9/8" is not allowed; expected 0 < eps <= 1)");
    row(R"({"eps": true})", "attacks[0].eps: true is not a number");
    row(R"({"eps": null})", "attacks[0].eps: null is not a number");
    row(R"({"eps": [1]})", "attacks[0].eps: [1] is not a number");
    row(R"({"eps": "nan"})", "attacks[0].eps: \"nan\" is not a number");
    row(R"({"steps": 2.5})", "attacks[0].steps: 2.5 is not a whole number; expected 1 <= steps");
    row(R"({"steps": "3"})", "attacks[0].steps: \"3\" is not a whole number");
    row(R"({"steps": 0})", "attacks[0].steps: 0 is not allowed");
    row(R"({"steps": 18446744073709551615})", "attacks[0].steps: 18446744073709551615 is not");
    row(R"({"steps": 1e300})", "attacks[0].steps: 1e+300 is not a whole number");
    row(R"({"norm": "l3"})", "attacks[0].norm: \"l3\" is unknown; did you mean 'l2'? expected one");
    row(R"({"norm": 2})", "attacks[0].norm: 2 is not a text");
    row(R"({"random_start": 1})", "attacks[0].random_start: 1 is not true or false");
    row(R"({"label": 1})", "attacks[0].label: 1 is not a text");
    row(R"({"keep": "best"})", "attacks[0].keep: \"best\" is not a list");
    row(R"({"keep": ["best", "bst"]})", "attacks[0].keep[1]: \"bst\" is unknown; did you mean");
    row(R"({"keep": [1]})", "attacks[0].keep[0]: 1 is not a text");
    row(R"({"shown": [1, 101]})", "attacks[0].shown[1]: 101 is not allowed");
    row(R"({"shown": ["1"]})", "attacks[0].shown[0]: \"1\" is not a whole number");
    row(R"({"stpes": 3})", "attacks[0].stpes: unknown key; did you mean 'steps'?");
    row(R"({"momentum": 3})", "attacks[0].momentum: unknown key; known keys: eps, steps,");
    row("[1]", "attacks[0]: [1] is not an object");
    row("\"pgd\"", "attacks[0]: \"pgd\" is not an object");
  }

  void wrongValuesAreRefused() {
    QFETCH(QString, given);
    QFETCH(QString, message);
    const std::string text = refusal(Json::parse(given.toStdString()));
    QVERIFY2(text.rfind(message.toStdString(), 0) == 0, text.c_str());
  }

  void numbersThatJsonCannotWriteAreRefused() {
    QVERIFY(contains(refusal({{"eps", std::nan("")}}), "nan is not allowed"));
    QVERIFY(contains(refusal({{"step_size", std::numeric_limits<double>::infinity()}}), "inf"));
    QVERIFY(!refusal({{"label", std::string("\xff")}, {"steps", "\xff"}}).empty());
    const std::string text = refusal({{"eps", std::string(10000, 'x')}});
    QVERIFY(text.size() < 200);
  }

  void valuesMakeTheRoundTrip() {
    const Params params(pgdOptions(), parse(R"({"shown": [7], "eps": "4/255", "steps": 20})"));
    QCOMPARE(params.changed().dump(), std::string(R"({"eps":"4/255","steps":20,"shown":[7]})"));
    const Params again(pgdOptions(), Json::parse(params.values().dump()));
    QCOMPARE(again.values().dump(), params.values().dump());
    QCOMPARE(Params(pgdOptions(), params.changed()).values(), params.values());
    QCOMPARE(params.values().begin().key(), std::string("eps"));
  }

  void anOptionThatIsNeverReadIsAMistake() {
    const Params params(pgdOptions(), {});
    for (const char* key : {"eps", "step_size"}) params.getNumber(key);
    params.getText("norm");
    params.getText("label");
    params.getBool("random_start");
    params.getTextList("keep");
    params.getIntList("shown");
    QVERIFY_EXCEPTION_THROWN(params.requireAllRead(), std::logic_error);
    params.getInt("steps");
    params.requireAllRead();
    QVERIFY_EXCEPTION_THROWN(params.getInt("epsilon"), std::logic_error);
    QVERIFY_EXCEPTION_THROWN(params.getInt("eps"), std::logic_error);
    QVERIFY_EXCEPTION_THROWN(params.getText("keep"), std::logic_error);
  }

  void schemasDescribeThemselves() {
    const OptionSchema schema = pgdOptions();
    QCOMPARE(schema.keys().size(), std::size_t{8});
    const Json eps = schema.toJson().at(0);
    QCOMPARE(eps.at("key").get<std::string>(), std::string("eps"));
    QCOMPARE(eps.at("type").get<std::string>(), std::string("float"));
    QCOMPARE(eps.at("default").get<std::string>(), std::string("8/255"));
    QCOMPARE(eps.at("allowed").get<std::string>(), std::string("0 < eps <= 1"));
    QCOMPARE(eps.at("visibility").get<std::string>(), std::string("simple"));
    QVERIFY(contains(eps.at("source").get<std::string>(), "Madry"));
    QCOMPARE(schema.find("norm")->allowed(), std::string("one of linf, l2"));
    QCOMPARE(schema.find("step_size")->allowed(), std::string("0 < step_size"));
    QCOMPARE(schema.find("random_start")->allowed(), std::string("true or false"));
    QVERIFY(!schema.find("nothing"));
    OptionSchema twice = pgdOptions();
    QVERIFY_EXCEPTION_THROWN(twice.integer("eps", 1, ""), std::logic_error);
    QVERIFY_EXCEPTION_THROWN(twice.include(schema), std::logic_error);
    OptionSchema more;
    more.boolean("extra", false, "").expert();
    twice.include(more);
    QCOMPARE(twice.keys().back(), std::string("extra"));
    // A default that its own check refuses could never be written down and read back.
    for (const auto& option : schema.options()) {
      QCOMPARE(Params::check(option, option.defaultValue, option.key), option.defaultValue);
    }
  }

  void differencesAreListedLeafByLeaf() {
    const Json before = parse(R"({"a": 1, "b": {"c": [1, 2, {"d": "x"}]}, "gone": true})");
    const Json after = parse(R"({"a": 1.0, "b": {"c": [1, 3, {"d": "y"}, 4]}, "new": null})");
    QCOMPARE(shown(diff(before, after)),
             std::string("b.c[1]:2>3 b.c[2].d:\"x\">\"y\" b.c[3]:>4 gone:true> new:>null "));
    QVERIFY(diff(before, before).empty());
    QCOMPARE(shown(diff(parse(R"({"a": {"b": 1}})"), parse(R"({"a": [1]})"))),
             std::string("a:{\"b\":1}>[1] "));
  }

  void pathsSetValues() {
    Json root = parse(R"({"a": {"b": [1, 2]}, "s": "text"})");
    setByPath(root, "a.b[0]", "10");
    setByPath(root, "a.b.1", "\"20\"");
    setByPath(root, "a.b[2]", "8/255");
    setByPath(root, "a.c.d", "true");
    setByPath(root, "s", "plain words");
    QCOMPARE(root.dump(), std::string(R"({"a":{"b":[10,"20","8/255"],"c":{"d":true}},)"
                                      R"("s":"plain words"})"));
    Json empty;
    setByPath(empty, "attacks[0].type", "pgd");
    setByPath(empty, "attacks[1].type", "fgsm");
    QCOMPARE(empty.dump(), std::string(R"({"attacks":[{"type":"pgd"},{"type":"fgsm"}]})"));
  }

  void badPathsAreRefusedAndChangeNothing() {
    const Json root = parse(R"({"a": {"b": [1, 2]}, "s": "text"})");
    for (const char* path : {"", ".", "a..b", "a.b[3]", "a.b[x]", "a.b[-1]", "a.b[99999999999]",
                             "s.x", "s[0]", "a.b[0].c", "new.x.", "new..x", "new[1]"}) {
      Json copy = root;
      QVERIFY2(!messageOf([&] { setByPath(copy, path, "1"); }).empty(), path);
      QCOMPARE(copy.dump(), root.dump());
    }
  }
};

QTEST_GUILESS_MAIN(TestParams)
#include "tst_params.moc"
