// How a detector per class sees the images of a run, and its figures against the weight of the
// logits: what is recorded, and the files.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/experiment/class_map_file.h"
#include "core/experiment/record_class_map.h"
#include "core/nn/safetensors.h"
#include "core/report/export.h"
#include "core/report/load_report.h"
#include "core/report/weight_curve.h"
#include "kept_files.h"

using namespace bulwark;
using namespace smallruns;

namespace {

constexpr char kFile[] = "class-map-1.safetensors";

Json mapSpecification() {
  Json json = smallSpecification();
  json["data"]["in"] = {{"dataset", "glyphs"}, {"train_limit", 300}, {"test_limit", 70}};
  json["data"]["out"] = {{{"dataset", "noise-uniform"}, {"test_limit", 30}},
                         {{"dataset", "adversarial"},
                          {"label", "moved"},
                          {"options", {{"attack", "fgsm"}, {"images", "all"}}},
                          {"test_limit", 25}}};
  json["detectors"] = Json::parse(R"([
    {"type": "msp"},
    {"type": "svdd", "label": "both", "layer": "conv1", "map_images": 6},
    {"type": "svdd", "label": "layer", "layer": "conv1", "logit_weight": 0, "map_images": 0},
    {"type": "svdd", "label": "logits", "layer": "conv1", "logit_weight": 1, "map_images": 0}])");
  json["attacks"] = Json::parse(R"([{"type": "fgsm", "eps": "8/255"}])");
  return json;
}

ClassMap sample() {
  ClassMap map;
  map.detector = "svdd";
  map.classNames = {"zero", "one"};
  map.neighbours = 15;
  map.minDist = 0.8;
  map.sets = {{"in", "digits"}, {"out", "noise"}};
  map.parts = {{"layer", "conv1"}, {"logits", "logits"}};
  map.samples = {{0, 2, 0, 0, -0.5}, {0, 9, 1, 0, 0.25}, {1, 4, 1, -1, 1.5}};
  map.normality = {1.0, 0.5, 0.25, -0.5, 0.0, 0.125};
  for (std::size_t part = 0; part < 2; ++part) {
    map.layouts.push_back({part, ClassMap::pooled, {0, 1, 2}, {0, 1, 2}, {3, 4, 5}, 0.75});
    map.layouts.push_back({part, 0, {0}, {1}, {2}, std::numeric_limits<double>::quiet_NaN()});
    map.layouts.push_back({part, 1, {1, 2}, {1, 3}, {2, 4}, 0.5});
  }
  map.channels = 1;
  map.height = 2;
  map.width = 3;
  for (int i = 0; i < 18; ++i) map.pixels.push_back(static_cast<std::uint8_t>(i * 13));
  return map;
}

}  // namespace

class TestClassMap : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void fileComesBackAsWritten() {
    QTemporaryDir folder;
    const std::filesystem::path path = folder.filePath("map.safetensors").toStdString();
    ClassMap map = sample();
    map.save(path);
    QVERIFY(ClassMap::load(path) == map);
    QCOMPARE(map.picture(1).size(), std::size_t{6});
    QCOMPARE(int(map.picture(1)[0]), 6 * 13);
    QCOMPARE(map.classesSeen(), (std::vector<std::int64_t>{0, 1}));
    QCOMPARE(map.layout(1, 1)->samples, (std::vector<std::size_t>{1, 2}));
    QVERIFY(!map.layout(0, 7) && !map.layout(2, 0));
    map.pixels.clear();
    map.channels = map.height = map.width = 0;
    map.save(path);
    QVERIFY(ClassMap::load(path) == map);
    QVERIFY(map.picture(1).empty());
  }

  void damagedFilesAreToldPlainly() {
    const DamagedFile<ClassMap> file(sample());
    writeFileAtomically(file.path, file.whole.substr(0, file.whole.size() / 2));
    QVERIFY(file.refused("cut short"));
    file.change([](TensorFile& kept) { kept.metadata.clear(); });
    QVERIFY(file.refused("no class map"));
    file.change([](TensorFile& kept) { kept.metadata["class_map"] = "{\"sets\": 3}"; });
    QVERIFY(file.refused("cannot be read"));
    file.change([](TensorFile& kept) { kept.tensors.erase("layout.x"); });
    QVERIFY(file.refused("layout.x"));
    file.change([](TensorFile& kept) { kept.tensors["layout.x"] = torch::zeros({3}); });
    QVERIFY(file.refused("layout.x"));
    file.change([](TensorFile& kept) {
      kept.tensors["layout.x"] = kept.tensors["layout.x"].to(torch::kFloat64);
    });
    QVERIFY(file.refused("another type"));
    file.change([](TensorFile& kept) { kept.tensors["layout.x"][1] = std::nan(""); });
    QVERIFY(file.refused("not finite"));
    file.change([](TensorFile& kept) { kept.tensors["layout.size"][0] = 100; });
    QVERIFY(file.refused("more points"));
    file.change([](TensorFile& kept) { kept.tensors["layout.size"][0] = -1; });
    QVERIFY(file.refused("more points"));
    file.change([](TensorFile& kept) { kept.tensors["layout.part"][0] = 2; });
    QVERIFY(file.refused("none of its parts"));
    file.change([](TensorFile& kept) { kept.tensors["layout.part"][0] = -1; });
    QVERIFY(file.refused("none of its parts"));
    file.change([](TensorFile& kept) { kept.tensors["layout.predicted"][0] = -2; });
    QVERIFY(file.refused("no class"));
    file.change([](TensorFile& kept) { kept.tensors["layout.predicted"][0] = 1; });
    QVERIFY(file.refused("another class"));
    file.change([](TensorFile& kept) { kept.tensors["layout.sample"][1] = 0; });
    QVERIFY(file.refused("not in their order"));
    file.change([](TensorFile& kept) { kept.tensors["layout.sample"][2] = 3; });
    QVERIFY(file.refused("not there"));
    file.change([](TensorFile& kept) { kept.tensors["sample.set"][0] = 2; });
    QVERIFY(file.refused("none of its sets"));
    file.change([](TensorFile& kept) { kept.tensors["sample.predicted"][0] = -1; });
    QVERIFY(file.refused("no class"));
    file.change([](TensorFile& kept) { kept.tensors["sample.normality"] = torch::zeros({3, 1}); });
    QVERIFY(file.refused("sample.normality"));
    file.change([](TensorFile& kept) {
      kept.tensors["pixels"] = torch::zeros({2, 1, 2, 3}, torch::kUInt8);
    });
    QVERIFY(file.refused("pixels"));
    std::filesystem::remove(file.path);
    QVERIFY(file.refused("no such file"));
  }

  void samplesAreBalanced() {
    const auto ramp = [](std::size_t from, std::size_t count) {
      std::vector<std::size_t> numbers(count);
      for (std::size_t i = 0; i < count; ++i) numbers[i] = from + i;
      return numbers;
    };
    const auto of = [](const std::vector<std::size_t>& chosen, std::size_t from, std::size_t to) {
      return std::count_if(chosen.begin(), chosen.end(),
                           [&](std::size_t i) { return i >= from && i < to; });
    };
    // 1000 in; outs of 10, 300 and 500.
    const auto many =
        balancedSamples({ramp(0, 1000), ramp(1000, 10), ramp(1010, 300), ramp(1310, 500)}, 200);
    QCOMPARE(many.size(), std::size_t{200});
    QCOMPARE(of(many, 0, 1000), 100);
    QCOMPARE(of(many, 1000, 1010), 10);
    QCOMPARE(of(many, 1010, 1310), 45);
    QCOMPARE(of(many, 1310, 1810), 45);
    QVERIFY(std::is_sorted(many.begin(), many.end()));
    QCOMPARE(many[0], std::size_t{0});
    QCOMPARE(many[1], std::size_t{10});  // spread evenly
    // What the one side cannot fill is left to the other.
    const auto fewOut = balancedSamples({ramp(0, 1000), ramp(1000, 5)}, 200);
    QCOMPARE(of(fewOut, 0, 1000), 195);
    const auto fewIn = balancedSamples({ramp(0, 7), ramp(7, 400)}, 200);
    QCOMPARE(of(fewIn, 0, 7), 7);
    QCOMPARE(fewIn.size(), std::size_t{200});
    QCOMPARE(balancedSamples({ramp(0, 3), ramp(3, 4), {}}, 200), ramp(0, 7));
    QVERIFY(balancedSamples({{}, {}}, 200).empty());
  }

  void aRunRecordsItAndNothingElseChanges() {
    Bench bench;
    const auto run = bench.create(mapSpecification());
    bench.execute(run);
    const auto folder = bench.store->artefactFolder(run);
    const auto files = keptFiles(bench, run, ClassMap::kind);
    QCOMPARE(files, std::vector<std::string>{kFile});
    const auto map = ClassMap::load(folder / kFile);
    QCOMPARE(map.detector, std::string("both"));
    QCOMPARE(map.minDist, 0.8);
    QCOMPARE(map.classNames.size(), std::size_t{26});
    QCOMPARE(map.sets, (std::vector<ClassMap::Set>{
                           {"in", "glyphs"}, {"out", "noise-uniform"}, {"out", "moved"}}));
    QCOMPARE(map.parts, (std::vector<ClassMap::Part>{{"layer", "conv1"}, {"logits", "logits"}}));
    QCOMPARE(map.samples.size(), std::size_t{60 + 6 + 6});
    QCOMPARE(map.normality.size(), std::size_t{72 * 2});
    QCOMPARE(map.pixels.size(), std::size_t{72 * 28 * 28});
    for (std::size_t i = 0; i < map.samples.size(); ++i) {
      const auto& of = map.samples[i];
      const auto& set = map.sets[of.set];
      const auto stored = bench.store->scores(run, "both", "", set.name, set.role == "out");
      QCOMPARE(of.score, stored->scores[std::size_t(of.index)]);
      // The score is made of the parts.
      QVERIFY(std::abs(of.score + (map.normality[2 * i] + map.normality[2 * i + 1]) / 2) < 1e-5);
      QVERIFY(of.predicted >= 0 && of.predicted < 26);
      QCOMPARE(of.label < 0, set.name == "noise-uniform");
    }
    // Classes and pictures are those of the image pairs.
    int pictures = 0;
    for (const auto& pair : bench.store->imagePairs(run)) {
      for (std::size_t i = 0; i < map.samples.size(); ++i) {
        const auto& of = map.samples[i];
        if (map.sets[of.set].name != pair.dataset || of.index != pair.sample) continue;
        if (of.label >= 0) QCOMPARE(of.label, pair.label);
        QVERIFY(samePicture(map.picture(i), pair.before));
        ++pictures;
      }
    }
    QVERIFY(pictures >= 5);
    const auto classes = map.classesSeen();
    QCOMPARE(map.layouts.size(), 2 * (classes.size() + 1));
    for (std::size_t part = 0; part < 2; ++part) {
      const auto* all = map.layout(part, ClassMap::pooled);
      QCOMPARE(all->samples.size(), map.samples.size());
      // The features of all classes are laid out as they are: neighbours stay neighbours.
      QVERIFY(all->trustworthiness > 0.8);
      std::size_t sum = 0;
      for (const auto predicted : classes) sum += map.layout(part, predicted)->samples.size();
      QCOMPARE(sum, map.samples.size());
    }

    Json without = mapSpecification();
    without["detectors"][1]["map_images"] = 0;
    const auto plain = bench.create(without);
    bench.execute(plain);
    QVERIFY(keptFiles(bench, plain, ClassMap::kind).empty());
    QCOMPARE(bench.results(plain), bench.results(run));
    QCOMPARE(bench.store->scores(plain, "both", "fgsm", "moved", true)->scores,
             bench.store->scores(run, "both", "fgsm", "moved", true)->scores);
    checkCurves(bench, run);
  }

  void aCancelledRunRecordsTheSame() {
    Bench bench;
    Json json = mapSpecification();
    json["detectors"].erase(3);
    json["detectors"].erase(2);
    const auto whole = bench.create(json);
    bench.execute(whole);
    const auto path = [&](std::int64_t run) { return bench.store->artefactFolder(run) / kFile; };
    const auto sum = sha256File(path(whole));
    // msp has 3 clean and 3 attacked sets; after 9 come the maps.
    for (const int scores : {9, 10}) {
      const auto cut = bench.create(json);
      QVERIFY(cutAfterScores(bench, cut, scores));
      QCOMPARE(std::filesystem::exists(path(cut)), scores == 10);
      const auto when = scores == 10 ? std::filesystem::last_write_time(path(cut))
                                     : std::filesystem::file_time_type{};
      bench.execute(cut);
      if (scores == 10) QVERIFY(std::filesystem::last_write_time(path(cut)) == when);
      QCOMPARE(sha256File(path(cut)), sum);
      QCOMPARE(bench.results(cut), bench.results(whole));
      writeFileAtomically(path(cut), "cut");
      bench.execute(cut);
      QCOMPARE(sha256File(path(cut)), sum);
    }
  }

 private:
  /// The curve goes through the figures of the detectors that have its weights.
  void checkCurves(Bench& bench, std::int64_t run) {
    const auto rows = bench.store->results(run);
    const auto rowOf = [&](const char* detector, const ResultRow& like) {
      return *std::find_if(rows.begin(), rows.end(), [&](const ResultRow& row) {
        return row.detector == detector && row.out == like.out && row.setting == like.setting;
      });
    };
    int curves = 0;
    for (const auto& row : rows) {
      const auto curve = WeightCurve::of(row);
      QCOMPARE(curve.has_value(), row.extra.contains("auroc_per_class"));
      if (row.detector == "msp") QVERIFY(!curve);
      if (row.detector != "both" || !curve) continue;
      ++curves;
      QCOMPARE(curve->own, 0.5);
      QCOMPARE(curve->weights.size(), std::size_t{21});
      QCOMPARE(curve->series.size(), std::size_t{2});
      for (const auto& series : curve->series) {
        QCOMPARE(series.values[10], row.extra.at(series.metric).get<double>());
        if (row.setting != "clean") continue;  // other points are attacked there
        QCOMPARE(series.values.front(), rowOf("layer", row).extra.at(series.metric).get<double>());
        QCOMPARE(series.values.back(), rowOf("logits", row).extra.at(series.metric).get<double>());
      }
    }
    QVERIFY(curves >= 4);
    const std::vector<RunReport> reports = {loadReport(*bench.store, run, partsNeeded("weights"))};
    const std::string csv = exportRuns(reports, "weights", "csv");
    QVERIFY(csv.find(",both,,clean,noise-uniform,0.05,0,tnr95_per_class,") != std::string::npos);
    for (const char* format : {"csv", "json", "txt", "md"}) {
      QVERIFY(exportRuns(reports, "table", format).find("logit_weight") == std::string::npos);
    }
  }
};

QTEST_GUILESS_MAIN(TestClassMap)
#include "tst_class_map.moc"
