// The catalogue, loading by role, subsets, conversion, generated sets and image folders.
#include <algorithm>
#include <cmath>
#include <set>

#include "core/data/image_set.h"
#include "core/data/raw_images.h"
#include "core/data/split.h"
#include "data_files.h"

using namespace bulwark;
using namespace datafiles;

namespace {

/// A binary PPM (three channels) or PGM (one).
std::string pnm(int channels, int width, int height, const std::string& pixels) {
  std::string text = channels == 3 ? "P6\n" : "P5\n";
  return text + std::to_string(width) + " " + std::to_string(height) + "\n255\n" + pixels;
}

bool same(const ImageSet& a, const ImageSet& b) {
  return a.size() == b.size() && torch::equal(a.range(0, a.size()), b.range(0, b.size())) &&
         torch::equal(a.labels(), b.labels());
}

std::shared_ptr<ImageSet> made(const torch::Tensor& pixels) {
  return std::make_shared<TensorImageSet>(
      "made", pixels, torch::zeros({pixels.size(0)}, torch::kInt64), std::vector<std::string>{"a"});
}

}  // namespace

class TestDataSets : public QObject {
  Q_OBJECT

  Folder data_;
  Task task_;

  DatasetCatalogue catalogue() const { return DatasetCatalogue({data_.path()}); }
  std::shared_ptr<ImageSet> load(DatasetRequest request, const std::string& role = "test",
                                 std::uint64_t seed = 0) {
    return loadDataset(catalogue(), request, role, Seed(seed), task_);
  }
  DatasetRequest onDisk(const std::string& path, const std::string& format = {}) const {
    DatasetRequest request;
    request.path = (data_.path() / path).string();
    request.format = format;
    return request;
  }
  DatasetRequest named(const std::string& name, std::int64_t limit = 0) const {
    DatasetRequest request;
    request.dataset = name;
    request.trainLimit = request.testLimit = limit;
    return request;
  }
  void putIdx(const std::string& folder, const std::string& prefix, int count,
              const std::string& labels, std::size_t first = 0) const {
    const auto n = static_cast<std::uint32_t>(count);
    data_.put(folder + "/" + prefix + "-images-idx3-ubyte",
              idx(8, {n, 4, 4}, ramp(static_cast<std::size_t>(count) * 16, first)));
    data_.put(folder + "/" + prefix + "-labels-idx1-ubyte.gz", gzip(idx(8, {n}, labels)));
  }

 private Q_SLOTS:
  void initTestCase();
  void readsRequests();
  void refusesRequests_data();
  void refusesRequests();
  void knowsTheSets();
  void searchesFolders();
  void tellsWhatIsMissing();
  void checksFiles();
  void listsUserSets();
  void guessesFormats();
  void rolesPickSplits();
  void undividedDataServesBothRoles();
  void dividesUndividedData();
  void leavesOverlappingClassesOut();
  void limitsDrawNestedSubsets();
  void keepsClasses();
  void generatesSets_data();
  void generatesSets();
  void generatedImagesDependOnTheirIndexOnly();
  void drawsNoise();
  void drawsGlyphs();
  void convertsSizeAndChannels();
  void conversionKeepsConstantsAndAverages();
  void fingerprintsTellSetsApart();
  void refusesSharedImages();
  void splitsByLabel();
  void cancels();
  void readsFolders();
  void refusesFolders();
  void previews();
};

void TestDataSets::initTestCase() {
  putIdx("two", "train", 6, std::string("\0\1\2\0\1\2", 6));
  putIdx("two", "t10k", 3, std::string("\2\1\0", 3), 100);
  putIdx("lonely", "t10k", 3, std::string("\2\1\0", 3));
}

void TestDataSets::readsRequests() {
  const Json json = Json::parse(
      R"({"path": "/a/b/flowers/", "format": "npy", "classes": ["rose", 3], "test_limit": 7,
          "grey": "red", "subset": "first", "invert": true})");
  const auto request = DatasetRequest::fromJson(json, "data.in");
  QCOMPARE(request.classes, (std::vector<std::string>{"rose", "3"}));
  QCOMPARE(request.testLimit, std::int64_t{7});
  QCOMPARE(request.displayName(), std::string("flowers"));
  const Json complete = request.toJson();
  QCOMPARE(complete.size(), DatasetRequest::schema().options().size());
  QVERIFY(DatasetRequest::fromJson(complete, "data.in").toJson() == complete);
}

void TestDataSets::refusesRequests_data() {
  QTest::addColumn<QString>("json");
  QTest::addColumn<QString>("message");
  QTest::newRow("nothing") << "{}"
                           << "data.out[1].dataset";
  QTest::newRow("both") << R"({"dataset": "mnist", "path": "/x"})"
                        << "two sources";
  QTest::newRow("unknown key") << R"({"dataset": "mnist", "test_limt": 3})"
                               << "test_limit";
  QTest::newRow("negative") << R"({"dataset": "mnist", "test_limit": -1})"
                            << "data.out[1].test_limit";
  QTest::newRow("format") << R"({"path": "/x", "format": "idxx"})"
                          << "data.out[1].format";
  QTest::newRow("format of a set") << R"({"dataset": "mnist", "format": "idx"})"
                                   << "own format";
  QTest::newRow("channels") << R"({"dataset": "mnist", "channels": 2})"
                            << "data.out[1].channels";
  QTest::newRow("split") << R"({"dataset": "mnist", "split": "val"})"
                         << "data.out[1].split";
  QTest::newRow("text") << R"("mnist")"
                        << "data.out[1]";
}

void TestDataSets::refusesRequests() {
  QFETCH(QString, json);
  QFETCH(QString, message);
  const QString said =
      refusal([&] { DatasetRequest::fromJson(Json::parse(json.toStdString()), "data.out[1]"); });
  QVERIFY2(said.contains(message), qPrintable(said));
}

void TestDataSets::knowsTheSets() {
  std::set<std::string> names;
  for (const auto& info : builtinDatasets()) {
    QVERIFY2(names.insert(info.name).second, info.name.c_str());
    QVERIFY2(!info.title.empty() && !info.summary.empty() && !info.licence.empty() &&
                 !info.whatToPutWhere.empty(),
             info.name.c_str());
    QVERIFY2(info.generated || (!info.homepage.empty() && !info.folders.empty()),
             info.name.c_str());
    QVERIFY2(info.classNames.empty() || static_cast<int>(info.classNames.size()) == info.classes,
             info.name.c_str());
  }
  for (const char* name :
       {"mnist",        "fashion-mnist", "cifar10",        "cifar100",   "svhn",
        "tinyimagenet", "lsun",          "isun",           "places365",  "birds",
        "flowers102",   "coil100",       "food101",        "imagenet30", "mvtec-ad",
        "visa",         "dagm",          "isic2018",       "cityscapes", "omniglot",
        "notmnist",     "noise-uniform", "noise-gaussian", "glyphs"}) {
    QVERIFY2(names.contains(name), name);
  }
  const QString said = refusal([&] { catalogue().info("fashion-mnst", "data.in.dataset"); });
  QVERIFY2(said.contains("data.in.dataset") && said.contains("'fashion-mnist'"), qPrintable(said));
}

void TestDataSets::searchesFolders() {
  qputenv("BULWARK_DATA", "/one:/two::/one");
  qputenv("XDG_DATA_HOME", "/home-of-data");
  const auto folders = DatasetCatalogue::defaultFolders({"/given"});
  QCOMPARE(folders,
           (std::vector<std::filesystem::path>{
               "/given", "/one", "/two", "/home-of-data/bulwark/datasets", "/usr/share/datasets"}));
  qunsetenv("BULWARK_DATA");
}

void TestDataSets::tellsWhatIsMissing() {
  const auto status = catalogue().status("mnist");
  QVERIFY(!status.installed);
  QCOMPARE(status.missing.size(), std::size_t{4});
  QVERIFY(QString::fromStdString(status.advice).contains(data_.path().c_str()));
  const QString said = refusal([&] { load(named("mnist")); });
  QVERIFY2(said.contains("not installed") && said.contains("IDX"), qPrintable(said));
  // Published in a format without a reader: never pretend.
  const Folder other;
  other.put("svhn/test_32x32.mat", "MATLAB 5.0 MAT-file");
  const DatasetCatalogue found({other.path()});
  const auto svhn = found.status("svhn");
  QVERIFY(!svhn.installed);
  QVERIFY(QString::fromStdString(svhn.problems.at(0)).contains("does not read yet"));
  QVERIFY(QString::fromStdString(svhn.advice).contains("Convert"));
  // A converted copy is read.
  other.put("svhn/test.npy", npy("|u1", "2, 3, 4, 4", ramp(96)));
  QVERIFY(found.status("svhn").installed);
  QCOMPARE(loadDataset(found, named("svhn"), "test", Seed(0), task_)->size(), std::int64_t{2});
}

void TestDataSets::checksFiles() {
  const Folder other;
  other.put("mnist/t10k-images-idx3-ubyte", idx(8, {3, 28, 28}, ramp(3 * 784)));
  other.put("mnist/t10k-labels-idx1-ubyte", idx(8, {3}, "\1\2\3"));
  const DatasetCatalogue found({other.path()});
  const auto quick = found.status("mnist");
  QVERIFY(quick.installed && quick.problems.empty());
  QCOMPARE(quick.splits, std::vector<std::string>{"test"});
  QCOMPARE(quick.missing.size(), std::size_t{2});
  const auto slow = found.check("mnist", task_);
  QStringList problems;
  for (const auto& problem : slow.problems) problems << QString::fromStdString(problem);
  QVERIFY2(problems.join('\n').contains("3 images were found, the set has 10000"),
           qPrintable(problems.join('\n')));
  QCOMPARE(problems.filter("sha256").size(), 2);
  QVERIFY(found.check("glyphs", task_).problems.empty());
}

void TestDataSets::listsUserSets() {
  const Folder home;
  qputenv("XDG_DATA_HOME", QByteArray::fromStdString(home.path().string()));
  home.put("bulwark/datasets/leaves/test.npy", npy("|u1", "2, 4, 4", ramp(32)));
  home.put("bulwark/datasets/odd/readme.txt", "nothing to read");
  home.put("bulwark/datasets/mnist/t10k-images-idx3-ubyte", "broken");
  const DatasetCatalogue found(DatasetCatalogue::defaultFolders());
  QVERIFY(found.info("leaves").user);
  QCOMPARE(found.info("leaves").format, std::string("npy"));
  QCOMPARE(loadDataset(found, named("leaves"), "test", Seed(0), task_)->size(), std::int64_t{2});
  QVERIFY(!found.status("odd").installed);
  QCOMPARE(std::count_if(found.sets().begin(), found.sets().end(),
                         [](const DatasetInfo& info) { return info.name == "mnist"; }),
           1);
  QVERIFY(refusal([&] { catalogue().info("leaves"); }).contains("no data set"));
}

void TestDataSets::guessesFormats() {
  const Folder other;
  QCOMPARE(guessFormat(other.put("a", idx(8, {3, 1, 1}, "abc"))), std::string("idx"));
  QCOMPARE(guessFormat(other.put("b.gz", gzip(npy("|u1", "1, 1, 1", "a")))), std::string("npy"));
  QCOMPARE(guessFormat(other.put("c.bin", ramp(2 * 3073))), std::string("cifar10"));
  QCOMPARE(guessFormat(other.put("d.bin", ramp(2 * 3074))), std::string("cifar100"));
  other.put("e/cats/1.png", "x");
  QCOMPARE(guessFormat(other.path() / "e"), std::string("folder"));
  const auto text = other.put("f.txt", "hello");
  QVERIFY(refusal([&] { guessFormat(text); }).contains("accepted: IDX"));
  QVERIFY(refusal([&] { guessFormat(other.path() / "none"); }).contains("no such file"));
}

void TestDataSets::rolesPickSplits() {
  const auto train = load(onDisk("two"), "train");
  const auto test = load(onDisk("two"), "test");
  QCOMPARE(train->size(), std::int64_t{6});
  QCOMPARE(test->size(), std::int64_t{3});
  QVERIFY(train->shape() == (ImageShape{1, 4, 4}));
  QCOMPARE(train->range(0, 1)[0][0][0][3].item<float>(), 3.0F / 255.0F);
  auto request = onDisk("two");
  request.split = "test";
  QVERIFY(same(*load(request, "train"), *test));
  const QString said = refusal([&] { load(onDisk("lonely"), "train"); });
  QVERIFY2(said.contains("no training images") && said.contains("lonely"), qPrintable(said));
}

void TestDataSets::undividedDataServesBothRoles() {
  data_.put("plain.npy", npy("|u1", "4, 2, 2", ramp(16)));
  data_.put("plain_labels.npy", npy("|u1", "4,", std::string("\0\1\1\0", 4)));
  const auto train = load(onDisk("plain.npy"), "train");
  const auto test = load(onDisk("plain.npy"), "test");
  QVERIFY(same(*train, *test));
  QCOMPARE(train->labels()[1].item<int>(), 1);
  QVERIFY(refusal([&] {
            requireDisjoint(*train, "in/train", *test, "in/test", task_);
          }).contains("4 of the 4 images of in/test"));
}

void TestDataSets::dividesUndividedData() {
  std::string labels(50, '\0');
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<char>(i % 5);
  data_.put("whole.npy", npy("|u1", "50, 4, 4", ramp(800)));
  data_.put("whole_labels.npy", npy("|u1", "50,", labels));
  auto request = onDisk("whole.npy");
  request.split = "auto";
  const auto train = load(request, "train", 1);
  const auto test = load(request, "test", 2);  // the division does not hang on the run's seed
  QCOMPARE(train->size(), std::int64_t{40});
  QCOMPARE(test->size(), std::int64_t{10});
  for (int label = 0; label < 5; ++label) {
    QCOMPARE(test->labels().eq(label).sum().item<int>(), 2);
  }
  requireDisjoint(*train, "in/train", *test, "in/test", task_);
  request = onDisk("two");
  request.split = "auto";  // divided already: as published
  QVERIFY(same(*load(request, "train"), *load(onDisk("two"), "train")));
}

void TestDataSets::leavesOverlappingClassesOut() {
  const Folder other;
  std::string records;
  for (const char label : {'\0', '\1', '\2', '\1'}) records += label + ramp(3072, records.size());
  other.put("tinyimagenet32/val.bin.gz", gzip(records));
  const DatasetCatalogue found({other.path()});
  QVERIFY(refusal([&] {
            loadDataset(found, named("tinyimagenet32-no-overlap"), "test", Seed(0), task_);
          }).contains("classes.txt"));
  other.put("tinyimagenet32/classes.txt",
            "# label wnid overlap words\n0 n01443537 0 goldfish, Carassius auratus\n"
            "1 n02123045 2 tabby cat\n2 n12267677 0 acorn\n");
  const auto all = loadDataset(found, named("tinyimagenet32"), "test", Seed(0), task_);
  QCOMPARE(all->size(), std::int64_t{4});
  QCOMPARE(all->classNames(), (std::vector<std::string>{"goldfish", "tabby cat", "acorn"}));
  const auto kept = loadDataset(found, named("tinyimagenet32-no-overlap"), "test", Seed(0), task_);
  QCOMPARE(kept->classNames(), (std::vector<std::string>{"goldfish", "acorn"}));
  QVERIFY(torch::equal(kept->labels(), torch::tensor({0, 1}, torch::kInt64)));
}

void TestDataSets::limitsDrawNestedSubsets() {
  std::string labels(200, '\0');
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<char>(i);
  putIdx("long", "t10k", 200, labels);
  auto request = onDisk("long");
  const auto kept = [&](std::int64_t limit, std::uint64_t seed) {
    request.testLimit = limit;
    const auto set = load(request, "test", seed);
    const auto* data = set->labels().data_ptr<std::int64_t>();
    return std::vector<std::int64_t>(data, data + set->size());
  };
  const auto fifty = kept(50, 1), twenty = kept(20, 1);
  QCOMPARE(fifty.size(), std::size_t{50});
  QVERIFY(std::is_sorted(fifty.begin(), fifty.end()));
  QCOMPARE(std::set<std::int64_t>(fifty.begin(), fifty.end()).size(), std::size_t{50});
  QVERIFY(std::includes(fifty.begin(), fifty.end(), twenty.begin(), twenty.end()));
  QVERIFY(kept(50, 1) == fifty);
  QVERIFY(kept(50, 2) != fifty);
  QCOMPARE(kept(500, 1).size(), std::size_t{200});
  request.testLimit = 20;
  QCOMPARE(load(request)->details()["subset"]["of"].get<int>(), 200);
}

void TestDataSets::keepsClasses() {
  data_.put("two/classes.txt", "# names\n0 ant\n1 bee\n2 cat fish\n");
  auto request = onDisk("two");
  request.classes = {"cat fish", "0"};
  const auto set = load(request, "train");
  QCOMPARE(set->size(), std::int64_t{4});
  QCOMPARE(set->classNames(), (std::vector<std::string>{"cat fish", "ant"}));
  QVERIFY(torch::equal(set->labels(), torch::tensor({1, 0, 1, 0}, torch::kInt64)));
  const auto again = keepClasses(load(onDisk("two"), "train"), {2, 0});
  QVERIFY(same(*set, *again));
  QCOMPARE(again->classNames(), set->classNames());
  request.classes = {"bea"};
  QVERIFY(refusal([&] { load(request); }).contains("did you mean 'bee'?"));
  request.classes = {"bee", "1"};
  QVERIFY(refusal([&] { load(request); }).contains("twice"));
  QVERIFY(refusal([&] { keepClasses(again, {7}); }).contains("no image of class 7"));
  // Labels beyond the named classes are damage, not a new class.
  putIdx("beyond", "t10k", 3, std::string("\2\x7\0", 3));
  data_.put("beyond/classes.txt", "ant\nbee\ncat\n");
  QVERIFY(refusal([&] { load(onDisk("beyond")); }).contains("label 7 is outside"));
}

void TestDataSets::generatesSets_data() {
  QTest::addColumn<QString>("name");
  for (const char* name : {"noise-uniform", "noise-gaussian", "glyphs"})
    QTest::newRow(name) << name;
}

void TestDataSets::generatesSets() {
  QFETCH(QString, name);
  auto request = named(name.toStdString());
  QCOMPARE(load(request)->size(), std::int64_t{1000});
  request.testLimit = request.trainLimit = 40;
  request.channels = 3;
  request.size = 32;
  const auto set = load(request, "test", 5);
  QVERIFY(set->shape() == (ImageShape{3, 32, 32}));
  QCOMPARE(set->size(), std::int64_t{40});
  QVERIFY(same(*set, *load(request, "test", 5)));
  QVERIFY(!same(*set, *load(request, "test", 6)));
  QVERIFY(!same(*set, *load(request, "train", 5)));
  requireDisjoint(*set, "train", *load(request, "train", 5), "test", task_);
  const torch::Tensor images = set->range(0, 40);
  QVERIFY(images.min().item<float>() >= 0.0F && images.max().item<float>() <= 1.0F);
}

void TestDataSets::generatedImagesDependOnTheirIndexOnly() {
  for (const char* name : {"noise-uniform", "noise-gaussian", "glyphs"}) {
    const auto few = load(named(name, 5)), many = load(named(name, 30));
    QVERIFY(torch::equal(few->range(0, 5), many->range(0, 5)));
  }
}

void TestDataSets::drawsNoise() {
  const torch::Tensor uniform = load(named("noise-uniform", 200))->range(0, 200);
  QVERIFY(std::abs(uniform.mean().item<double>() - 0.5) < 0.005);
  QVERIFY(std::abs(uniform.var().item<double>() - 1.0 / 12.0) < 0.002);
  const torch::Tensor normal = load(named("noise-gaussian", 200))->range(0, 200);
  // N(0.5, 1) clipped: P(0) = P(1) = Phi(-1/2) = 0.3085, and the mean stays 0.5.
  QVERIFY(std::abs(normal.mean().item<double>() - 0.5) < 0.005);
  QVERIFY(std::abs(normal.eq(0).to(torch::kFloat64).mean().item<double>() - 0.3085) < 0.005);
  QVERIFY(std::abs(normal.eq(1).to(torch::kFloat64).mean().item<double>() - 0.3085) < 0.005);
}

void TestDataSets::drawsGlyphs() {
  const auto set = load(named("glyphs", 400));
  QVERIFY(set->classNames().size() >= 20);
  const torch::Tensor images = set->range(0, 400);
  QCOMPARE(std::get<0>(at::_unique(set->labels())).size(0),
           static_cast<std::int64_t>(set->classNames().size()));
  // Bright strokes on black that touch neither everything nor nothing, and stay inside.
  const torch::Tensor ink = images.mean({1, 2, 3});
  QVERIFY(ink.min().item<float>() > 0.02F && ink.max().item<float>() < 0.5F);
  const double border = (images.select(2, 0).mean() + images.select(2, 27).mean() +
                         images.select(3, 0).mean() + images.select(3, 27).mean())
                            .item<double>();
  QVERIFY2(border < 0.01, qPrintable(QString::number(border)));
  // Antialiased: some values lie between ink and background.
  const torch::Tensor between = images.gt(0.1).logical_and(images.lt(0.7));
  QVERIFY(between.to(torch::kFloat64).mean().item<double>() > 0.02);
}

void TestDataSets::convertsSizeAndChannels() {
  const torch::Tensor pixels = torch::randint(0, 256, {5, 3, 8, 6}).to(torch::kUInt8);
  const auto set = made(pixels);
  QCOMPARE(convert(set, {.shape = {3, 8, 6}}, task_).get(), set.get());
  const auto grey = convert(set, {.shape = {1, 8, 6}}, task_);
  const torch::Tensor p = pixels.to(torch::kFloat64);
  const torch::Tensor luma =
      (p.select(1, 0) * 0.299 + p.select(1, 1) * 0.587 + p.select(1, 2) * 0.114).round();
  const auto held = std::dynamic_pointer_cast<TensorImageSet>(grey);
  QCOMPARE(held->pixels().scalar_type(), torch::kUInt8);
  QVERIFY((held->pixels().select(1, 0).to(torch::kFloat64) - luma).abs().max().item<double>() <= 1);
  const auto colour = convert(grey, {.shape = {3, 8, 6}}, task_);
  const torch::Tensor back = colour->range(0, 5);
  QVERIFY(torch::equal(back.select(1, 0), back.select(1, 2)));
  QVERIFY(torch::equal(back.narrow(1, 0, 1), grey->range(0, 5)));
  QCOMPARE(colour->details()["conversions"].size(), std::size_t{2});
  QVERIFY(refusal([&] { convert(set, {.shape = {2, 8, 6}}, task_); }).contains("channels"));
}

void TestDataSets::conversionKeepsConstantsAndAverages() {
  const torch::Tensor flat = torch::full({2, 1, 28, 28}, 77).to(torch::kUInt8);
  for (const std::int64_t side : {7, 14, 32, 45}) {
    const auto set = convert(made(flat), {.shape = {1, side, side}}, task_);
    QVERIFY(std::dynamic_pointer_cast<TensorImageSet>(set)->pixels().eq(77).all().item<bool>());
  }
  // A one-pixel checkerboard must become grey, not black or white (aliasing).
  const torch::Tensor board = (torch::arange(32).view({1, 32}) + torch::arange(32).view({32, 1}))
                                  .remainder(2)
                                  .mul(255)
                                  .to(torch::kUInt8)
                                  .view({1, 1, 32, 32});
  const torch::Tensor small = convert(made(board), {.shape = {1, 8, 8}}, task_)->range(0, 1);
  QVERIFY(small.sub(0.5).abs().max().item<double>() < 0.06);
}

void TestDataSets::fingerprintsTellSetsApart() {
  const torch::Tensor pixels = torch::arange(64).to(torch::kUInt8).view({4, 1, 4, 4});
  const auto set = made(pixels);
  const std::string print = set->fingerprint(task_);
  QCOMPARE(print.size(), std::size_t{64});
  QCOMPARE(made(pixels.clone())->fingerprint(task_), print);
  torch::Tensor other = pixels.clone();
  other[3][0][3][3] = 0;
  QVERIFY(made(other)->fingerprint(task_) != print);
  QVERIFY(made(pixels.view({4, 1, 2, 8}))->fingerprint(task_) != print);
  const TensorImageSet relabelled("made", pixels, torch::ones({4}, torch::kInt64), {"a", "b"});
  QVERIFY(relabelled.fingerprint(task_) != print);
}

void TestDataSets::refusesSharedImages() {
  torch::Tensor a = torch::randint(0, 256, {50, 1, 6, 6}).to(torch::kUInt8);
  torch::Tensor b = torch::randint(0, 256, {40, 1, 6, 6}).to(torch::kUInt8);
  a[3].fill_(255);
  b[8].fill_(255);  // all white: says nothing
  requireDisjoint(*made(a), "in/train", *made(b), "out[0]", task_);
  b[12].copy_(a[30]);
  b[13].copy_(a[31]);
  const QString said =
      refusal([&] { requireDisjoint(*made(a), "in/train", *made(b), "out[0]", task_); });
  QVERIFY2(said.contains("2 of the 40 images of out[0]") && said.contains("in/train") &&
               said.contains("position 12"),
           qPrintable(said));
  // The same picture as float is the same picture.
  QVERIFY(!refusal([&] {
             requireDisjoint(*made(a), "in/train", *made(b.to(torch::kFloat32) / 255), "out",
                             task_);
           }).isEmpty());
}

void TestDataSets::splitsByLabel() {
  const torch::Tensor labels =
      torch::cat({torch::zeros({80}, torch::kInt64), torch::ones({20}, torch::kInt64)});
  const auto [rest, part] = splitIndices(labels, 0.25, Seed(3));
  QCOMPARE(part.size(0), std::int64_t{25});
  QCOMPARE(rest.size(0), std::int64_t{75});
  QCOMPARE(labels.index_select(0, part).sum().item<int>(), 5);
  const torch::Tensor all = std::get<0>(torch::cat({rest, part}).sort());
  QVERIFY(torch::equal(all, torch::arange(100)));
  QVERIFY(torch::equal(splitIndices(labels, 0.25, Seed(3)).second, part));
  QVERIFY(!torch::equal(splitIndices(labels, 0.25, Seed(4)).second, part));
  QVERIFY(refusal([&] { splitIndices(labels, 1.5, Seed(3)); }).contains("1.5"));
}

void TestDataSets::cancels() {
  Control control;
  control.cancel();
  Task task(&control);
  const auto cancelled = [&](auto work) {
    try {
      work();
    } catch (const Error& error) {
      return error.kind() == Error::Kind::Cancelled;
    }
    return false;
  };
  const auto set = load(named("glyphs", 10));
  QVERIFY(cancelled([&] { loadDataset(catalogue(), named("glyphs"), "test", Seed(0), task); }));
  QVERIFY(cancelled([&] { loadDataset(catalogue(), onDisk("two"), "test", Seed(0), task); }));
  QVERIFY(cancelled([&] { convert(set, {.shape = {3, 32, 32}}, task); }));
  QVERIFY(cancelled([&] { set->fingerprint(task); }));
  QVERIFY(cancelled([&] { set->imageHashes(task); }));
}

void TestDataSets::readsFolders() {
  if (!hasImageCodecs()) QSKIP("built without image codecs");
  const std::string red = pnm(3, 2, 2, std::string("\xff\0\0\xff\0\0\xff\0\0\x01\x02\x03", 12));
  data_.put("pictures/train/cat/b.ppm", red);
  data_.put("pictures/train/cat/a.pgm", pnm(1, 2, 2, "abcd"));
  data_.put("pictures/train/dog/inner/c.ppm", red);
  data_.put("pictures/train/dog/.DS_Store", "left by a file manager");
  data_.put("pictures/test/dog/d.ppm", red);
  const auto train = load(onDisk("pictures"), "train");
  QVERIFY(train->shape() == (ImageShape{3, 2, 2}));
  QVERIFY(torch::equal(train->labels(), torch::tensor({0, 0, 1}, torch::kInt64)));
  QCOMPARE(train->classNames(), (std::vector<std::string>{"cat", "dog"}));
  const torch::Tensor second = train->range(1, 2)[0] * 255;
  QCOMPARE(second[0][0][0].item<float>(), 255.0F);  // red comes first
  QCOMPARE(second[2][1][1].item<float>(), 3.0F);
  const auto test = load(onDisk("pictures"), "test");
  QCOMPARE(test->labels()[0].item<int>(), 1);  // numbered as in training
  auto grey = onDisk("pictures");
  grey.channels = 1;
  grey.size = 5;
  QVERIFY(load(grey)->shape() == (ImageShape{1, 5, 5}));
  // Images of several sizes need a size.
  data_.put("pictures/test/dog/e.ppm", pnm(3, 1, 1, "abc"));
  QVERIFY(refusal([&] { load(onDisk("pictures")); }).contains("set \"size\""));
  QCOMPARE(load(grey)->size(), std::int64_t{2});
  QCOMPARE(previewDataset(catalogue(), onDisk("pictures"), "test", 3, task_).width, 64);
  // Only the chosen images are decoded.
  data_.put("flat/1.pgm", pnm(1, 2, 2, "abcd"));
  data_.put("flat/2.pgm", pnm(1, 2, 2, "efgh"));
  const auto flat = load(onDisk("flat"));
  QCOMPARE(flat->labels()[1].item<int>(), -1);
  QVERIFY(flat->classNames().empty());
}

void TestDataSets::refusesFolders() {
  const auto says = [&](const std::string& path) {
    return refusal([&] { load(onDisk(path, "folder")); });
  };
  data_.put("text/cat/a.pgm", pnm(1, 2, 2, "abcd"));
  data_.put("text/cat/notes.txt", "not an image");
  QVERIFY2(says("text").contains("notes.txt") && says("text").contains("not an image file"),
           qPrintable(says("text")));
  data_.put("hollow/cat/a.pgm", pnm(1, 2, 2, "abcd"));
  std::filesystem::create_directories(data_.path() / "hollow/dog");
  QVERIFY(says("hollow").contains("dog") && says("hollow").contains("holds no image"));
  std::filesystem::create_directories(data_.path() / "void");
  QVERIFY(says("void").contains("holds no image"));
  QVERIFY(says("void/none").contains("no such file"));
  if (!hasImageCodecs()) return;
  data_.put("fake/cat/a.png", "a text that calls itself an image");
  QVERIFY(says("fake").contains("a.png") && says("fake").contains("although its name"));
  data_.put("cut/cat/a.jpg", std::string("\xff\xd8\xff\xe0\0\x10JFIF", 10));
  QVERIFY(says("cut").contains("truncated"));
  data_.put("blank/cat/a.png", "");
  QVERIFY(says("blank").contains("empty"));
}

void TestDataSets::previews() {
  const auto preview = previewDataset(catalogue(), onDisk("two"), "train", 1, task_);
  QCOMPARE(preview.count, std::int64_t{6});
  QCOMPARE(preview.classCounts.at(2), std::int64_t{2});
  QCOMPARE(preview.thumbnails.size(), std::size_t{3});
  const Thumbnail& third = preview.thumbnails[2];
  QCOMPARE(third.label, std::int64_t{2});
  QCOMPARE(third.index, std::int64_t{2});
  QCOMPARE(third.rgb.size(), std::size_t{4 * 4 * 3});
  QCOMPARE(int{third.rgb[4]}, 33);  // second pixel of image 2, red
  QCOMPARE(preview.fingerprint, load(onDisk("two"), "train")->fingerprint(task_));
}

QTEST_GUILESS_MAIN(TestDataSets)
#include "tst_data_sets.moc"
