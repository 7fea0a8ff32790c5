// Which images a run trains on, keeps for validation and how colour becomes grey.
#include <set>
#include <vector>

#include "core/data/image_set.h"
#include "core/data/split.h"
#include "core/experiment/experiment_data.h"
#include "data_files.h"

using namespace bulwark;
using namespace datafiles;

namespace {

std::vector<std::int64_t> values(const torch::Tensor& indices) {
  const auto flat = indices.to(torch::kInt64).contiguous();
  return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

std::vector<std::int64_t> perClass(const torch::Tensor& labels, std::int64_t classes) {
  return values(torch::bincount(labels, {}, classes));
}

/// A binary PPM of one colour image, bytes in the order of pixels.
std::string ppm(int side, const std::string& pixels) {
  return "P6\n" + std::to_string(side) + " " + std::to_string(side) + "\n255\n" + pixels;
}

}  // namespace

class TestDataLimits : public QObject {
  Q_OBJECT

  Folder folder_;
  Task task_;
  Registries registries_ = builtinRegistries();

  Specification read(const Json& data) const {
    Json json = {{"data", data},
                 {"classifier", {{"network", "mlp"}}},
                 {"detectors", {"msp"}},
                 {"attacks", Json::array()}};
    json["data"]["out"] = {{{"dataset", "noise-uniform"}, {"test_limit", 5}}};
    return Specification::fromJson(json, registries_, DatasetCatalogue({folder_.path()}));
  }
  ExperimentData load(const Json& data, std::uint64_t seed = 0) {
    return loadExperimentData(read(data), DatasetCatalogue({folder_.path()}), Seed(seed), task_);
  }
  /// Ten classes of unequal size, 4 x 4 pixels that tell every image from all others.
  Json onDisk() const {
    constexpr int train = 300, test = 40;
    for (const auto& [prefix, count, first] :
         {std::tuple{"train", train, 0}, std::tuple{"t10k", test, train}}) {
      std::string pixels, labels;
      for (int i = 0; i < count; ++i) {
        const int number = first + i;
        for (int k = 0; k < 14; ++k) pixels += static_cast<char>((number * 7 + k * 31) % 251);
        pixels += static_cast<char>(number / 256);
        pixels += static_cast<char>(number % 256);
        labels += static_cast<char>(i % 15 % 10);  // classes 0 to 4 twice as often
      }
      const auto n = static_cast<std::uint32_t>(count);
      const std::string name = std::string("set/") + prefix;
      folder_.put(name + "-images-idx3-ubyte", idx(8, {n, 4, 4}, pixels));
      folder_.put(name + "-labels-idx1-ubyte", idx(8, {n}, labels));
    }
    return {{"path", (folder_.path() / "set").string()}, {"format", "idx"}};
  }

 private Q_SLOTS:
  void countsOfEveryClass() {
    // 17, 5 and 3 images: 10 of 25 are shares of 6.8, 2 and 1.2.
    const auto labels =
        torch::cat({torch::full({17}, 4, torch::kInt64), torch::full({5}, 1, torch::kInt64),
                    torch::full({3}, 2, torch::kInt64)});
    const auto [rest, part] = splitCount(labels, 10, Seed(3));
    QCOMPARE(perClass(labels.index_select(0, part), 5), (std::vector<std::int64_t>{0, 2, 1, 0, 7}));
    QVERIFY(torch::equal(std::get<0>(torch::cat({rest, part}).sort()), torch::arange(25)));
    QVERIFY(torch::equal(std::get<0>(part.sort()), part));
    QVERIFY(torch::equal(splitCount(labels, 10, Seed(3)).second, part));
    QVERIFY(!torch::equal(splitCount(labels, 10, Seed(4)).second, part));
    for (std::int64_t count = 0; count < 25; ++count) {
      QCOMPARE(splitCount(labels, count, Seed(5)).second.numel(), count);
    }
    QVERIFY(refusal([&] { splitCount(labels, 25, Seed(3)); }).contains("none to train on"));
  }

  void subsetsByRule() {
    const auto labels =
        torch::cat({torch::zeros({20}, torch::kInt64), torch::ones({3}, torch::kInt64),
                    torch::full({7}, 2, torch::kInt64)});
    QCOMPARE(values(subsetIndices(labels, 4, "first", Seed(1))),
             (std::vector<std::int64_t>{0, 1, 2, 3}));
    const auto few = subsetIndices(labels, 7, "balanced", Seed(1));
    QCOMPARE(perClass(labels.index_select(0, few), 3), (std::vector<std::int64_t>{3, 2, 2}));
    // The class with three images gives all; the others share what is left.
    const auto more = subsetIndices(labels, 15, "balanced", Seed(1));
    QCOMPARE(perClass(labels.index_select(0, more), 3), (std::vector<std::int64_t>{6, 3, 6}));
    QCOMPARE(subsetIndices(labels, 99, "balanced", Seed(1)).numel(), std::int64_t{30});
    const auto drawn = values(subsetIndices(labels, 10, "random", Seed(1)));
    const auto larger = values(subsetIndices(labels, 20, "random", Seed(1)));
    const std::set<std::int64_t> within(larger.begin(), larger.end());
    QCOMPARE(within.size(), std::size_t{20});
    for (const auto index : drawn) QVERIFY(within.contains(index));
    QVERIFY(values(subsetIndices(labels, 10, "random", Seed(2))) != drawn);
  }

  /// The validation images are the same however many of the rest are trained on.
  void validationIsTakenBeforeTheLimit() {
    Json in = onDisk();
    const auto whole = load({{"in", in}, {"validation_limit", 60}});
    QCOMPARE(whole.train->size(), std::int64_t{240});
    QCOMPARE(whole.validation->size(), std::int64_t{60});
    QCOMPARE(perClass(whole.validation->labels(), 10),
             (std::vector<std::int64_t>{8, 8, 8, 8, 8, 4, 4, 4, 4, 4}));
    in["train_limit"] = 50;
    for (const char* rule : {"first", "balanced", "random"}) {
      in["subset"] = rule;
      const auto part = load({{"in", in}, {"validation_limit", 60}});
      QCOMPARE(part.train->size(), std::int64_t{50});
      QCOMPARE(part.validation->fingerprint(task_), whole.validation->fingerprint(task_));
      requireDisjoint(*part.train, "train", *part.validation, "validation", task_);
      if (std::string("balanced") == rule) {
        QCOMPARE(perClass(part.train->labels(), 10), std::vector<std::int64_t>(10, 5));
      }
      if (std::string("first") == rule) {
        QVERIFY(torch::equal(part.train->range(0, 50), whole.train->range(0, 50)));
      }
    }
    QVERIFY(load({{"in", in}, {"validation_limit", 60}}, 1).validation->fingerprint(task_) !=
            whole.validation->fingerprint(task_));
    QVERIFY(refusal([&] { load({{"in", in}, {"validation_limit", 300}}); }).contains("300"));
    // What is generated is made for both.
    const Json glyphs = {{"dataset", "glyphs"}, {"train_limit", 70}, {"test_limit", 20}};
    const auto generated = load({{"in", glyphs}, {"validation_limit", 30}});
    QCOMPARE(generated.train->size(), std::int64_t{70});
    QCOMPARE(generated.validation->size(), std::int64_t{30});
  }

  void specificationsKeepTheirHash() {
    const Json in = onDisk();
    const auto plain = read({{"in", in}});
    QVERIFY(!plain.toJson().at("data").at("in").contains("grey"));
    QVERIFY(!plain.toJson().at("data").contains("validation_limit"));
    Json other = in;
    other["grey"] = "red";
    other["subset"] = "first";
    other["invert"] = true;
    QVERIFY(!plain.toJson().at("data").at("in").contains("invert"));
    const auto spec = read({{"in", other}, {"validation_limit", 7}});
    QVERIFY(spec.hash() != plain.hash());
    const auto again =
        Specification::fromJson(spec.toJson(), registries_, DatasetCatalogue({folder_.path()}));
    QCOMPARE(again.hash(), spec.hash());
    QCOMPARE(again.in.grey, std::string("red"));
    QCOMPARE(again.in.subset, std::string("first"));
    QVERIFY(again.in.invert);
    QCOMPARE(again.validationLimit, std::int64_t{7});
    QVERIFY(refusal([&] {
              read({{"in", in}, {"validation_limit", 7}, {"validation_share", 0.1}});
            }).contains("validation_limit"));
    other["grey"] = "green";
    QVERIFY(refusal([&] { read({{"in", other}}); }).contains("grey"));
  }

  /// Colour files as an out set of grey images: the first channel alone, resized.
  void redBecomesGrey() {
    std::vector<std::string> reds;
    for (int image = 0; image < 3; ++image) {
      std::string pixels, red;
      for (int i = 0; i < 64; ++i) {
        red += static_cast<char>((i * 3 + image * 50) % 256);
        pixels += red.back();
        pixels += static_cast<char>(200 - i);
        pixels += static_cast<char>((i * 11 + image) % 256);
      }
      folder_.put("colour/a/" + std::to_string(image) + ".ppm", ppm(8, pixels));
      reds.push_back(red);
    }
    DatasetRequest request;
    request.path = (folder_.path() / "colour").string();
    request.channels = 1;
    const auto luma = loadDataset(DatasetCatalogue({}), request, "test", Seed(0), task_);
    request.invert = true;
    const auto inverted = loadDataset(DatasetCatalogue({}), request, "test", Seed(0), task_);
    // Each is rounded to 8 bits.
    QVERIFY(torch::allclose(inverted->range(0, 3), 1.0 - luma->range(0, 3), 0, 1.01 / 255));
    QCOMPARE(inverted->details().at("conversions").back().at("values"), Json("inverted"));
    request.invert = false;
    request.grey = "red";
    const auto set = loadDataset(DatasetCatalogue({}), request, "test", Seed(0), task_);
    QCOMPARE(set->size(), std::int64_t{3});
    for (int image = 0; image < 3; ++image) {
      const auto row = set->range(image, image + 1).mul(255).round().to(torch::kInt64);
      const auto found = values(row);
      for (std::size_t i = 0; i < 64; ++i) {
        QCOMPARE(found[i],
                 std::int64_t{static_cast<std::uint8_t>(reds[static_cast<std::size_t>(image)][i])});
      }
    }
    QVERIFY(!torch::equal(luma->range(0, 3), set->range(0, 3)));
    QCOMPARE(set->details().at("conversions")[0].at("to_grey").get<std::string>(),
             std::string("first channel"));
    // Resized in one step: what resizing the channel alone gives.
    request.size = 7;
    const auto small = loadDataset(DatasetCatalogue({}), request, "test", Seed(0), task_);
    QCOMPARE(small->shape().height, std::int64_t{7});
    QVERIFY((small->range(0, 3).mean() - set->range(0, 3).mean()).abs().item<double>() < 0.02);
  }
};

QTEST_GUILESS_MAIN(TestDataLimits)
#include "tst_data_limits.moc"
