#include <array>
#include <cmath>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/data/image_set.h"
#include "core/nn/network.h"
#include "core/training/adversary.h"
#include "core/training/augmentation.h"
#include "core/training/evaluate.h"
#include "core/training/optimiser.h"
#include "core/training/recipe.h"
#include "core/training/schedule.h"

using namespace bulwark;

namespace {

/// Four classes of 12 x 12 images: a bright quarter on a noisy ground. After `stopAfter` reads of
/// a batch it cancels whoever listens, as a user or a kill would do between two iterations.
class Quarters : public ImageSet {
 public:
  Quarters(std::int64_t count, Seed seed) {
    Random random(seed);
    pixels_ = torch::empty({count, 1, 12, 12});
    labels_ = torch::empty({count}, torch::kInt64);
    for (std::int64_t i = 0; i < count; ++i) {
      const auto label = static_cast<std::int64_t>(random.below(4));
      labels_[i] = label;
      float* data = pixels_[i].data_ptr<float>();
      for (int p = 0; p < 144; ++p) {
        const bool bright = (p / 12 >= 6) == (label / 2 == 1) && (p % 12 >= 6) == (label % 2 == 1);
        data[p] = static_cast<float>(0.5 * random.uniform() + (bright ? 0.3 : 0.0));
      }
    }
  }
  std::int64_t size() const override { return labels_.size(0); }
  ImageShape shape() const override { return {1, 12, 12}; }
  torch::Tensor images(const torch::Tensor& indices) const override {
    if (control && --stopAfter == 0) control->cancel();
    return pixels_.index_select(0, indices);
  }
  const torch::Tensor& labels() const override { return labels_; }
  const std::vector<std::string>& classNames() const override { return names_; }
  const std::string& name() const override { return name_; }
  std::string fingerprint(Task&) const override {
    return sha256({static_cast<const char*>(pixels_.data_ptr()), pixels_.nbytes()});
  }
  std::vector<std::uint64_t> imageHashes(Task&) const override { return {}; }
  const Json& details() const override { return details_; }

  torch::Tensor pixels_, labels_;
  mutable std::int64_t stopAfter = 0;
  Control* control = nullptr;

 private:
  std::string name_ = "quarters";
  std::vector<std::string> names_{"a", "b", "c", "d"};
  Json details_ = Json::object();
};

using Metrics = std::map<std::string, std::vector<double>>;

/// One training, from nothing to its weights.
struct Run {
  std::string network = "lenet5", recipe = "standard";
  Json networkOptions = Json::object(), options = Json::object();
  std::uint64_t seed = 1;
  std::filesystem::path checkpoint = {};
  double checkpointSeconds = 60;
  Control* control = nullptr;
  Metrics metrics = {};
  std::vector<std::string> warnings = {};

  std::unique_ptr<Network> fit(const ImageSet& train, const ImageSet* validation = nullptr) {
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    Registry<Recipe> recipes("recipe");
    registerRecipes(recipes);
    auto made = networks.make(network, networkOptions, "network", NetworkShape{1, 12, 12, 4});
    made->initialise(Seed(seed).child("init"));
    const auto how = recipes.make(recipe, options, "recipe");
    Task task(control, {}, [&](LogLevel level, const std::string& text) {
      if (level == LogLevel::Warning) warnings.push_back(text);
    });
    FitContext context{.network = *made, .train = train, .validation = validation, .task = task};
    context.seed = Seed(seed).child("fit");
    context.checkpoint = checkpoint;
    context.checkpointSeconds = checkpointSeconds;
    metrics.clear();
    context.metric = [&](std::int64_t epoch, const std::string& name, double value) {
      auto& values = metrics[name];
      values.resize(static_cast<std::size_t>(epoch));
      values.back() = value;
    };
    how->fit(context);
    return made;
  }
};

bool sameWeights(const Network& a, const Network& b) {
  const auto parameters = b.named_parameters();
  for (const auto& item : a.named_parameters()) {
    if (!torch::equal(item.value(), parameters[item.key()])) return false;
  }
  const auto buffers = b.named_buffers();
  for (const auto& item : a.named_buffers()) {
    if (!torch::equal(item.value(), buffers[item.key()])) return false;
  }
  return true;
}

}  // namespace

class TestTraining : public QObject {
  Q_OBJECT

  QTemporaryDir folder_;
  Quarters train_{256, Seed(11)};
  Quarters validation_{96, Seed(12)};

  std::filesystem::path path(const std::string& name) const {
    return std::filesystem::path(folder_.path().toStdString()) / name;
  }

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }
  void cleanup() { torch::set_num_threads(1); }

  void schedules() {
    using Kind = Schedule::Kind;
    const Schedule constant{Kind::Constant, 0.2, 0.1};
    QCOMPARE(constant.rate(0, 100), 0.2);
    QCOMPARE(constant.rate(99, 100), 0.2);
    const Schedule step{Kind::Step, 0.2, 0.1};
    QCOMPARE(step.rate(49, 100), 0.2);
    QCOMPARE(step.rate(50, 100), 0.2 * 0.1);
    QCOMPARE(step.rate(75, 100), 0.2 * 0.1 * 0.1);
    const Schedule cosine{Kind::Cosine, 0.2, 0.1};
    QCOMPARE(cosine.rate(0, 100), 0.2);
    QVERIFY(std::abs(cosine.rate(50, 100) - 0.1) < 1e-12);
    QVERIFY(std::abs(cosine.rate(25, 100) - 0.1 * (1 + std::sqrt(0.5))) < 1e-12);
    const Schedule cycle{Kind::OneCycle, 0.2, 0.1};
    QVERIFY(std::abs(cycle.rate(0, 100) - 0.2 / 25) < 1e-12);
    QVERIFY(std::abs(cycle.rate(30, 100) - 0.2) < 1e-12);
    QVERIFY(cycle.rate(99, 100) < 0.001);
    for (int i = 0; i < 99; ++i) {
      QVERIFY((cycle.rate(i + 1, 100) > cycle.rate(i, 100)) == (i < 30));
    }
  }

  void optimisersMatchLibTorch_data() {
    QTest::addColumn<QString>("kind");
    QTest::addColumn<double>("momentum");
    QTest::addColumn<bool>("nesterov");
    QTest::newRow("plain") << "sgd" << 0.0 << false;
    QTest::newRow("momentum") << "sgd" << 0.9 << false;
    QTest::newRow("nesterov") << "sgd" << 0.9 << true;
    QTest::newRow("adam") << "adam" << 0.9 << false;
  }
  void optimisersMatchLibTorch() {
    QFETCH(QString, kind);
    QFETCH(double, momentum);
    QFETCH(bool, nesterov);
    torch::nn::Linear ours(5, 3), theirs(5, 3);
    {
      const torch::NoGradGuard noGrad;
      for (std::size_t i = 0; i < 2; ++i) ours->parameters()[i].copy_(theirs->parameters()[i]);
    }
    OptimiserOptions options;
    options.kind = kind == "sgd" ? OptimiserOptions::Kind::Sgd : OptimiserOptions::Kind::Adam;
    options.momentum = momentum;
    options.nesterov = nesterov;
    options.weightDecay = 0.01;
    options.decayAll = true;
    Optimiser own(*ours, options);
    std::unique_ptr<torch::optim::Optimizer> reference;
    if (kind == "sgd") {
      reference = std::make_unique<torch::optim::SGD>(
          theirs->parameters(),
          torch::optim::SGDOptions(0.1).momentum(momentum).nesterov(nesterov).weight_decay(0.01));
    } else {
      reference = std::make_unique<torch::optim::Adam>(
          theirs->parameters(), torch::optim::AdamOptions(0.1).weight_decay(0.01));
    }
    const torch::Tensor x = torch::linspace(-1, 1, 20).reshape({4, 5});
    for (int i = 0; i < 7; ++i) {
      own.clearGradients();
      ours->forward(x).square().sum().backward();
      own.step(0.1);
      reference->zero_grad();
      theirs->forward(x).square().sum().backward();
      reference->step();
    }
    for (std::size_t i = 0; i < 2; ++i) {
      QVERIFY(torch::allclose(ours->parameters()[i], theirs->parameters()[i], 1e-5, 1e-7));
    }
  }

  void decaySparesBiases() {
    torch::nn::Linear layer(2, 2);
    OptimiserOptions options;
    options.momentum = 0;
    options.weightDecay = 0.5;
    for (const bool all : {false, true}) {
      options.decayAll = all;
      Optimiser optimiser(*layer, options);
      const torch::Tensor weight = layer->weight.detach().clone();
      const torch::Tensor bias = layer->bias.detach().clone();
      for (auto& parameter : layer->parameters()) {
        parameter.mutable_grad() = torch::zeros_like(parameter);
      }
      optimiser.step(0.1);
      QVERIFY(torch::allclose(layer->weight, weight * 0.95));
      QVERIFY(torch::allclose(layer->bias, all ? bias * 0.95 : bias));
    }
  }

  void augmentations() {
    const torch::Tensor images = torch::arange(1, 2 * 3 * 8 * 6 + 1, torch::kFloat32)
                                     .reshape({2, 3, 8, 6})
                                     .repeat({32, 1, 1, 1});
    Random none(Seed(1));
    QVERIFY(torch::equal(augment(Augmentation::None, images, none), images));
    Random flips(Seed(1));
    const torch::Tensor flipped = augment(Augmentation::Flip, images, flips);
    std::int64_t mirrored = 0;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const bool same = torch::equal(flipped[i], images[i]);
      QVERIFY(same || torch::equal(flipped[i], images[i].flip({2})));
      mirrored += same ? 0 : 1;
    }
    QVERIFY(mirrored > 16 && mirrored < 48);
    // Every crop is one of the crops of the padded image, and they differ.
    for (const auto& [kind, padding] : {std::pair{Augmentation::CropFlip, std::int64_t{4}},
                                        std::pair{Augmentation::Shift, std::int64_t{2}}}) {
      Random random(Seed(2));
      const torch::Tensor moved = augment(kind, images, random);
      QCOMPARE(moved.sizes().vec(), images.sizes().vec());
      const torch::Tensor padded =
          torch::constant_pad_nd(images, {padding, padding, padding, padding});
      std::set<std::array<std::int64_t, 3>> seen;
      for (std::int64_t i = 0; i < images.size(0); ++i) {
        bool found = false;
        for (std::int64_t top = 0; top <= 2 * padding; ++top) {
          for (std::int64_t left = 0; left <= 2 * padding; ++left) {
            const torch::Tensor crop = padded[i].slice(1, top, top + 8).slice(2, left, left + 6);
            for (std::int64_t flip = 0; flip < (padding == 4 ? 2 : 1); ++flip) {
              if (!torch::equal(moved[i], flip ? crop.flip({2}) : crop)) continue;
              found = true;
              seen.insert({top, left, flip});
            }
          }
        }
        QVERIFY(found);
      }
      QVERIFY(seen.size() > 15);
    }
    Random a(Seed(3)), b(Seed(3));
    QVERIFY(torch::equal(augment(Augmentation::Shift, images, a),
                         augment(Augmentation::Shift, images, b)));
  }

  void statistics() {
    Task task;
    const ChannelStatistics found = channelStatistics(train_, task);
    const torch::Tensor pixels = train_.pixels_.to(torch::kFloat64);
    QVERIFY(std::abs(found.mean.item<double>() - pixels.mean().item<double>()) < 1e-9);
    QVERIFY(std::abs(found.deviation.item<double>() - pixels.std(false).item<double>()) < 1e-9);
    Quarters flat(8, Seed(1));
    flat.pixels_.fill_(0.25);
    QCOMPARE(channelStatistics(flat, task).deviation.item<double>(), 1.0);
  }

  void learnsAndReports_data() {
    QTest::addColumn<QString>("network");
    QTest::addColumn<QString>("networkOptions");
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<QString>("options");
    QTest::newRow("sgd") << "lenet5"
                         << "{}"
                         << "standard"
                         << R"({"epochs": 4, "batch_size": 32})";
    QTest::newRow("adam, cosine")
        << "mlp"
        << R"({"hidden": [32]})"
        << "standard"
        << R"({"epochs": 4, "batch_size": 32, "optimiser": "adam", "learning_rate": 0.005,
               "schedule": "cosine", "label_smoothing": 0.1})";
    QTest::newRow("batch norm") << "resnet18"
                                << R"({"width": 4})"
                                << "standard"
                                << R"({"epochs": 6, "batch_size": 32, "augmentation": "shift"})";
    QTest::newRow("adversarial") << "lenet5"
                                 << "{}"
                                 << "adversarial"
                                 << R"({"epochs": 5, "batch_size": 32, "steps": 3})";
    QTest::newRow("adversarial l2")
        << "lenet5"
        << "{}"
        << "adversarial"
        << R"({"epochs": 5, "batch_size": 32, "steps": 3, "norm": "l2", "eps": 0.3})";
    const auto attacked = [](const char* name, const Json& attack, const Json& ball) {
      Json options = {{"epochs", 5}, {"batch_size", 32}, {"steps", 3}};
      options["attack"] = attack.is_string() ? attack.get<std::string>() : attack.dump();
      options.update(ball);
      QTest::newRow(name) << "lenet5"
                          << "{}"
                          << "adversarial" << options.dump().c_str();
    };
    const Json l2 = {{"norm", "l2"}, {"eps", 0.3}};
    attacked("adversarial, fgsm", "fgsm", Json::object());
    attacked("adversarial, restarts", {{"type", "pgd"}, {"restarts", 2}}, Json::object());
    attacked("adversarial, apgd", {{"type", "apgd"}, {"loss", "dlr"}}, l2);
  }
  void learnsAndReports() {
    QFETCH(QString, network);
    QFETCH(QString, networkOptions);
    QFETCH(QString, recipe);
    QFETCH(QString, options);
    Run run;
    run.network = network.toStdString();
    run.networkOptions = Json::parse(networkOptions.toStdString());
    run.recipe = recipe.toStdString();
    run.options = Json::parse(options.toStdString());
    const auto trained = run.fit(train_, &validation_);
    QVERIFY(!trained->is_training());
    Task task;
    const double share = accuracy(*trained, validation_, torch::kCPU, 256, task);
    QVERIFY2(share > 0.9, std::to_string(share).c_str());
    QCOMPARE(run.metrics.at("validation_accuracy").back(), share);
    const auto epochs = run.options.at("epochs").get<std::size_t>();
    for (const char* name : {"loss", "accuracy", "learning_rate", "seconds"}) {
      QCOMPARE(run.metrics.at(name).size(), epochs);
    }
    QVERIFY(run.metrics.at("loss").back() < run.metrics.at("loss").front());
    QCOMPARE(run.metrics.count("robust_accuracy"), std::size_t{run.recipe == "adversarial"});
    if (run.recipe == "adversarial") {
      QVERIFY(run.metrics.at("robust_accuracy").back() > 0.8);
      QVERIFY(run.metrics.at("robust_accuracy").back() <= 1.0);
    }
    const torch::Tensor mean = trained->named_buffers()["input_mean"];
    QVERIFY(std::abs(mean.item<double>() - train_.pixels_.mean().item<double>()) < 1e-5);
  }

  // The point of the recipe, in one comparison on the same data: a radius that breaks standard
  // training is borne.
  void adversarialTrainingIsMoreRobust() {
    Run standard, robust;
    standard.recipe = robust.recipe = "adversarial";
    standard.options = {{"epochs", 6}, {"batch_size", 32}, {"steps", 5}, {"eps", 0.25}};
    robust.options = standard.options;
    standard.options["warmup_epochs"] = 10000;  // the radius stays next to 0: standard training
    standard.fit(train_, &validation_);
    robust.fit(train_, &validation_);
    const double before = standard.metrics.at("robust_accuracy").back();
    const double after = robust.metrics.at("robust_accuracy").back();
    QVERIFY2(after > before + 0.1, (std::to_string(before) + " " + std::to_string(after)).c_str());
  }

  /// Another attack trains another network, the same one the same; every attack that is offered
  /// stays in its ball and grows with the warm-up.
  void attacksInTraining() {
    Run run;
    run.recipe = "adversarial";
    run.options = {{"epochs", 1}, {"batch_size", 64}, {"steps", 2}, {"eps", 0.1}};
    std::vector<std::unique_ptr<Network>> trained;
    for (const char* attack : {"", "fgsm", "pgd", "apgd", "bim_a", "bim_b", "least_likely"}) {
      run.options["attack"] = attack;
      trained.push_back(run.fit(train_));
      QVERIFY2(sameWeights(*trained.back(), *run.fit(train_)), attack);
      for (std::size_t i = 0; i + 1 < trained.size(); ++i) {
        QVERIFY2(!sameWeights(*trained[i], *trained.back()), attack);
      }
    }
    const Json usual = {{"eps", "1/10"},
                        {"norm", "linf"},
                        {"steps", 3},
                        {"step_size", 0.0},
                        {"random_start", true}};
    const auto adversary = makeAttackAdversary("pgd", usual, "recipe.attack");
    Task task;
    const auto images = train_.range(0, 16);
    const auto labels = train_.labels().slice(0, 0, 16);
    double before = 0;
    for (const double share : {0.0, 0.25, 1.0}) {
      const auto moved =
          adversary->perturb(*trained[0], images, labels, share, Seed{1}, task) - images;
      const double size = moved.abs().max().item<double>();
      QVERIFY(size <= 0.1 * share + 1e-6);
      QVERIFY(share == 0.0 ? size == 0.0 : size > before);
      before = size;
    }
    // The network is as trainable as before.
    for (const auto& parameter : trained[0]->parameters()) QVERIFY(parameter.requires_grad());
  }

  void sameSeedSameWeights() {
    Run run;
    run.options = {{"epochs", 2}, {"batch_size", 32}, {"augmentation", "shift"}};
    const auto a = run.fit(train_, &validation_), b = run.fit(train_, &validation_);
    QVERIFY(sameWeights(*a, *b));
    run.seed = 2;
    QVERIFY(!sameWeights(*a, *run.fit(train_, &validation_)));
  }

  void resumesExactly_data() {
    QTest::addColumn<QString>("network");
    QTest::addColumn<QString>("networkOptions");
    QTest::addColumn<QString>("recipe");
    QTest::addColumn<QString>("options");
    QTest::addColumn<double>("interval");
    QTest::newRow("sgd, every iteration") << "lenet5"
                                          << "{}"
                                          << "standard"
                                          << R"({"augmentation": "crop_flip"})" << 0.0;
    QTest::newRow("sgd, every epoch") << "lenet5"
                                      << "{}"
                                      << "standard"
                                      << R"({"augmentation": "flip"})" << 1e9;
    QTest::newRow("adam, early stopping, batch norm")
        << "resnet18"
        << R"({"width": 2})"
        << "standard"
        << R"({"optimiser": "adam", "learning_rate": 0.01, "early_stopping_patience": 2})" << 0.0;
    QTest::newRow("adversarial") << "lenet5"
                                 << "{}"
                                 << "adversarial"
                                 << R"({"steps": 2, "early_stopping_patience": 3})" << 0.0;
  }
  void resumesExactly() {
    QFETCH(QString, network);
    QFETCH(QString, networkOptions);
    QFETCH(QString, recipe);
    QFETCH(QString, options);
    QFETCH(double, interval);
    Run whole;
    whole.network = network.toStdString();
    whole.networkOptions = Json::parse(networkOptions.toStdString());
    whole.recipe = recipe.toStdString();
    whole.options = Json::parse(options.toStdString());
    whole.options["epochs"] = 3;
    if (whole.network == "lenet5") torch::set_num_threads(2);
    whole.options["batch_size"] = 60;  // 5 batches of 51 or 52 images
    const auto expected = whole.fit(train_, &validation_);
    // 1 read of all images for the statistics comes first; then 5 reads an epoch.
    const std::vector<std::int64_t> stops = whole.network == "resnet18"
                                                ? std::vector<std::int64_t>{4, 11}
                                                : std::vector<std::int64_t>{1, 4, 5, 6, 11, 15};
    for (const std::int64_t iteration : stops) {
      Run run = whole;
      run.checkpoint = path("resume-" + std::to_string(iteration));
      run.checkpointSeconds = interval;
      Control control;
      run.control = &control;
      Quarters stopping = train_;
      stopping.control = &control;
      stopping.stopAfter = 1 + iteration;
      bool cancelled = false;
      try {
        run.fit(stopping, &validation_);
      } catch (const Error& error) {
        cancelled = error.kind() == Error::Kind::Cancelled;
      }
      QVERIFY(cancelled);
      // The adversarial recipe notices between two steps of its attack, so within the iteration.
      const bool inFirst = iteration == 1 && run.recipe == "adversarial";
      const bool saved = interval == 0.0 ? !inFirst : iteration > 5;
      QCOMPARE(std::filesystem::exists(run.checkpoint), saved);
      run.control = nullptr;
      const auto resumed = run.fit(train_, &validation_);
      QVERIFY2(sameWeights(*resumed, *expected), std::to_string(iteration).c_str());
      QVERIFY(!std::filesystem::exists(run.checkpoint));
      run.metrics.erase("seconds");
      Metrics reference = whole.metrics;
      reference.erase("seconds");
      QVERIFY2(run.metrics == reference, std::to_string(iteration).c_str());
      QVERIFY(run.warnings.empty());
    }
  }

  void checkpointOfAnotherTraining() {
    Run run;
    run.options = {{"epochs", 2}, {"batch_size", 64}};
    run.checkpoint = path("other");
    run.checkpointSeconds = 0;
    Control control;
    run.control = &control;
    Quarters stopping = train_;
    stopping.control = &control;
    stopping.stopAfter = 4;
    QVERIFY_EXCEPTION_THROWN(run.fit(stopping), Error);
    QVERIFY(std::filesystem::exists(run.checkpoint));
    const std::string kept = readFile(run.checkpoint);
    run.control = nullptr;
    // Another option, other data, another seed: each starts from the beginning and says so.
    for (int what = 0; what < 3; ++what) {
      Run changed = run;
      Quarters data = train_;
      if (what == 0) changed.options["learning_rate"] = 0.04;
      if (what == 1) data.pixels_ = (data.pixels_ * 0.5).contiguous();
      if (what == 2) changed.seed = 99;
      Run reference = changed;
      reference.checkpoint.clear();
      writeFileAtomically(run.checkpoint, kept);
      const auto resumed = changed.fit(data);
      QCOMPARE(changed.warnings.size(), std::size_t{1});
      QVERIFY(changed.warnings[0].find("other") != std::string::npos);
      QVERIFY(sameWeights(*resumed, *reference.fit(data)));
    }
    // Cut short anywhere, or not a checkpoint: refused with the way out, and left as it is.
    const std::string foreign(kept.size(), 'x');
    for (const std::string& bytes :
         {kept.substr(0, kept.size() - 1), kept.substr(0, kept.size() / 2), kept.substr(0, 100),
          kept.substr(0, 3), std::string(), foreign}) {
      writeFileAtomically(run.checkpoint, bytes);
      try {
        run.fit(train_);
        QFAIL("a damaged checkpoint was taken");
      } catch (const Error& error) {
        QCOMPARE(error.kind(), Error::Kind::Failed);
        QVERIFY(error.where().find("other") != std::string::npos);
        QVERIFY(error.hint().find("delete it") != std::string::npos);
      }
      QCOMPARE(readFile(run.checkpoint), bytes);
    }
  }

  void stopsEarlyWithTheBestWeights() {
    Run run;
    run.options = {{"epochs", 30},
                   {"batch_size", 64},
                   {"schedule", "constant"},
                   {"early_stopping_patience", 3}};
    const auto trained = run.fit(train_, &validation_);
    const std::vector<double>& curve = run.metrics.at("validation_accuracy");
    QVERIFY(curve.size() < 30);
    const auto best = std::max_element(curve.begin(), curve.end());
    QCOMPARE(curve.end() - best, 4);  // the first best, and three epochs without a better one
    Task task;
    QCOMPARE(accuracy(*trained, validation_, torch::kCPU, 256, task), *best);
    run.options["early_stopping_patience"] = 1;
    try {
      run.fit(train_);
      QFAIL("early stopping without validation images was accepted");
    } catch (const Error& error) {
      QCOMPARE(error.where(), std::string("recipe.early_stopping_patience"));
    }
  }

  void nonsenseIsNoticed() {
    Run diverges;
    diverges.options = {{"epochs", 20},
                        {"batch_size", 32},
                        {"learning_rate", 10},
                        {"schedule", "constant"},
                        {"weight_decay", 1}};
    try {
      diverges.fit(train_);
      QFAIL("a diverging training passed");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::Failed);
      QCOMPARE(error.where(), std::string("recipe.learning_rate"));
      QVERIFY2(error.problem().find("epoch") != std::string::npos, error.what());
      QVERIFY(error.hint().find("smaller learning rate") != std::string::npos);
    }
    Run still;
    still.options = {{"epochs", 1}, {"learning_rate", 1e-30}};
    try {
      still.fit(train_);
      QFAIL("a training that moved nothing passed");
    } catch (const Error& error) {
      QVERIFY2(error.problem().find("did not move") != std::string::npos, error.what());
    }
    Quarters labels = train_;
    labels.labels_ = labels.labels_.clone();
    labels.labels_[3] = 4;
    QVERIFY_EXCEPTION_THROWN(Run().fit(labels), Error);
    labels.labels_[3] = -1;
    QVERIFY_EXCEPTION_THROWN(Run().fit(labels), Error);
    Run wrong;
    wrong.options = {{"schedule", "linear"}};
    QVERIFY_EXCEPTION_THROWN(wrong.fit(train_), Error);
    wrong.recipe = "adversarial";
    wrong.options = {{"eps", 1.5}};
    QVERIFY_EXCEPTION_THROWN(wrong.fit(train_), Error);
  }
};

QTEST_GUILESS_MAIN(TestTraining)
#include "tst_training.moc"
