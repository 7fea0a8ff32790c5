// The stages of the autoencoder's training: what each trains, when it ends and which weights stay.
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "attack_support.h"
#include "core/base/text.h"
#include "core/data/image_set.h"
#include "core/nn/autoencoder.h"
#include "core/training/recipe.h"

using namespace bulwark;

namespace {

using torch::Tensor;
using Weights = std::map<std::string, Tensor>;

Weights weightsOf(const Network& network) {
  Weights weights;
  for (const auto& item : network.named_parameters()) {
    weights[item.key()] = item.value().detach().clone();
  }
  return weights;
}

/// The layers whose weights differ, "encoder1 decoder2", in the order of their names.
std::string changed(const Weights& before, const Weights& after) {
  std::vector<std::string> names;
  for (const auto& [name, value] : before) {
    if (!name.ends_with(".weight") || torch::equal(value, after.at(name))) continue;
    names.push_back(name.substr(0, name.find('.')));
  }
  return join(names, " ");
}

class Fit {
 public:
  Json options = Json::object();
  /// Called for every value that the training reports.
  std::function<void(std::int64_t epoch, const std::string& name)> seen;
  std::unique_ptr<Network> network;

  Fit() {
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    network =
        networks.make("autoencoder", {{"encoder", {20, 14, 9}}}, "", NetworkShape{1, 6, 6, 3});
    network->initialise(Seed(1));
  }

  void run(const ImageSet& train, const ImageSet* validation) {
    Registry<Recipe> recipes("recipe");
    registerRecipes(recipes);
    Task task;
    FitContext context{.network = *network, .train = train, .validation = validation, .task = task};
    context.seed = Seed(2);
    context.metric = [this](std::int64_t epoch, const std::string& name, double) {
      if (seen) seen(epoch, name);
    };
    recipes.make("attractor", options, "")->fit(context);
  }
};

}  // namespace

class TestAutoencoderFit : public QObject {
  Q_OBJECT

  Tensor pixels_ = attack_support::uniform({48, 1, 6, 6}, 41, 0, 1);
  TensorImageSet train_{"train", pixels_, torch::arange(48, torch::kInt64) % 3, {"a", "b", "c"}};

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  /// Outermost pair first, each alone, then all; the class head of the code comes with the last
  /// pair.
  void eachStageTrainsItsPairOfLayers() {
    Fit fit;
    fit.options = {{"pretraining_epochs", 2},
                   {"epochs", 2},
                   {"batch_size", 16},
                   {"early_stopping_patience", 0}};
    std::vector<Weights> after;  // of every epoch
    fit.seen = [&](std::int64_t, const std::string& name) {
      if (name == "seconds") after.push_back(weightsOf(*fit.network));
    };
    fit.run(train_, nullptr);
    QCOMPARE(after.size(), std::size_t{8});
    const char* expected[] = {"decoder3 encoder1", "decoder2 encoder2",
                              "classifier decoder1 encoder3",
                              "classifier decoder1 decoder2 decoder3 encoder1 encoder2 encoder3"};
    for (std::size_t stage = 0; stage < 4; ++stage) {
      QCOMPARE(changed(after[2 * stage], after[2 * stage + 1]), std::string(expected[stage]));
    }
    // Nothing is moved in between; the next stage begins with what the last one left.
    for (std::size_t stage = 0; stage < 3; ++stage) {
      QCOMPARE(changed(after[2 * stage + 1], after[2 * stage + 2]),
               std::string(expected[stage + 1]));
    }
    QCOMPARE(changed(after.back(), weightsOf(*fit.network)), std::string());
  }

  void endsWhenValidationSaysSo_data() {
    QTest::addColumn<QString>("stopping");
    QTest::addColumn<QList<int>>("right");  // of 20 validation images, epoch by epoch
    QTest::addColumn<int>("epochs");
    QTest::addColumn<int>("kept");
    QTest::newRow("three epochs without a new best")
        << "no_better" << QList<int>{10, 12, 14, 12, 13, 14, 20} << 6 << 3;
    QTest::newRow("a new best in time")
        << "no_better" << QList<int>{10, 9, 8, 11, 9, 9, 12, 1, 1, 1, 20} << 10 << 7;
    QTest::newRow("the best at once") << "no_better" << QList<int>{15, 15, 14, 13, 20} << 4 << 1;
    QTest::newRow("three falls in a row, the last weights")
        << "falling" << QList<int>{10, 12, 11, 10, 9, 20} << 5 << 5;
    QTest::newRow("falls that a pause breaks")
        << "falling" << QList<int>{14, 13, 12, 12, 11, 10, 9, 20} << 7 << 7;
    QTest::newRow("never") << "falling" << QList<int>{5, 4, 3, 4, 3, 2, 3, 2, 1, 2} << 10 << 10;
  }
  void endsWhenValidationSaysSo() {
    QFETCH(QString, stopping);
    QFETCH(QList<int>, right);
    QFETCH(int, epochs);
    QFETCH(int, kept);
    const auto images = attack_support::uniform({20, 1, 6, 6}, 43, 0, 1);
    const auto labels = torch::zeros({20}, torch::kInt64);
    const TensorImageSet validation("validation", images, labels, {"a", "b", "c"});
    Fit fit;
    fit.options = {{"pretraining_epochs", 0},
                   {"epochs", 10},
                   {"batch_size", 16},
                   {"early_stopping_patience", 3},
                   {"stopping", stopping.toStdString()}};
    std::vector<Weights> after;
    fit.seen = [&](std::int64_t epoch, const std::string& name) {
      const torch::NoGradGuard noGrad;
      if (name == "accuracy") {
        // Just before validation: so many labels become what the network will say.
        const auto said = fit.network->forward(images).argmax(1);
        const int count = right.value(static_cast<int>(epoch) - 1);
        labels.copy_((said + 1) % 3);
        labels.slice(0, 0, count).copy_(said.slice(0, 0, count));
      }
      if (name == "seconds") after.push_back(weightsOf(*fit.network));
    };
    fit.run(train_, &validation);
    QCOMPARE(after.size(), static_cast<std::size_t>(epochs));
    QCOMPARE(changed(after[static_cast<std::size_t>(kept) - 1], weightsOf(*fit.network)),
             std::string());
    if (kept < epochs) QVERIFY(!changed(after.back(), weightsOf(*fit.network)).empty());
  }
};

QTEST_GUILESS_MAIN(TestAutoencoderFit)
#include "tst_autoencoder_fit.moc"
