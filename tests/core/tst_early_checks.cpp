// What would fail once data are loaded or a network is trained is refused when the specification is
// read: layers that the network lacks, sets without the images of their role.
#include <QDir>
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "core/base/error.h"
#include "core/data/layout.h"
#include "core/detectors/detector.h"
#include "core/experiment/experiment_data.h"
#include "core/experiment/network_layers.h"
#include "core/experiment/set_parts.h"
#include "core/experiment/specification.h"
#include "core/nn/network.h"
#include "core/params/layer_option.h"
#include "data_files.h"

using namespace bulwark;

namespace {

Json minimal() {
  return Json::parse(R"({
    "data": {"in": {"dataset": "glyphs", "train_limit": 100, "test_limit": 50},
             "out": [{"dataset": "noise-uniform", "test_limit": 50}]},
    "classifier": {"network": "lenet5", "recipe": {"type": "standard", "epochs": 1}},
    "detectors": ["msp"], "attacks": []
  })");
}

}  // namespace

class TestEarlyChecks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  /// What cannot be looked through stops nothing before its turn, and then says what is wrong.
  void unreadableFoldersWaitForTheirTurn() {
    const QTemporaryDir folder;
    const auto path = folder.path().toStdString();
    std::filesystem::create_symlink("train", path + "/train");  // leads to itself
    QVERIFY_EXCEPTION_THROWN(locateData(path, "folder"), Error);
    Json request = minimal();
    request["data"]["out"][0] = {{"path", path}, {"format", "folder"}};
    const auto specification = Specification::fromJson(request, registries_, catalogue_);
    QVERIFY(partsOf(specification.out[0], catalogue_).empty());
  }

  /// Sets of two formats may lie side by side in one folder.
  void oneFolderOfTwoFormatsIsTwoSources() {
    const QTemporaryDir folder;
    DatasetRequest a, b;
    a.path = folder.path().toStdString();
    b.path = a.path + "/";
    QVERIFY(sameSource(a, b, catalogue_));
    a.format = "idx";
    QVERIFY(sameSource(a, b, catalogue_));
    b.format = "cifar10";
    QVERIFY(!sameSource(a, b, catalogue_));
  }

  /// The names that are told without a network are those of the network, and each has a value.
  void layersAreThoseOfTheNetworks_data() {
    QTest::addColumn<QString>("network");
    QTest::addColumn<QString>("options");
    const std::map<std::string, const char*> small = {{"convnet", R"({"width": 2, "hidden": 4})"},
                                                      {"resnet18", R"({"width": 2})"},
                                                      {"preact_resnet18", R"({"width": 2})"},
                                                      {"resnet20", R"({"width": 2})"},
                                                      {"resnet44", R"({"width": 2})"},
                                                      {"vgg16", R"({"width": 2})"}};
    for (const auto& info : registries_.networks.list()) {
      const auto found = small.find(info.name);
      QTest::newRow(info.name.c_str())
          << QString::fromStdString(info.name) << (found == small.end() ? "{}" : found->second);
    }
    QTest::newRow("linear") << "mlp"
                            << R"({"hidden": []})";
    QTest::newRow("deep mlp") << "mlp"
                              << R"({"hidden": [8, 7, 6]})";
    QTest::newRow("shallow autoencoder") << "autoencoder"
                                         << R"({"encoder": [9]})";
  }
  void layersAreThoseOfTheNetworks() {
    QFETCH(QString, network);
    QFETCH(QString, options);
    Json request = Json::parse(options.toStdString());
    const auto name = network.toStdString();
    const auto built =
        registries_.networks.make(name, request, "network", NetworkShape{1, 32, 32, 3});
    built->initialise(Seed(1));
    built->freeze();
    request["type"] = name;
    const auto layers = networkLayers(request, registries_);
    QVERIFY(!layers.empty());
    QVERIFY(layers == built->taps());
    QCOMPARE(layers.back(), std::string("features"));
    TapValues values;
    built->run(torch::full({2, 1, 32, 32}, 0.5), &values);
    QCOMPARE(values.size(), layers.size());
    for (const auto& layer : layers) QVERIFY2(values.at(layer).defined(), layer.c_str());
    if (options == "{}") QVERIFY(networkLayers(name, registries_) == layers);
  }

  void unknownNetworksHaveNoLayers() {
    QVERIFY(networkLayers("lenet6", registries_).empty());
    QVERIFY(networkLayers(Json(), registries_).empty());
    QVERIFY(networkLayers(Json{{"type", "mlp"}, {"hidden", "many"}}, registries_).empty());
    Registries own = builtinRegistries();
    ComponentInfo info;
    info.name = "mine";
    own.networks.add(info, [this](const Params&, NetworkShape shape) {
      return registries_.networks.make("mlp", Json::object(), "", shape);
    });
    // It may have any layers: the detector says so when it is fitted.
    Json json = minimal();
    json["classifier"]["network"] = "mine";
    json["detectors"] = Json::array({{{"type", "knn"}, {"tap", "whatever"}}});
    Specification::fromJson(json, own, catalogue_);
  }

  void optionsTellThatTheyNameLayers() {
    std::set<std::string> found;
    for (const auto& info : registries_.detectors.list()) {
      for (const auto& option : info.options.options()) {
        if (const auto words = layerWords(option)) {
          found.insert(info.name + "." + option.key);
          QCOMPARE(words->back(), std::string("logits"));
          QCOMPARE(std::find(words->begin(), words->end(), "auto") != words->end(),
                   option.defaultValue == Json("auto"));
        } else {
          QVERIFY2(option.key != "tap" && option.key.find("layer") == std::string::npos,
                   (info.name + "." + option.key).c_str());
        }
      }
    }
    const std::set<std::string> expected = {
        "svdd.layer", "elo.layer", "mahalanobis.tap", "mahalanobis.ensemble",
        "knn.tap",    "kd_bu.tap", "lid.layers",      "relative_mahalanobis.tap"};
    QVERIFY(found == expected);
    OptionSchema schema;
    QVERIFY(layerWords(namesLayers(schema.text("none", "", ""), {}))->empty());
    QVERIFY(!layerWords(schema.text("other", "", "").in("layers")));
    QVERIFY_EXCEPTION_THROWN(namesLayers(schema.boolean("flag", true, ""), {}), std::logic_error);
  }

  void unknownLayers_data() {
    QTest::addColumn<QString>("detector");
    QTest::addColumn<QString>("place");  // "": accepted
    const auto row = [](const char* detector, const char* place) {
      QTest::newRow(detector) << detector << place;
    };
    row(R"({"type": "svdd", "layer": "conv9"})", "detectors[0].layer");
    row(R"({"type": "svdd", "layer": "conv2"})", "");
    row(R"({"type": "svdd", "layer": "auto"})", "");
    row(R"({"type": "svdd", "layer": "logits"})", "");
    row(R"({"type": "svdd", "layer": "input"})", "detectors[0].layer");
    row(R"({"type": "svdd", "layer": ""})", "detectors[0].layer");
    row(R"({"type": "elo", "layer": "Conv1"})", "detectors[0].layer");
    row(R"({"type": "knn", "tap": "feature"})", "detectors[0].tap");
    row(R"({"type": "knn", "tap": "auto"})", "detectors[0].tap");
    row(R"({"type": "kd_bu", "tap": "layer4"})", "detectors[0].tap");
    row(R"({"type": "mahalanobis", "tap": "fc2"})", "detectors[0].tap");
    row(R"({"type": "relative_mahalanobis", "tap": "fc2"})", "detectors[0].tap");
    row(R"({"type": "mahalanobis", "ensemble": ["conv1", "con2"]})", "detectors[0].ensemble");
    row(R"({"type": "mahalanobis", "ensemble": ["conv1", "logits"]})", "");
    row(R"({"type": "lid", "layers": ["input", "fc1", "logits"]})", "");
    row(R"({"type": "lid", "layers": ["inputs"]})", "detectors[0].layers");
  }
  void unknownLayers() {
    QFETCH(QString, detector);
    QFETCH(QString, place);
    Json json = minimal();
    json["detectors"] = Json::array({Json::parse(detector.toStdString())});
    const auto text =
        datafiles::refusal([&] { Specification::fromJson(json, registries_, catalogue_); });
    if (place.isEmpty()) {
      QCOMPARE(text, QString());
      return;
    }
    QVERIFY2(text.contains(place), qPrintable(text));
    QVERIFY2(text.contains("relu1, conv1, relu2, conv2, fc1, features"), qPrintable(text));
  }

  /// What the layers are depends on the network's options.
  void layersFollowTheOptions() {
    Json json = minimal();
    json["classifier"]["network"] = {{"type", "mlp"}, {"hidden", {30, 20, 10}}};
    json["detectors"] = Json::array({"msp", {{"type", "knn"}, {"tap", "fc2"}}});
    Specification::fromJson(json, registries_, catalogue_);
    json["classifier"]["network"]["hidden"] = {30, 20};
    const auto text =
        datafiles::refusal([&] { Specification::fromJson(json, registries_, catalogue_); });
    QVERIFY2(text.contains("detectors[1].tap"), qPrintable(text));
    QVERIFY2(text.contains("fc1"), qPrintable(text));
  }

  /// A set of test images alone: as an open set it must name them, and then it is trained with.
  void setsWithoutTheirPart() {
    const datafiles::Folder folder;
    // Images of 28 x 28, every one another.
    const auto put = [&](const std::string& name, std::size_t count, std::size_t first) {
      folder.put(name + "-images-idx3-ubyte",
                 datafiles::idx(8, {static_cast<std::uint32_t>(count), 28, 28},
                                datafiles::ramp(count * 784, first * 784)));
      folder.put(name + "-labels-idx1-ubyte",
                 datafiles::idx(8, {static_cast<std::uint32_t>(count)}, std::string(count, '\1')));
    };
    put("notmnist/t10k", 12, 0);
    put("only-train/train", 7, 50);
    put("both/train", 7, 100);
    put("both/t10k", 7, 150);
    const DatasetCatalogue catalogue({folder.path()});
    const auto at = [&](const char* name) {
      return Json{{"path", (folder.path() / name).string()}, {"format", "idx"}};
    };
    Json exposed = minimal();
    exposed["classifier"]["recipe"] = {{"type", "outlier_exposure"}, {"epochs", 1}};
    const auto refusal = [&](const Json& json) {
      return datafiles::refusal([&] { Specification::fromJson(json, registries_, catalogue); });
    };

    exposed["data"]["open"] = {{"dataset", "notmnist"}};
    auto text = refusal(exposed);
    QVERIFY2(text.contains("data.open") && text.contains("'notmnist' has no training images"),
             qPrintable(text));
    QVERIFY2(text.contains(R"("split": "test")"), qPrintable(text));
    exposed["data"]["open"]["split"] = "auto";
    QVERIFY(refusal(exposed).contains(R"("split": "test")"));
    exposed["data"]["open"]["split"] = "test";
    QCOMPARE(refusal(exposed), QString());
    const auto spec = Specification::fromJson(exposed, registries_, catalogue);
    Task task;
    QCOMPARE(loadExperimentData(spec, catalogue, Seed(1), task).open.set->size(), std::int64_t{12});

    exposed["data"]["open"] = at("notmnist");
    QVERIFY(refusal(exposed).contains("data.open"));
    exposed["data"]["open"] = at("only-train");
    QCOMPARE(refusal(exposed), QString());
    exposed["data"]["open"] = at("both");
    QCOMPARE(refusal(exposed), QString());
    // What cannot be read is said when it is loaded; what is not installed, too.
    exposed["data"]["open"] = at("nowhere");
    QCOMPARE(refusal(exposed), QString());
    exposed["data"]["open"] = {{"dataset", "fashion-mnist"}};
    QCOMPARE(refusal(exposed), QString());

    Json json = minimal();
    json["data"]["out"] = Json::array({at("both"), at("only-train")});
    json["data"]["out"][1]["label"] = "letters";
    text = refusal(json);
    QVERIFY2(text.contains("data.out[1]") && text.contains("'letters' has no test images"),
             qPrintable(text));
    QVERIFY2(text.contains(R"("split": "train")"), qPrintable(text));
    json["data"]["out"][1]["split"] = "train";
    QCOMPARE(refusal(json), QString());
    json["data"]["in"] = {{"dataset", "notmnist"}};
    text = refusal(json);
    QVERIFY2(text.contains("data.in") && !text.contains("split"), qPrintable(text));
    json["data"]["in"] = at("both");
    json["data"]["out"] = Json::array({{{"dataset", "notmnist"}}});
    QCOMPARE(refusal(json), QString());

    QCOMPARE(partsOf(DatasetRequest::fromJson(at("both"), ""), catalogue).size(), std::size_t{2});
    QVERIFY(partsOf(DatasetRequest::fromJson(at("nowhere"), ""), catalogue).empty());
  }

  /// One place on disk has many names.
  void oneSourceOfManyNames() {
    const datafiles::Folder folder;
    for (const char* part : {"t10k", "train"}) {
      const std::string name = std::string("leaves/") + part;
      folder.put(name + "-images-idx3-ubyte",
                 datafiles::idx(8, {2, 28, 28}, datafiles::ramp(2 * 784)));
      folder.put(name + "-labels-idx1-ubyte", datafiles::idx(8, {2}, std::string(2, '\1')));
    }
    std::filesystem::create_directory_symlink(folder.path() / "leaves", folder.path() / "link");
    const DatasetCatalogue catalogue({folder.path()});
    const auto at = [&](const std::string& name) {
      return Json{{"path", (folder.path() / name).string()}, {"format", "idx"}, {"label", name}};
    };
    for (const char* other : {"leaves", "leaves/", "link", "link/../leaves", "./leaves"}) {
      Json json = minimal();
      json["data"]["out"] = Json::array({at("leaves")});
      json["data"]["open"] = at(other);
      json["classifier"]["recipe"] = "outlier_exposure";
      const auto text =
          datafiles::refusal([&] { Specification::fromJson(json, registries_, catalogue); });
      QVERIFY2(text.contains("data.out[0]") && text.contains("also tested on"), other);
    }
    const auto request = [](const Json& json) { return DatasetRequest::fromJson(json, ""); };
    QVERIFY(!sameSource(request(at("leaves")), request(at("nowhere")), catalogue));
    QVERIFY(!sameSource(request(at("leaves")), request({{"dataset", "glyphs"}}), catalogue));
    folder.put("notmnist/t10k-images-idx3-ubyte",
               datafiles::idx(8, {2, 28, 28}, datafiles::ramp(2 * 784)));
    folder.put("notmnist/t10k-labels-idx1-ubyte", datafiles::idx(8, {2}, std::string(2, '\1')));
    QVERIFY(sameSource(request({{"dataset", "notmnist"}}), request(at("notmnist")), catalogue));
  }

 private:
  Registries registries_ = builtinRegistries();
  DatasetCatalogue catalogue_{{}};
};

QTEST_GUILESS_MAIN(TestEarlyChecks)
#include "tst_early_checks.moc"
