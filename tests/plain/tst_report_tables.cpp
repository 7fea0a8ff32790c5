#include <QtTest/QtTest>
#include <cmath>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/health/check.h"
#include "core/report/attack_table.h"
#include "core/report/auroc_curves.h"
#include "core/report/escape.h"
#include "core/report/export.h"
#include "core/report/table_layout.h"
#include "core/report/weight_curve.h"
#include "report_sample.h"

using namespace bulwark;
using namespace std::string_literals;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

int occurrences(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

/// Records of an RFC 4180 file, read independently of the writer.
std::vector<std::vector<std::string>> readCsv(const std::string& text) {
  std::vector<std::vector<std::string>> records(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& field = records.back().back();
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else if (c == '"') {
        quoted = false;
      } else {
        field += c;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      records.back().emplace_back();
    } else if (c == '\n') {
      records.emplace_back(1);
    } else {
      field += c;
    }
  }
  records.pop_back();
  return records;
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace

class TestReportTables : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void escapes() {
    QCOMPARE(escapeLatex("a_b & 5 % #1 $x$ {y}"),
             std::string("a\\_b \\& 5 \\% \\#1 \\$x\\$ \\{y\\}"));
    QCOMPARE(escapeLatex("~^\\<>"), std::string("\\textasciitilde{}\\textasciicircum{}"
                                                "\\textbackslash{}\\textless{}\\textgreater{}"));
    QCOMPARE(escapeHtml("<a href=\"x\">'&'</a>\x01"),
             std::string("&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"));
    QCOMPARE(escapeMarkdown("a|b_c*<x>\nd"), std::string("a\\|b\\_c\\*&lt;x> d"));
    QCOMPARE(csvField("plain"), std::string("plain"));
    QCOMPARE(csvField("a,\"b\""), std::string("\"a,\"\"b\"\"\""));
    QCOMPARE(textWidth("\xC3\xA9t\xC3\xA9"), 3);
  }

  void base64Vectors() {  // RFC 4648, section 10
    QCOMPARE(base64(""), std::string());
    QCOMPARE(base64("f"), std::string("Zg=="));
    QCOMPARE(base64("fo"), std::string("Zm8="));
    QCOMPARE(base64("foo"), std::string("Zm9v"));
    QCOMPARE(base64("foobar"), std::string("Zm9vYmFy"));
    const std::string bytes = "\xff\x00\x80"s;
    QCOMPARE(base64(bytes), std::string("/wCA"));
  }

  void longCsv() {
    const RunReport report = sample::run();
    const auto records = readCsv(writeTable({report}, TableFormat::Csv));
    QCOMPARE(records.size(), report.results.size() + 1);
    const auto& header = records[0];
    for (std::size_t k = 0; k < longTableColumns().size(); ++k) {
      QCOMPARE(header[k], longTableColumns()[k]);
    }
    QVERIFY(std::find(header.begin(), header.end(), "tie_share") != header.end());
    for (std::size_t k = 0; k < report.results.size(); ++k) {
      const auto& record = records[k + 1];
      const ResultRow& row = report.results[k];
      QCOMPARE(record.size(), header.size());
      QCOMPARE(record[0], std::string("7"));
      QCOMPARE(record[1], report.run.name);
      QCOMPARE(record[3], row.detector);
      QCOMPARE(record[4], row.attack);
      QCOMPARE(record[6], row.out);
      QCOMPARE(std::stod(record[7]), row.auroc);  // reads back as the same double
      QCOMPARE(std::stod(record[10]), row.fpr95Id);
      QCOMPARE(record[14], std::to_string(row.nIn));
    }
    // The published figure stands in its row only.
    int published = 0;
    const auto column = std::find(header.begin(), header.end(), "published_auroc") - header.begin();
    for (const auto& record : records) published += record[std::size_t(column)] == "0.9125" ? 1 : 0;
    QCOMPARE(published, 1);
    QVERIFY(header.back() == "health" && contains(records[1].back(), "no saturated"));
  }

  void longJson() {
    const RunReport report = sample::run();
    const Json records = Json::parse(writeTable({report, sample::run(8)}, TableFormat::Json));
    QCOMPARE(records.size(), 2 * report.results.size());
    QCOMPARE(records[0]["run"].get<int>(), 7);
    QVERIFY(records[0]["attack"].is_null());
    QCOMPARE(records[0]["auroc"].get<double>(), report.results[0].auroc);
    QCOMPARE(records.back()["run"].get<int>(), 8);
    int published = 0;
    for (const Json& record : records) published += record.contains("published") ? 1 : 0;
    QCOMPARE(published, 2);
  }

  void wideAndTallLayout() {
    TableOptions options;
    options.layout = TableLayout::Wide;
    const PaperTable wide = layOut({sample::run()}, options);
    QCOMPARE(wide.rows.size(), 2U);
    QCOMPARE(wide.columns.size(), 8U);  // two out sets x (clean, in, out, in_out)
    QCOMPARE(wide.columns[0].setting, std::string("clean"));
    QCOMPARE(wide.columns[3].setting, std::string("in_out"));
    QCOMPARE(wide.columns[4].out, std::string("mnist"));
    options.layout = TableLayout::Tall;
    const PaperTable tall = layOut({sample::run(), sample::run(8)}, options);
    QCOMPARE(tall.rows.size(), 8U);
    QCOMPARE(tall.columns.size(), 4U);
    QCOMPARE(tall.keyTitles().size(), 3U);
    QCOMPARE(tall.rows[0].run, std::string("demo & \"more\" (run 7)"));
    for (const TableRow& row : tall.rows) {
      for (const auto& cell : row.cells) QVERIFY(cell.has_value());
    }
    QCOMPARE(tall.rows[0].cells[0]->value, sample::run().results[0].auroc);
    // A missing cell is shown as missing, and a second attack names its columns.
    RunReport report = sample::run();
    report.results.pop_back();
    ResultRow other = report.results[1];
    other.attack = "fgsm";
    report.results.push_back(other);
    const PaperTable holes = layOut({report}, options);
    QCOMPARE(holes.columns.size(), 5U);
    QCOMPARE(holes.columnTitle(holes.columns[4]), std::string("fgsm: In"));
    QVERIFY(!holes.rows.back().cells[3].has_value());
    QCOMPARE(cellText(holes.rows.back().cells[3], options), std::string("-"));
  }

  void latexTable() {
    const std::string text = writeTable({sample::run()}, TableFormat::Latex);
    for (const char* part :
         {"\\toprule", "\\midrule", "\\bottomrule", "\\begin{tabular}{lrrrrrrrr}",
          "\\cmidrule(lr){2-5}", "\\cmidrule(lr){6-9}", "rel\\_maha \\#1, v2",
          "50\\% \\textless{}glyphs\\textgreater{} \\&", "In \\& Out", "\\label{tab:bulwark}",
          "(published 0.912, Lee\\_2018,"}) {
      QVERIFY2(contains(text, part), part);
    }
    // Every row of the body has as many cells as the table has columns.
    int rows = 0;
    bool body = false;
    for (const QString& line : QString::fromStdString(text).split('\n')) {
      if (line == "\\midrule") body = true;
      if (line == "\\bottomrule") body = false;
      if (!body || !line.endsWith("\\\\")) continue;
      ++rows;
      QString bare = line;
      bare.remove("\\&");
      QCOMPARE(bare.count('&'), 8);
    }
    QCOMPARE(rows, 2);
    // No special character is left bare (comments and commands aside).
    const QString bodyText = QString::fromStdString(text).section("\\centering", 1);
    QVERIFY(!bodyText.contains(QRegularExpression("(?<!\\\\)[_%#]")));
    QCOMPARE(occurrences(text, "{"), occurrences(text, "}"));
  }

  void latexSpansOfSeveralRuns() {
    RunReport report = sample::run();
    ResultRow other = report.results[1];
    other.attack = "fgsm";
    report.results.push_back(other);
    TableOptions options;
    options.layout = TableLayout::Wide;
    const std::string text = writeTable({report, sample::run(8)}, TableFormat::Latex, options);
    // Two key columns, then five columns per out set.
    QVERIFY(contains(text, "\\begin{tabular}{llrrrrrrrrrr}"));
    QVERIFY(contains(text, "& & \\multicolumn{5}{c}{50\\%") ||
            contains(text, "& \\multicolumn{5}{c}{50\\%"));
    QVERIFY(contains(text, "\\cmidrule(lr){3-7}\\cmidrule(lr){8-12}"));
    QVERIFY(contains(text, "\\cmidrule(lr){4-6}"));
    for (const QString& line : QString::fromStdString(text).split('\n')) {
      if (!line.contains("\\multicolumn")) continue;
      int columns = 0;
      const QStringList cells = QString(line).remove("\\&").remove("\\\\").split('&');
      for (const QString& cell : cells) {
        const auto match = QRegularExpression("multicolumn\\{(\\d+)\\}").match(cell);
        columns += match.hasMatch() ? match.captured(1).toInt() : 1;
      }
      QCOMPARE(columns, 12);
    }
  }

  void markdownTable() {
    const std::string text = writeTable({sample::run()}, TableFormat::Markdown);
    const QStringList lines = QString::fromStdString(text).split('\n', Qt::SkipEmptyParts);
    QCOMPARE(lines.size(), 4 + 1);  // the health line stands below
    const auto bars = [](QString line) { return line.remove("\\|").count('|'); };
    for (int k = 0; k < 4; ++k) QCOMPARE(bars(lines[k]), 10);
    QVERIFY(lines[4].contains("no saturated"));
    QVERIFY(contains(text, "rel\\_maha #1, v2"));
    QVERIFY(contains(text, "&lt;glyphs>"));
    QVERIFY(contains(text, "(published 0.912, Lee\\_2018, &lt;table> 2 & 3)"));
  }

  void htmlTable() {
    const std::string text = writeTable({sample::run()}, TableFormat::Html);
    QVERIFY(contains(text, "50% &lt;glyphs&gt; &amp; &quot;x&quot;"));
    QVERIFY(contains(text, "colspan=\"4\""));
    QVERIFY(!contains(text, "<glyphs>"));
    QCOMPARE(occurrences(text, "<tr>"), occurrences(text, "</tr>"));
    QCOMPARE(occurrences(text, "<td>"), 16);
  }

  void textTable() {
    const std::string text = writeTable({sample::run()}, TableFormat::Text);
    const QStringList lines = QString::fromStdString(text).split('\n', Qt::SkipEmptyParts);
    // Title, header, rule; two detectors x two out sets; the health line.
    QCOMPARE(lines.size(), 3 + 4 + 1);
    QVERIFY(lines[1].startsWith("Detector"));
    QVERIFY(lines[1].endsWith("In & Out"));
    // Right-aligned values: every line ends in the column of the rule's end.
    for (int k = 3; k < 7; ++k) QCOMPARE(lines[k].size(), lines[2].size());
    QVERIFY(lines[7].contains("no saturated"));
    const RunReport report = sample::run();
    QVERIFY(contains(text, formatFixed(report.results[0].auroc, 3) + " [" +
                               formatFixed(report.results[0].ciLow, 3)));
  }

  void otherMetricsAndOptions() {
    TableOptions options;
    options.metric = "fpr95_ood";
    options.decimals = 2;
    const RunReport report = sample::run();
    const std::string text = writeTable({report}, TableFormat::Text, options);
    QVERIFY(contains(text, "FPR95 (out positive)"));
    QVERIFY(!contains(text, "["));
    QVERIFY(contains(text, formatFixed(report.results[0].fpr95Ood, 2)));
    options.metric = "tie_share";
    QVERIFY(contains(writeTable({report}, TableFormat::Text, options), "Tied pairs"));
    options.metric = "aurok";
    const std::string refused = refusal([&] { writeTable({report}, TableFormat::Text, options); });
    QVERIFY2(contains(refused, "aurok") && contains(refused, "auroc"), refused.c_str());
    options.metric = "auroc";
    options.intervals = false;
    options.published = false;
    const std::string bare = writeTable({report}, TableFormat::Latex, options);
    QVERIFY(!contains(bare, "scriptsize") && !contains(bare, "published"));
  }

  void consistency() {
    RunReport report = sample::run();
    Consistency good = checkConsistency({report});
    QCOMPARE(good.rows, 4);
    QCOMPARE(good.consistent, 4);
    QVERIFY(contains(good.line(), "consistent: 4 of 4 rows"));
    for (ResultRow& row : report.results) {
      if (row.setting == "in_out" && row.detector == "msp" && row.out == "mnist") row.auroc = 1.0;
    }
    const Consistency bad = checkConsistency({report});
    QCOMPARE(bad.rows, 4);
    QCOMPARE(bad.consistent, 3);
    QVERIFY(!bad.violations.empty());
    QVERIFY(contains(bad.violations[0], "msp") && contains(bad.violations[0], "mnist"));
    // An attack on a cost of the classifier need not be worse for the score than none.
    RunReport other = report;
    other.run.specification["attacks"] = {
        {{"type", "fgsm"}, {"label", sample::kAttack}, {"loss", "mse"}}};
    QCOMPARE(checkConsistency({other}).rows, 0);
    other.run.specification["attacks"][0]["loss"] = "objective";
    QCOMPARE(checkConsistency({other}).consistent, 3);
    // An attack that stops at a threshold has no AUROC, and nothing that could contradict.
    for (ResultRow& row : report.results) {
      if (!row.attack.empty()) row.auroc = std::nan("");
    }
    const Consistency crossing = checkConsistency({report});
    QCOMPARE(crossing.rows, 0);
    QVERIFY(crossing.violations.empty());
  }

  void emptyInputsAreRefused() {
    RunReport empty;
    for (const ExportKind& kind : exportKinds()) {
      for (const std::string& format : kind.formats) {
        QVERIFY(contains(refusal([&] { exportRuns({}, kind.name, format); }), "no runs"));
        if (kind.name == "spec" || kind.name == "report") continue;
        const std::string text = refusal([&] { exportRuns({empty}, kind.name, format); });
        QVERIFY2(contains(text, "there are no "), text.c_str());
      }
    }
    QVERIFY(contains(refusal([] { exportRuns({sample::run()}, "tabel", "csv"); }), "table"));
    QVERIFY(contains(refusal([] { exportRuns({sample::run()}, "roc", "png"); }), "window"));
  }

  /// Why there is nothing: the run that did not finish, with its message.
  void unfinishedRunsAreNamed() {
    const auto unfinished = [](std::int64_t id, RunState state, const char* error) {
      RunReport report;
      report.run.id = id;
      report.run.state = state;
      report.run.error = error;
      return report;
    };
    const RunReport failed = unfinished(3, RunState::Failed, "data.in: 'mnst' is not installed");
    const std::string why =
        "; run 3 failed: data.in: 'mnst' is not installed; choose runs that are done";
    for (const ExportKind& kind : exportKinds()) {
      if (kind.name == "spec" || kind.name == "report") continue;
      const std::string text =
          refusal([&] { exportRuns({failed}, kind.name, kind.formats.front()); });
      QVERIFY2(contains(text, "there are no ") && text.ends_with(why), text.c_str());
    }
    const auto weights = [](const std::vector<RunReport>& runs) {
      const std::string text = refusal([&] { exportRuns(runs, "weights", "csv"); });
      return QString::fromStdString(text);
    };
    const QString none = "report: there are no curves over the weight of the logits to export";
    const QString hint = "; runs of the detector svdd have them";
    const RunReport done = unfinished(5, RunState::Done, "");
    QCOMPARE(weights({done}), none + hint);
    QCOMPARE(weights({done, unfinished(4, RunState::Queued, "")}),
             none + "; run 4 is queued" + hint);
    QCOMPARE(
        weights({unfinished(6, RunState::Cancelled, ""), failed,
                 unfinished(7, RunState::Interrupted, "the worker died"), done, failed, failed}),
        none +
            "; run 6 was cancelled; run 3 failed: data.in: 'mnst' is not installed; run 7 was "
            "interrupted: the worker died; 2 more did not finish" +
            hint);
  }

  void everyKindAndFormatWrites() {
    for (const ExportKind& kind : exportKinds()) {
      for (const std::string& format : kind.formats) {
        const std::string content = exportRuns({sample::run(), sample::run(8)}, kind.name, format);
        QVERIFY2(content.size() > 100, (kind.name + " " + format).c_str());
        // The same input gives the same bytes.
        QVERIFY(content == exportRuns({sample::run(), sample::run(8)}, kind.name, format));
        if (format == "json") QVERIFY(!Json::parse(content).empty());
      }
    }
    const ReportParts table = partsNeeded("table");
    QVERIFY(table.results && !table.scores && !table.pairs);
    QVERIFY(partsNeeded("report").pairs && partsNeeded("images").pairs);
  }

  void redHealthTaintsATable() {
    RunReport report = sample::run();
    report.run.summary["health"] = "health: 1 red (H15 msp), 3 green";
    report.run.summary["health_checks"] = {
        {{"id", "H15"}, {"subject", "msp"}, {"verdict", "red"}},
        {{"id", "H14"}, {"subject", sample::kDetector}, {"verdict", "amber"}}};
    const QString dagger = QString::fromUtf8("\u2020");
    for (const char* format : {"txt", "md", "html", "tex"}) {
      const auto text = QString::fromStdString(exportRuns({report}, "table", format));
      QVERIFY2(text.contains("msp" + dagger), format);
      QVERIFY2(!text.contains("v2" + dagger), format);
      QVERIFY2(text.contains("H15 msp"), format);
      // What the numbers stand for: of red and amber ones, in their order, once.
      const auto names = QString::fromStdString("H14: " + healthRule("H14").title +
                                                "; H15: " + healthRule("H15").title);
      QVERIFY2(text.count(names) == 1, format);
      QVERIFY2(!text.contains("H16:"), format);
      QVERIFY2(text.contains(dagger + " A health check"), format);
    }
    for (const char* format : {"csv", "json"}) {
      const auto text = QString::fromStdString(exportRuns({report}, "table", format));
      QVERIFY2(text.contains("H15 msp") && !text.contains(dagger), format);
    }
    // H8 and H32 are about an attack: every row with that attack.
    report.run.summary["health_checks"][0]["subject"] = report.results.back().attack;
    for (const char* format : {"txt", "md", "html", "tex"}) {
      const auto text = QString::fromStdString(exportRuns({report}, "table", format));
      QVERIFY2(text.contains("msp" + dagger) && text.contains("v2" + dagger), format);
    }
    RunReport partly = report;
    std::erase_if(partly.results, [](const ResultRow& row) {
      return row.detector == "msp" && !row.attack.empty();
    });
    const auto text = QString::fromStdString(exportRuns({partly}, "table", "txt"));
    QVERIFY(!text.contains("msp" + dagger) && text.contains("v2" + dagger));
    report.run.summary["health_checks"][0]["subject"] = "msp";
    report.run.summary["health_checks"][0]["verdict"] = "amber";
    for (const char* format : {"txt", "md", "html", "tex"}) {
      const auto text = QString::fromStdString(exportRuns({report}, "table", format));
      QVERIFY2(!text.contains(dagger) && text.contains("H15 msp"), format);
    }
  }

  void effortCurvesShowTheHardestSetting() {
    const auto run = sample::run();
    const auto figures = aurocFigures({run});
    QCOMPARE(figures.size(), std::size_t{4});  // two quantities, two out sets
    for (const Figure& figure : figures) {
      QCOMPARE(figure.series.size(), std::size_t{2});  // detectors
      const bool radius = contains(figure.xLabel, "Radius");
      QVERIFY(radius || figure.xLabel == "Steps");
      QVERIFY(figure.series[0].y == (radius ? std::vector{0.9, 0.25} : std::vector{0.7, 0.6}));
      QVERIFY(contains(figure.series[0].name, radius ? "In & Out" : "Out"));
    }
    const std::string csv = exportRuns({run}, "curves", "csv");
    QVERIFY(csv.starts_with("run,run_name,detector,attack,setting,out,over,x,auroc\n"));
    QVERIFY(contains(csv, ",epsilon,0.5,0.25\n") && contains(csv, ",in,mnist,epsilon,0.5,0.8\n"));
    const Json json = Json::parse(exportRuns({run}, "curves", "json"));
    QCOMPARE(json.size(), std::size_t{2 * 2 * 3});
    QVERIFY(contains(exportRuns({run}, "report", "html"), "the adversary's effort"));
  }

  void weightCurvesStandApart() {
    const auto run = sample::run();
    const std::string csv = exportRuns({run}, "weights", "csv");
    QVERIFY(csv.starts_with("run,run_name,detector,attack,setting,out,weight,own,metric,value\n"));
    QVERIFY(contains(csv, ",clean,mnist,0.5,1,tnr95_per_class,0.75\n"));
    QVERIFY(contains(csv, ",clean,mnist,1,0,auroc_per_class,0.625\n"));
    QCOMPARE(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 4 * 2 * 3);
    const auto figures = weightFigures({run});
    QCOMPARE(figures.size(), std::size_t{2});  // one per metric, clean
    for (const Figure& figure : figures) {
      QCOMPARE(figure.series.size(), std::size_t{2});  // out sets
      QVERIFY(figure.series[1].x == (std::vector{0.0, 0.5, 1.0}));
    }
    const auto curve = WeightCurve::of(run.results.front());
    QVERIFY(curve && curve->own == 0.5);
    ResultRow copy = run.results.front();
    copy.extra[WeightCurve::key] = curve->toJson();
    QVERIFY(WeightCurve::of(copy) == curve);
    copy.extra[WeightCurve::key]["auroc_per_class"] = {0.5};
    QVERIFY(!WeightCurve::of(copy));
    copy.extra[WeightCurve::key] = "x";
    QVERIFY(!WeightCurve::of(copy));
    // Tables show figures, not curves.
    for (const char* format : {"csv", "json", "md", "tex", "html", "txt"}) {
      QVERIFY2(!contains(exportRuns({run}, "table", format), "logit_weight"), format);
    }
  }

  void attacksAreListedWithTheirCost() {
    RunReport report;
    report.run.id = 3;
    report.run.name = "many";
    report.run.specification = Json::parse(R"json({"attacks": [
        {"type": "fgsm", "label": "fgsm", "eps": "8/255", "norm": "linf"},
        {"type": "pgd", "label": "pgd-100", "eps": 0.03137254901960784, "norm": "linf", "steps": 100,
         "step_size": "2/255"},
        {"type": "pgd", "label": "pgd-10", "eps": "8/255", "norm": "linf", "steps": 10,
         "step_size": 0},
        {"type": "fgsm", "label": "far", "eps": "16/255", "norm": "linf"},
        {"type": "pgd", "label": "pgd-l2", "eps": "8/255", "norm": "l2", "steps": 1000},
        {"type": "pgd", "label": "whole box", "eps": 1, "norm": "linf", "steps": 10}]})json");
    const auto row = [&](const char* attack, const char* setting, double auroc) {
      ResultRow result;
      result.detector = "msp";
      result.attack = attack;
      result.setting = setting;
      result.out = "glyphs";
      result.auroc = auroc;
      report.results.push_back(result);
    };
    row("", "clean", 0.9);
    // Stored in another order than asked for.
    for (const auto& [attack, value] :
         std::vector<std::pair<const char*, double>>{{"pgd-10", 0.30},
                                                     {"pgd-100", 0.31},
                                                     {"fgsm", 0.5},
                                                     {"far", 0.2},
                                                     {"pgd-l2", 0.8},
                                                     {"whole box", 0}}) {
      row(attack, "in", value + 0.1);
      row(attack, "out", value + 0.2);
      row(attack, "in_out", value);
      ScoreSet set;
      set.detector = "msp";
      set.attack = attack;
      set.dataset = "fashion";
      set.scores.assign(30, 0.0);
      set.forwards = 60;
      set.backwards = 30;
      set.seconds = 1.5;
      report.scores.push_back(set);
      set.dataset = "glyphs";
      set.out = true;
      set.scores.assign(10, 0.0);
      set.forwards = 100;
      report.scores.push_back(set);
      set.dataset = "another";
      set.forwards = 77777;
      report.scores.push_back(set);
    }
    const auto rows = attackRows(report);
    QCOMPARE(rows.size(), std::size_t{6});
    QVERIFY(rows[0].attack == "fgsm" && rows[1].attack == "pgd-100" && rows[2].attack == "pgd-10");
    QCOMPARE(*rows[1].clean, 0.9);
    QCOMPARE(*rows[1].in, 0.41);
    QCOMPARE(*rows[1].outOnly, 0.51);
    QCOMPARE(*rows[1].inOut, 0.31);
    QCOMPARE(rows[1].forwards, 160.0 / 40);
    QCOMPARE(rows[1].backwards, 60.0 / 40);
    QCOMPARE(rows[1].seconds, 3.0);

    // 100 steps, of a size written out, are weaker than 10 of an automatic one by 0.01: the one
    // rule that breaks. Neither the l2 ball nor a radius of 16/255 compares with 8/255, however it
    // is written.
    const auto orderings = checkOrderings(report);
    QStringList broken;
    QStringList all;
    for (const auto& ordering : orderings) {
      all << QString::fromStdString(ordering.rule);
      QCOMPARE(ordering.compared, 1);
      if (ordering.held == 0) broken << all.back();
    }
    QCOMPARE(all, (QStringList{"pgd-100 <= fgsm", "pgd-100 <= pgd-10", "pgd-10 <= fgsm",
                               "whole box < 0.01"}));
    QCOMPARE(broken, QStringList{"pgd-100 <= pgd-10"});
    QVERIFY(std::abs(orderings[1].worst - 0.01) < 1e-12);
    QCOMPARE(orderings[1].where, std::string("msp, glyphs"));

    // More restarts are compared at another step size, too; with momentum it is another attack.
    RunReport restarted = report;
    restarted.run.specification = Json::parse(R"json({"attacks": [
        {"type": "pgd", "label": "pgd-100", "eps": "8/255", "restarts": 5, "step_size": "2/255"},
        {"type": "pgd", "label": "pgd-10", "eps": "8/255", "restarts": 1, "step_size": 0},
        {"type": "pgd", "label": "far", "eps": "8/255", "restarts": 1, "step_size": 0,
         "momentum": 1}]})json");
    const auto restarts = checkOrderings(restarted);
    QCOMPARE(restarts.size(), std::size_t{1});
    QCOMPARE(restarts[0].rule, std::string("pgd-100 <= pgd-10"));

    // Without the gradient nothing is stronger than APGD and the PGD of most steps; shorter ones
    // and other balls say nothing.
    RunReport blind = report;
    blind.run.specification = Json::parse(R"json({"attacks": [
        {"type": "square", "label": "fgsm", "eps": "8/255"},
        {"type": "pgd", "label": "pgd-100", "eps": "8/255", "steps": 100, "restarts": 1},
        {"type": "pgd", "label": "pgd-10", "eps": "8/255", "steps": 10, "restarts": 2},
        {"type": "apgd", "label": "far", "eps": "16/255"}]})json");
    const auto blindRules = checkOrderings(blind);
    QCOMPARE(blindRules.size(), std::size_t{1});
    QCOMPARE(blindRules[0].rule, std::string("pgd-100 <= fgsm"));
    QCOMPARE(blindRules[0].held, 1);

    const auto text = QString::fromStdString(exportRuns({report}, "attacks", "md"));
    QVERIFY2(
        text.contains(
            "| msp | pgd-100 | linf 8/255 | 0.900 | 0.410 | 0.510 | 0.310 | 4.0 | 1.5 | 3.0 |"),
        qPrintable(text));
    QCOMPARE(QString::fromStdString(exportRuns({report}, "attacks", "csv")).count('\n'), 7);
    QCOMPARE(Json::parse(exportRuns({report}, "attacks", "json")).size(), std::size_t{6});
    const auto page = QString::fromStdString(exportRuns({report}, "report", "md"));
    QVERIFY(page.contains("## Orderings") && page.contains("#### Against glyphs"));
    QVERIFY(!page.contains("95 % bootstrap"));
  }
};

QTEST_GUILESS_MAIN(TestReportTables)
#include "tst_report_tables.moc"
