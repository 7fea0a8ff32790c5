// Out sets of adversarial images: the in test images, turned against the run's own classifier.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/attacks/classification_objective.h"
#include "core/experiment/crafted_sets.h"
#include "core/nn/safetensors.h"
#include "small_runs.h"

using namespace bulwark;
using namespace smallruns;

namespace {

using torch::Tensor;

Json adversarialSet(const Json& attack, const std::string& label) {
  return {{"dataset", "adversarial"}, {"label", label}, {"options", {{"attack", attack}}}};
}

Json craftedSpecification() {
  Json json = smallSpecification();
  json["data"]["in"]["train_limit"] = 400;
  json["data"]["in"]["test_limit"] = 60;
  json["classifier"]["recipe"] = {{"type", "standard"}, {"epochs", 3}};
  json["data"]["out"] = Json::array(
      {adversarialSet({{"type", "fgsm"}, {"eps", 0.3}}, "FGSM"),
       adversarialSet({{"type", "bim_a"}, {"eps", 0.3}, {"step_size", 0.02}}, "BIM-a"),
       adversarialSet({{"type", "bim_b"}, {"eps", 0.3}, {"step_size", 0.02}}, "BIM-b"),
       adversarialSet({{"type", "cw_l2"}, {"steps", 80}, {"searches", 4}, {"initial_c", 1}}, "CW"),
       {{"dataset", "noise-uniform"}, {"test_limit", 20}}});
  json["data"]["out"][3]["test_limit"] = 8;
  json["detectors"] = Json::parse(R"(["msp"])");
  json["attacks"] = Json::array();
  json["evaluation"]["settings"] = {"clean"};
  return json;
}

}  // namespace

class TestCraftedSets : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void madeOfTheCorrectInImages() {
    Bench bench;
    const auto run = bench.create(craftedSpecification());
    bench.execute(run);
    const auto folder = bench.store->artefactFolder(run);
    const auto of = [&](int place) {
      return TensorFile::load(folder / ("crafted-" + std::to_string(place) + ".safetensors"));
    };
    // How far each set lies from the images that it is made of.
    const auto set = [&](int place, const char* name) { return of(place).tensors.at(name); };
    Task task;
    const auto spec = Specification::fromJson(bench.store->run(run).specification, bench.registries,
                                              bench.catalogue);
    const auto inSet =
        loadExperimentData(spec, bench.catalogue, Seed(spec.seed).child("data"), task).in.set;
    for (const int place : {0, 1, 2, 3}) {
      const Tensor images = set(place, "images"), rows = set(place, "rows");
      QCOMPARE(images.size(0), rows.size(0));
      QVERIFY(images.min().item<double>() >= 0 && images.max().item<double>() <= 1);
      QVERIFY(torch::equal(set(place, "labels"), inSet->labels().index_select(0, rows)));
      const auto distance =
          (images - inSet->images(rows)).abs().flatten(1).amax(1).to(torch::kFloat64);
      if (place < 3) QVERIFY(distance.max().item<double>() <= 0.3 + 1e-6);
      QVERIFY2(distance.max().item<double>() > 0, qPrintable(QString::number(place)));
    }
    // FGSM and BIM-b go all the way; BIM-a ends where the class falls, C&W at the nearest such.
    const auto length = [&](int place) {
      const Tensor rows = set(place, "rows");
      return (set(place, "images") - inSet->images(rows)).flatten(1).square().sum(1).sqrt();
    };
    QVERIFY(set(0, "rows").equal(set(2, "rows")));
    QVERIFY(length(1).mean().item<double>() < 0.7 * length(2).mean().item<double>());
    QVERIFY(length(3).mean().item<double>() < length(1).mean().item<double>());
    // The margins are those of the classifier on what is stored, and strong attacks succeed.
    for (const int place : {1, 2}) {
      QVERIFY(set(place, "margins").gt(0).to(torch::kFloat64).mean().item<double>() > 0.9);
    }
    // They are out sets like the others.
    const auto cells = byCell(bench.store->results(run));
    for (const char* name : {"FGSM", "BIM-a", "BIM-b", "CW", "noise-uniform"}) {
      const auto found = cells.find({"msp", "", name});
      QVERIFY2(found != cells.end(), name);
    }
    const auto datasets = bench.store->datasets(run);
    const auto record = std::find_if(datasets.begin(), datasets.end(),
                                     [](const auto& one) { return one.name == "CW"; });
    QVERIFY(record != datasets.end());
    QCOMPARE(record->count, std::int64_t{8});
    QVERIFY(record->details.at("misclassified").get<double>() > 0.5);

    // Executed again, they are taken from the run's folder and nothing changes.
    const auto results = bench.results(run);
    bench.execute(run);
    QCOMPARE(bench.results(run), results);
    // The same specification and seed make the same images.
    const auto again = bench.create(craftedSpecification());
    bench.execute(again);
    QCOMPARE(bench.results(again), results);
  }

  /// What detectors are trained on is made as the sets are: BIM-b goes on to the last step, BIM-a
  /// ends where the class falls; the next images get draws of their own.
  void imagesForDetectorsThatAreTrainedOnThem() {
    Bench bench;
    auto network = bench.registries.networks.make("mlp", Json::object(), "network", {1, 28, 28, 4});
    network->initialise(Seed(4));
    network->freeze();
    auto images = torch::empty({20, 1, 28, 28});
    Random random(Seed(6));
    for (std::int64_t i = 0; i < images.numel(); ++i) {
      images.data_ptr<float>()[i] = static_cast<float>(random.uniform());
    }
    const torch::NoGradGuard noGrad;
    const auto labels = network->forward(images).argmax(1);
    Task task;
    const auto crafter = [&] {
      return imageCrafter(bench.registries, *network, torch::kCPU, 8, Seed(7), task);
    };
    const auto made = [&](const char* type) {
      return crafter()({{"type", type}, {"eps", 0.2}, {"step_size", 0.02}}, images, labels);
    };
    const auto a = made("bim_a"), b = made("bim_b");
    const auto length = [&](const Tensor& to) {
      return (to - images).flatten(1).norm(2, 1).mean().item<double>();
    };
    for (const auto& moved : {a, b}) {
      QVERIFY((moved - images).abs().max().item<double>() <= 0.2 + 1e-6);
      QVERIFY(
          network->forward(moved).argmax(1).ne(labels).to(torch::kFloat32).mean().item<double>() >
          0.9);
    }
    QVERIFY(length(a) < 0.8 * length(b));
    QVERIFY(torch::equal(made("bim_b"), b));
    // Random targets are drawn anew with every batch, and the same by another crafter.
    const Json jsma = {{"type", "jsma"}, {"target", "random"}};
    const auto craft = crafter(), again = crafter();
    const auto first = craft(jsma, images, labels), second = craft(jsma, images, labels);
    QVERIFY(!torch::equal(first, second));
    QVERIFY(torch::equal(again(jsma, images, labels), first));
    QVERIFY_EXCEPTION_THROWN(craft({{"type", "salt_pepper_of_another_name"}}, images, labels),
                             Error);
  }

  void whichImages() {
    Bench bench;
    Json json = craftedSpecification();
    Json& out = json["data"]["out"];
    out = Json::array({adversarialSet("fgsm", "correct"), adversarialSet("fgsm", "all"),
                       adversarialSet("fgsm", "fooled")});
    out[1]["options"]["images"] = "all";
    out[2]["options"]["images"] = "fooled";
    const auto run = bench.create(json);
    bench.execute(run);
    const auto folder = bench.store->artefactFolder(run);
    std::vector<Tensor> rows, margins;
    for (const int place : {0, 1, 2}) {
      const auto file =
          TensorFile::load(folder / ("crafted-" + std::to_string(place) + ".safetensors"));
      rows.push_back(file.tensors.at("rows"));
      margins.push_back(file.tensors.at("margins"));
    }
    const double clean = bench.store->run(run).summary.at("accuracy_clean").get<double>();
    QCOMPARE(rows[0].numel(), static_cast<std::int64_t>(std::lround(60 * clean)));
    QCOMPARE(rows[1].numel(), std::int64_t{60});
    QCOMPARE(rows[2].numel(), margins[0].gt(0).sum().item<std::int64_t>());
    QVERIFY(margins[2].gt(0).all().item<bool>());
  }

  void refusals() {
    Bench bench;
    const auto refusal = [&](const Json& attack) {
      Json json = craftedSpecification();
      json["data"]["out"] = Json::array({adversarialSet(attack, "set")});
      try {
        bench.create(json);
      } catch (const Error& error) {
        return QString(error.what());
      }
      return QString("accepted");
    };
    QCOMPARE(refusal("pgd"), QString("accepted"));
    QVERIFY(refusal("pdg").contains("data.out[0].options.attack"));
    QVERIFY(refusal("joint").contains("classifier alone"));
    QVERIFY(refusal("transfer").contains("classifier alone"));
    QVERIFY(refusal("{broken").contains("names no attack"));
    QVERIFY(refusal({{"type", "fgsm"}, {"epsilon", 1}}).contains("data.out[0].options.attack"));
    QVERIFY(refusal({{"type", "fgsm"}, {"eps", 7}}).contains("eps"));
  }
};

QTEST_GUILESS_MAIN(TestCraftedSets)
#include "tst_crafted_sets.moc"
