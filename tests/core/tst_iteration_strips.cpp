// The iterations that a run keeps for looking at: what is recorded, and the file.
#include <algorithm>
#include <cmath>
#include <filesystem>

#include "attack_support.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/detectors/iteration_strips.h"
#include "core/experiment/classifier.h"
#include "core/experiment/strip_file.h"
#include "core/nn/fixed_point.h"
#include "core/nn/safetensors.h"
#include "kept_files.h"

using namespace bulwark;
using namespace smallruns;

namespace {

using torch::Tensor;

std::unique_ptr<Network> untrained() {
  Registry<Network, NetworkShape> networks("network");
  registerNetworks(networks);
  auto network =
      networks.make("autoencoder", {{"encoder", {24, 12}}}, "network", NetworkShape{1, 6, 6, 3});
  network->initialise(Seed(4));
  const torch::NoGradGuard noGrad;
  for (auto& item : network->named_parameters()) {
    if (item.key().ends_with("bias")) item.value().fill_(0.1);
  }
  network->freeze();
  return network;
}

Json stripSpecification() {
  Json json = smallSpecification();
  json["data"]["in"] = {{"dataset", "glyphs"}, {"size", 12}, {"train_limit", 120}};
  json["data"]["in"]["test_limit"] = 40;
  json["data"]["out"] = {{{"dataset", "noise-uniform"}, {"test_limit", 30}},
                         {{"dataset", "noise-gaussian"}, {"test_limit", 3}}};
  json["data"]["validation_limit"] = 40;
  json["classifier"] = Json::parse(R"({
    "network": {"type": "autoencoder", "encoder": [32, 16], "output": "linear"},
    "recipe": {"type": "attractor", "epochs": 4, "pretraining_epochs": 1, "learning_rate": 0.003,
               "class_weight": 0.2, "jacobian_weight": 0.0005}})");
  json["detectors"] = Json::parse(R"([
    {"type": "attractor", "label": "once", "stability_images": 2, "strip_images": 4},
    {"type": "reconstruction_error"},
    {"type": "attractor", "label": "thrice", "iterations": 3, "stability_images": 0,
     "strip_images": 4, "strip_iterations": 3, "strip_radii": ["0", "20/255"]}])");
  json["attacks"] = Json::parse(R"([{"type": "fgsm", "eps": "20/255"}])");
  return json;
}

IterationStrips sample() {
  IterationStrips strips;
  strips.detector = "attractor";
  strips.leastSimilarity = 0.75;
  strips.passes = 2;
  strips.reconstructionWeight = 0.99;
  strips.classWeight = 0.01;
  strips.sets = {{"train", "glyphs"}, {"out", "noise"}};
  strips.radii = {"0", "1/255", "1"};
  strips.iterations = 2;
  strips.channels = 2;
  strips.height = 3;
  strips.width = 4;
  strips.samples = {{0, 17, 3}, {1, 5, -1}};
  for (int i = 0; i < 2 * 3 * 3; ++i) {
    for (int pixel = 0; pixel < 24; ++pixel) {
      strips.pixels.push_back(static_cast<std::uint8_t>((i * 31 + pixel * 7) % 256));
    }
    strips.classes.push_back(i % 10);
    strips.toInput.push_back(std::sin(i));
    strips.toClean.push_back(std::cos(i));
  }
  return strips;
}

}  // namespace

class TestIterationStrips : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// Every state against the network's own passes, from the radius along the gradient's sign.
  void statesAreThoseOfTheNetwork() {
    const auto network = untrained();
    auto& own = requireAutoencoder(*network, "test");
    const auto images = attack_support::uniform({5, 1, 6, 6}, 21, 0, 1);
    const auto labels = torch::tensor({0, 1, -1, 2, -1}, torch::kInt64);
    StripPlan plan;
    plan.radii = {"0", "20/255", "1"};
    plan.iterations = 3;
    Task task;
    const auto found = iterationStrips(own, images, labels, plan, 0.9, 0.2, task);
    QCOMPARE(found.pixels.sizes().vec(), (std::vector<std::int64_t>{5, 3, 4, 1, 6, 6}));
    QCOMPARE(found.classes.sizes().vec(), (std::vector<std::int64_t>{5, 3, 4}));

    // The class of images that have none is what the network says of them.
    const auto truth = torch::where(labels >= 0, labels, network->forward(images).argmax(1));
    const auto leaf = images.clone().requires_grad_(true);
    const auto cost =
        0.9 * (own.reconstruct(leaf) - leaf).square().flatten(1).mean(1).sum() +
        0.2 * torch::nn::functional::cross_entropy(
                  network->forward(leaf), truth,
                  torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kSum));
    const auto sign = torch::autograd::grad({cost}, {leaf})[0].sign();
    const torch::NoGradGuard noGrad;
    std::int64_t row = 0;
    for (const double radius : {0.0, 20.0 / 255, 1.0}) {
      const auto start = (images + radius * sign).clamp(0, 1);
      auto at = start;
      for (std::int64_t j = 0; j <= 3; ++j) {
        const auto where = [&](const Tensor& of) { return of.select(1, row).select(1, j); };
        const auto shown = where(found.pixels).to(torch::kFloat32) / 255.0;
        QVERIFY((shown - at.clamp(0, 1)).abs().max().item<double>() < 0.5 / 255 + 1e-4);
        QVERIFY(torch::equal(where(found.classes), network->forward(at).argmax(1)));
        QVERIFY(torch::allclose(where(found.toInput), pearson(at, start).to(torch::kFloat64)));
        QVERIFY(torch::allclose(where(found.toClean), pearson(at, images).to(torch::kFloat64)));
        at = own.reconstruct(at);
      }
      ++row;
    }
    QVERIFY(torch::equal(found.toInput.select(1, 0), found.toClean.select(1, 0)));
    QVERIFY(!torch::equal(found.pixels.select(1, 0), found.pixels.select(1, 1)));
  }

  /// However many passes the network's class is read after, pictures carry the class they have.
  void classesAreOfThePicturesAlone() {
    const auto network = untrained();
    auto& own = requireAutoencoder(*network, "test");
    const auto images = attack_support::uniform({4, 1, 6, 6}, 8, 0, 1);
    const auto labels = torch::zeros({4}, torch::kInt64);
    Task task;
    const auto alone = iterationStrips(own, images, labels, {}, 0.9, 0.2, task);
    const ClassesAfter inForce(own, {4, 0.0});
    const auto within = iterationStrips(own, images, labels, {}, 0.9, 0.2, task);
    QVERIFY(torch::equal(alone.classes, within.classes));
    QVERIFY(torch::equal(alone.pixels, within.pixels));
  }

  void fileComesBackAsWritten() {
    QTemporaryDir folder;
    const std::filesystem::path path = folder.filePath("strips.safetensors").toStdString();
    const auto strips = sample();
    strips.save(path);
    QVERIFY(IterationStrips::load(path) == strips);
    QCOMPARE(strips.picture(1, 2, 1).size(), std::size_t{24});
    QCOMPARE(int(strips.picture(1, 2, 1)[0]), (1 * 9 + 2 * 3 + 1) * 31 % 256);
    QCOMPARE(strips.classes[strips.at(1, 2, 1)], std::int64_t{(9 + 6 + 1) % 10});
  }

  void damagedFilesAreToldPlainly() {
    const DamagedFile<IterationStrips> file(sample());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{5}, file.whole.size() / 2, file.whole.size() - 1}) {
      writeFileAtomically(file.path, file.whole.substr(0, size));
      QVERIFY(file.refused("cut short"));
    }
    writeFileAtomically(file.path, file.whole + "x");
    QVERIFY(file.refused("follow"));
    file.change([](TensorFile& kept) { kept.metadata.clear(); });
    QVERIFY(file.refused("no iteration strips"));
    file.change([](TensorFile& kept) { kept.metadata["strips"] = "{\"radii\": 3"; });
    QVERIFY(file.refused("cannot be read"));
    file.change([](TensorFile& kept) { kept.metadata["strips"] = "{\"radii\": 3}"; });
    QVERIFY(file.refused("cannot be read"));
    file.change([](TensorFile& kept) { kept.tensors.erase("class"); });
    QVERIFY(file.refused("class"));
    file.change([](TensorFile& kept) { kept.tensors["class"] = torch::zeros({2, 3, 4}); });
    QVERIFY(file.refused("class"));
    file.change([](TensorFile& kept) { kept.tensors["class"] = torch::zeros({2, 3, 3}); });
    QVERIFY(file.refused("another type"));
    file.change([](TensorFile& kept) { kept.tensors["sample.set"].fill_(2); });
    QVERIFY(file.refused("none of the sets"));
    file.change([](TensorFile& kept) {
      auto& pixels = kept.tensors["pixels"];
      pixels = pixels.slice(1, 0, 2).contiguous();
    });
    QVERIFY(file.refused("radii"));
    std::filesystem::remove(file.path);
    QVERIFY(file.refused("no such file"));
  }

  void aRunRecordsThemAndNothingElseChanges() {
    Bench bench;
    const auto run = bench.create(stripSpecification());
    bench.execute(run);
    const auto folder = bench.store->artefactFolder(run);
    const auto files = keptFiles(bench, run, IterationStrips::kind);
    QCOMPARE(files, (std::vector<std::string>{"strips-0.safetensors", "strips-2.safetensors"}));
    const auto once = IterationStrips::load(folder / files[0]);
    QCOMPARE(once.detector, std::string("once"));
    QCOMPARE(once.radii.size(), std::size_t{6});
    QCOMPARE(once.iterations, std::int64_t{5});
    QCOMPARE(once.samples.size(), std::size_t{4 + 4 + 4 + 3});
    QCOMPARE(once.sets.size(), std::size_t{4});
    QVERIFY(std::abs(once.leastSimilarity - 0.8) < 1e-12);
    QCOMPARE(once.classWeight, 0.2);
    const auto thrice = IterationStrips::load(folder / files[1]);
    QCOMPARE(thrice.passes, std::int64_t{3});
    QCOMPARE(thrice.radii.size(), std::size_t{2});
    int compared = 0;
    for (const auto* strips : {&once, &thrice}) {
      for (std::size_t i = 0; i < strips->samples.size(); ++i) {
        const auto& of = strips->samples[i];
        const auto& set = strips->sets[of.set];
        QCOMPARE(of.label < 0, set.role == "out");
        if (set.role == "train") continue;
        // After the passes that the detector makes stands the similarity it has scored.
        const auto stored =
            bench.store->scores(run, strips->detector, "", set.name, set.role == "out");
        const double similarity = strips->toInput[strips->at(i, 0, strips->passes)];
        QVERIFY(std::abs(similarity + stored->scores[std::size_t(of.index)] - 1) < 1e-5);
        ++compared;
      }
    }
    QCOMPARE(compared, 2 * 11);
    // The pictures are those of the image pairs.
    int pictures = 0;
    for (const auto& pair : bench.store->imagePairs(run)) {
      for (std::size_t i = 0; i < once.samples.size(); ++i) {
        const auto& set = once.sets[once.samples[i].set];
        if (set.role == "train" || set.name != pair.dataset) continue;
        if (once.samples[i].index != pair.sample) continue;
        QVERIFY(samePicture(once.picture(i, 0, 0), pair.before));
        ++pictures;
      }
    }
    QVERIFY(pictures >= 10);

    Json without = stripSpecification();
    for (auto& detector : without["detectors"]) {
      if (detector.at("type") == "attractor") detector["strip_images"] = 0;
    }
    const auto plain = bench.create(without);
    bench.execute(plain);
    QVERIFY(keptFiles(bench, plain, IterationStrips::kind).empty());
    QCOMPARE(bench.results(plain), bench.results(run));
    const auto scores = [&](std::int64_t of) {
      return bench.store->scores(of, "thrice", "fgsm", "noise-uniform", true)->scores;
    };
    QCOMPARE(scores(plain), scores(run));
  }

  void aCancelledRunRecordsTheSame() {
    Bench bench;
    const auto whole = bench.create(stripSpecification());
    bench.execute(whole);
    const auto strips = [&](std::int64_t run, const char* file) {
      return bench.store->artefactFolder(run) / file;
    };
    const auto sum = sha256File(strips(whole, "strips-0.safetensors"));
    for (const int scores : {3, 4}) {  // before the strips, and after
      const auto cut = bench.create(stripSpecification());
      QVERIFY(cutAfterScores(bench, cut, scores));
      QCOMPARE(std::filesystem::exists(strips(cut, "strips-0.safetensors")), scores == 4);
      bench.execute(cut);
      QCOMPARE(sha256File(strips(cut, "strips-0.safetensors")), sum);
      QCOMPARE(bench.results(cut), bench.results(whole));
      // What is damaged is recorded anew by a retry.
      writeFileAtomically(strips(cut, "strips-0.safetensors"), "cut");
      bench.execute(cut);
      QCOMPARE(sha256File(strips(cut, "strips-0.safetensors")), sum);
    }
  }

  void badPlansAreRefused() {
    Bench bench;
    for (const auto& [key, value] :
         std::vector<std::pair<std::string, Json>>{{"strip_radii", Json::array({"0", "300/255"})},
                                                   {"strip_radii", Json::array({"x"})},
                                                   {"strip_images", -1},
                                                   {"strip_iterations", 0}}) {
      Json json = stripSpecification();
      json["detectors"][0][key] = value;
      try {
        bench.create(json);
        QFAIL(key.c_str());
      } catch (const Error& error) {
        QVERIFY(std::string(error.what()).find("detectors[0]." + key) != std::string::npos);
      }
    }
  }
};

QTEST_GUILESS_MAIN(TestIterationStrips)
#include "tst_iteration_strips.moc"
