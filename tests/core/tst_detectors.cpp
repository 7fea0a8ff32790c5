#include <QTemporaryDir>
#include <cmath>
#include <functional>

#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/declarations.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/gaussian.h"
#include "core/detectors/score_set.h"
#include "core/nn/network.h"

using namespace bulwark;

namespace {

torch::Tensor normals(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
  auto values = torch::empty(shape, torch::kFloat32);
  Random random(Seed{seed});
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<float>()[i] = static_cast<float>(random.normal());
  }
  return values;
}

/// Images in memory, with how often and how much was read at once.
class Images : public ImageSet {
 public:
  Images(torch::Tensor pixels, torch::Tensor labels)
      : pixels_(std::move(pixels)), labels_(std::move(labels)) {}
  std::int64_t size() const override { return pixels_.size(0); }
  ImageShape shape() const override { return {pixels_.size(1), pixels_.size(2), pixels_.size(3)}; }
  torch::Tensor images(const torch::Tensor& indices) const override {
    largestRead = std::max(largestRead, indices.size(0));
    if (onRead) onRead();
    return pixels_.index_select(0, indices);
  }
  const torch::Tensor& labels() const override { return labels_; }
  const std::vector<std::string>& classNames() const override { return names_; }
  const std::string& name() const override { return name_; }
  std::string fingerprint(Task& /*task*/) const override { return {}; }
  std::vector<std::uint64_t> imageHashes(Task& /*task*/) const override { return {}; }
  const Json& details() const override { return details_; }

  mutable std::int64_t largestRead = 0;
  std::function<void()> onRead;

 private:
  torch::Tensor pixels_, labels_;
  std::vector<std::string> names_;
  std::string name_ = "images";
  Json details_ = Json::object();
};

/// A small convolutional classifier with a spatial tap and one dead feature.
class SmallNet : public Network {
 public:
  SmallNet() : Network({1, 8, 8, 3}) {
    registerNormalisation();
    convolution_ =
        register_module("convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 6, 3)));
    hidden_ = register_module("hidden", torch::nn::Linear(6 * 36, 7));
    last_ = register_module("last", torch::nn::Linear(7, 3));
    initialise(Seed{11});
    freeze();
  }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    const auto maps = torch::relu(convolution_->forward(normalise(images)));
    keep(taps, "maps", maps);
    auto features = hidden_->forward(maps.flatten(1));
    features = torch::cat({features, torch::zeros_like(features.slice(1, 0, 1))}, 1);
    keep(taps, "features", features);
    return last_->forward(features.slice(1, 0, 7));
  }
  std::vector<std::string> taps() const override { return {"maps", "features"}; }

 private:
  torch::nn::Conv2d convolution_{nullptr};
  torch::nn::Linear hidden_{nullptr}, last_{nullptr};
};

/// Logits are the pixels.
class Identity : public Network {
 public:
  explicit Identity(std::int64_t classes) : Network({1, 1, classes, classes}) {
    registerNormalisation();
  }
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override {
    keep(taps, "features", images.flatten(1));
    return images.flatten(1);
  }
  std::vector<std::string> taps() const override { return {"features"}; }
};

std::unique_ptr<Detector> make(const std::string& name, const Json& options = Json::object()) {
  Registry<Detector> registry{"detector"};
  registerDetectors(registry);
  return registry.make(name, options, "detectors[0]");
}

const std::vector<std::string>& all() {
  static const std::vector<std::string> names = {
      "msp", "max_logit", "energy", "mahalanobis", "relative_mahalanobis", "knn"};
  return names;
}

/// Squared Mahalanobis distances [N, K] by the textbook, dense and in double.
torch::Tensor denseDistances(const torch::Tensor& queries, const torch::Tensor& features,
                             const torch::Tensor& labels, bool pooled) {
  const auto f = features.to(torch::kFloat64);
  const std::int64_t size = f.size(1);
  const std::int64_t classes = pooled ? labels.max().item<std::int64_t>() + 1 : 1;
  auto covariance = torch::zeros({size, size}, torch::kFloat64);
  std::vector<torch::Tensor> means;
  for (std::int64_t c = 0; c < classes; ++c) {
    const auto rows = pooled ? f.index({labels == c}) : f;
    const auto mean = rows.mean(0);
    means.push_back(mean);
    for (std::int64_t i = 0; i < rows.size(0); ++i) {
      covariance += torch::outer(rows[i] - mean, rows[i] - mean);
    }
  }
  covariance /= f.size(0);
  covariance += 1e-6 * covariance.diagonal().mean() * torch::eye(size, torch::kFloat64);
  const auto inverse = torch::inverse(covariance);
  std::vector<torch::Tensor> columns;
  for (const auto& mean : means) {
    const auto away = queries.to(torch::kFloat64) - mean;
    columns.push_back((torch::mm(away, inverse) * away).sum(1));
  }
  return torch::stack(columns, 1);
}

double relativeError(const torch::Tensor& a, const torch::Tensor& b) {
  const auto x = a.to(torch::kFloat64), y = b.to(torch::kFloat64);
  return ((x - y).abs() / (y.abs() + 1e-3)).max().item<double>();
}

}  // namespace

class TestDetectors : public QObject {
  Q_OBJECT

  SmallNet network_;
  torch::Tensor pixels_ = torch::sigmoid(normals({90, 1, 8, 8}, 1));
  torch::Tensor labels_ = torch::arange(90).remainder(3);
  torch::Tensor queries_ = torch::sigmoid(2 * normals({40, 1, 8, 8}, 2));

  DetectorContext contextOf(const ImageSet& train, Task& task, Network* network = nullptr) {
    DetectorContext context{.train = train, .task = task};
    context.classifier = network ? network : &network_;
    context.batchSize = 16;
    context.seed = Seed{3};
    return context;
  }

  std::unique_ptr<Detector> fitted(const std::string& name, const Json& options = Json::object()) {
    Images train(pixels_, labels_);
    Task task;
    auto detector = make(name, options);
    detector->fit(contextOf(train, task));
    return detector;
  }

  torch::Tensor tap(const torch::Tensor& images, const std::string& name) {
    const torch::NoGradGuard noGrad;
    TapValues taps{{name, {}}};
    network_.run(images, &taps);
    return taps.at(name);
  }

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  void logitScores() {
    Identity identity(3);
    const auto logits = torch::tensor({2.0F, -1.0F, 0.5F, 0.0F, 0.0F, 0.0F}).view({2, 1, 1, 3});
    Images train(logits, torch::zeros({2}, torch::kInt64));
    Task task;
    const auto score = [&](const std::string& name, const Json& options) {
      const auto detector = make(name, options);
      detector->fit(contextOf(train, task, &identity));
      return detector->score(logits).to(torch::kFloat64);
    };
    const double p = std::exp(2.0) / (std::exp(2.0) + std::exp(-1.0) + std::exp(0.5));
    const auto msp = score("msp", Json::object());
    QVERIFY(std::abs(msp[0].item<double>() - std::log((1 - p) / p)) < 1e-6);
    QVERIFY(std::abs(msp[1].item<double>() - std::log(2.0)) < 1e-6);
    QCOMPARE(score("max_logit", Json::object())[0].item<double>(), -2.0);
    const double energy = -std::log(std::exp(2.0) + std::exp(-1.0) + std::exp(0.5));
    QVERIFY(std::abs(score("energy", Json::object())[0].item<double>() - energy) < 1e-6);
    const double warm = -2 * std::log(std::exp(1.0) + std::exp(-0.5) + std::exp(0.25));
    QVERIFY(std::abs(score("energy", {{"temperature", 2}})[0].item<double>() - warm) < 1e-6);
  }

  /// Where float32 rounds the probability to 1, msp still ranks and still has a gradient.
  void mspDoesNotSaturate() {
    Identity identity(4);
    std::vector<torch::Tensor> rows;
    for (int i = 0; i < 50; ++i) {
      rows.push_back(torch::tensor({30.0F + 2 * static_cast<float>(i), 0.0F, -1.0F, 0.5F}));
    }
    const auto logits = torch::stack(rows).view({50, 1, 1, 4}).requires_grad_();
    Images train(logits.detach(), torch::zeros({50}, torch::kInt64));
    Task task;
    const auto detector = make("msp");
    detector->fit(contextOf(train, task, &identity));
    const auto score = detector->score(logits);
    const auto probability = torch::softmax(logits.flatten(1), 1).amax(1);
    QVERIFY((probability == 1).all().item<bool>());  // the plain form has lost all of them
    QVERIFY((score.slice(0, 1) < score.slice(0, 0, 49)).all().item<bool>());
    const auto gradient = torch::autograd::grad({score.sum()}, {logits})[0].flatten(1);
    QVERIFY(torch::allclose(gradient.select(1, 0), torch::full({50}, -1.0F)));
  }

  void mspRanksAsTheProbability() {
    const auto detector = fitted("msp");
    const auto score = detector->score(queries_);
    const auto probability = torch::softmax(network_.forward(queries_), 1).amax(1);
    QVERIFY(torch::equal(score.argsort(), (-probability).argsort()));
  }

  void mahalanobisIsTheTextbook() {
    const auto features = tap(pixels_, "features"), queries = tap(queries_, "features");
    const auto classes = denseDistances(queries, features, labels_, true);
    const auto detector = fitted("mahalanobis");
    QVERIFY(relativeError(detector->score(queries_), classes.amin(1)) < 1e-3);
    const auto background = denseDistances(queries, features, labels_, false).squeeze(1);
    const auto relative = fitted("relative_mahalanobis")->score(queries_).to(torch::kFloat64);
    const auto expected = classes.amin(1) - background;
    const auto scale = classes.amin(1) + background;
    QVERIFY(((relative - expected).abs() / scale).max().item<double>() < 1e-3);
    const auto parts = detector->intermediates(queries_);
    QVERIFY(relativeError(parts.at("class_distances"), classes) < 1e-3);
    QVERIFY(torch::equal(parts.at("features"), queries));
  }

  void spatialTapsAreAveraged() {
    const auto features = tap(pixels_, "maps").mean({2, 3});
    const auto queries = tap(queries_, "maps").mean({2, 3});
    const auto classes = denseDistances(queries, features, labels_, true);
    const auto detector = fitted("mahalanobis", {{"tap", "maps"}});
    QVERIFY(relativeError(detector->score(queries_), classes.amin(1)) < 1e-3);
  }

  /// Moments in double do not care about batches, order or a large offset.
  void momentsAreStable() {
    const auto values = normals({300, 5}, 4).to(torch::kFloat64) + 1e6;
    const auto labels = torch::arange(300).remainder(2);
    FeatureMoments moments(2);
    for (std::int64_t i = 0; i < 300; i += 7) {
      moments.add(values.slice(0, i, i + 7), labels.slice(0, i, i + 7));
    }
    const auto a = values.index({labels == 0}), b = values.index({labels == 1});
    const auto ca = a - a.mean(0), cb = b - b.mean(0), c = values - values.mean(0);
    const auto pooled = (torch::mm(ca.t(), ca) + torch::mm(cb.t(), cb)) / 300;
    QVERIFY(torch::allclose(moments.pooledCovariance(), pooled, 0, 1e-8));
    QVERIFY(torch::allclose(moments.totalCovariance(), torch::mm(c.t(), c) / 300, 0, 1e-8));
    QVERIFY(torch::allclose(moments.classMeans()[1], b.mean(0), 0, 1e-8));
    QVERIFY(torch::allclose(moments.mean(), values.mean(0), 0, 1e-8));
    QCOMPARE(moments.counts()[0].item<double>(), 150.0);
  }

  void knnIsTheTextbook() {
    for (const bool normalise : {true, false}) {
      auto bank = tap(pixels_, "features").to(torch::kFloat64);
      auto queries = tap(queries_, "features").to(torch::kFloat64);
      if (normalise) {
        bank = bank / bank.norm(2, 1, true);
        queries = queries / queries.norm(2, 1, true);
      }
      const auto distances = (queries.unsqueeze(1) - bank).square().sum(2).sqrt();
      const auto expected = std::get<0>(distances.sort(1)).select(1, 4);
      const auto detector = fitted("knn", {{"k", 5}, {"normalise", normalise}});
      const auto images = queries_.clone().requires_grad_();
      const auto score = detector->score(images);
      QVERIFY(relativeError(score.detach(), expected) < 1e-4);
      // The gradient is that of the k-th smallest of all distances.
      const auto gradient = torch::autograd::grad({score.sum()}, {images})[0];
      const auto again = queries_.clone().requires_grad_();
      TapValues taps{{"features", {}}};
      network_.run(again, &taps);
      auto z = taps.at("features");
      if (normalise) z = z / z.norm(2, 1, true);
      const auto full = (z.unsqueeze(1) - bank.to(torch::kFloat32)).square().sum(2).sqrt();
      const auto plain =
          torch::autograd::grad({std::get<0>(full.sort(1)).select(1, 4).sum()}, {again})[0];
      QVERIFY(torch::allclose(gradient, plain, 1e-3, 1e-5));
    }
  }

  void knnBankIsASeededSubset() {
    Images train(pixels_, labels_);
    Task task;
    const auto bankOf = [&](std::uint64_t seed, int bank) {
      const auto detector = make("knn", {{"k", 2}, {"bank", bank}});
      auto context = contextOf(train, task);
      context.seed = Seed{seed};
      detector->fit(context);
      TensorFile file;
      detector->save(file);
      return file.tensors.at("knn.bank");
    };
    QCOMPARE(bankOf(1, 20).size(0), 20);
    QCOMPARE(bankOf(1, 0).size(0), 90);
    QVERIFY(torch::equal(bankOf(1, 20), bankOf(1, 20)));
    QVERIFY(!torch::equal(bankOf(1, 20), bankOf(2, 20)));
  }

  /// An image of the bank scores 0 under k = 1, with a gradient that is a number.
  void knnAtItsOwnFeature() {
    const auto detector = fitted("knn", {{"k", 1}});
    const auto images = pixels_.slice(0, 0, 4).clone().requires_grad_();
    const auto score = detector->score(images);
    QVERIFY(score.max().item<float>() < 1e-3F);
    const auto gradient = torch::autograd::grad({score.sum()}, {images})[0];
    QVERIFY(torch::isfinite(gradient).all().item<bool>());
  }

  /// H12: a row's score does not depend on the rest of the batch. H16: gradients are right.
  void rowsAreIndependentAndGradientsRight_data() {
    QTest::addColumn<QString>("name");
    for (const auto& name : all()) QTest::newRow(name.c_str()) << QString::fromStdString(name);
  }
  void rowsAreIndependentAndGradientsRight() {
    QFETCH(QString, name);
    const Json options = name == "knn" ? Json{{"k", 3}} : Json::object();
    const auto detector = fitted(name.toStdString(), options);
    const auto together = detector->score(queries_);
    QCOMPARE(together.sizes().vec(), std::vector<std::int64_t>{40});
    std::vector<torch::Tensor> alone;
    for (int i = 0; i < 40; ++i) alone.push_back(detector->score(queries_.slice(0, i, i + 1)));
    QVERIFY(relativeError(torch::cat(alone), together) < 1e-4);
    const auto order = torch::arange(39, -1, -1);
    QVERIFY(relativeError(detector->score(queries_.index_select(0, order)),
                          together.index_select(0, order)) < 1e-4);

    const auto images = queries_.clone().requires_grad_();
    const auto gradient = torch::autograd::grad({detector->score(images).sum()}, {images})[0];
    const auto direction = gradient / gradient.flatten(1).norm(2, 1).view({-1, 1, 1, 1});
    const double h = 2e-3;
    const auto slope =
        (detector->score(queries_ + h * direction) - detector->score(queries_ - h * direction)) /
        (2 * h);
    const auto expected = gradient.flatten(1).norm(2, 1);
    const auto error = ((slope - expected).abs() / expected);
    // Kinks (relu, another nearest class or neighbour) may lie between the two points.
    QVERIFY2(error.median().item<double>() < 2e-2,
             qPrintable(QString::number(error.median().item<double>())));
  }

  void stateSurvivesAFile_data() { rowsAreIndependentAndGradientsRight_data(); }
  void stateSurvivesAFile() {
    QFETCH(QString, name);
    const Json options = name == "knn" ? Json{{"k", 3}} : Json::object();
    const auto detector = fitted(name.toStdString(), options);
    TensorFile file;
    detector->save(file);
    const QTemporaryDir folder;
    const auto path = std::filesystem::path(folder.path().toStdString()) / "state.safetensors";
    file.save(path);
    const auto again = make(name.toStdString(), options);
    QVERIFY_EXCEPTION_THROWN(again->score(queries_), Error);  // neither fitted nor loaded
    again->load(TensorFile::load(path), &network_, torch::kCPU);
    QVERIFY(torch::equal(again->score(queries_), detector->score(queries_)));
    // The state of another detector, and a file that lacks a tensor.
    const auto other = make(name == "msp" ? "energy" : "msp");
    QVERIFY_EXCEPTION_THROWN(other->load(file, &network_, torch::kCPU), Error);
    if (!file.tensors.empty()) {
      file.tensors.erase(file.tensors.begin());
      QVERIFY_EXCEPTION_THROWN(again->load(file, &network_, torch::kCPU), Error);
    }
  }

  void fittingStreamsReportsAndStops() {
    for (const char* name : {"mahalanobis", "relative_mahalanobis", "knn"}) {
      Images train(pixels_, labels_);
      Control control;
      std::vector<ProgressUpdate> updates;
      Task task(&control, [&](const ProgressUpdate& update) { updates.push_back(update); });
      auto detector = make(name);
      detector->fit(contextOf(train, task));
      QCOMPARE(train.largestRead, 16);
      QVERIFY(!updates.empty());
      QCOMPARE(updates.back().done, 90);
      QCOMPARE(updates.back().total, 90);
      QCOMPARE(updates.back().unit, std::string("images"));
      train.onRead = [&] { control.cancel(); };
      try {
        make(name)->fit(contextOf(train, task));
        QFAIL("not cancelled");
      } catch (const Error& error) {
        QCOMPARE(error.kind(), Error::Kind::Cancelled);
      }
    }
  }

  void badInputIsRefused() {
    Task task;
    const auto message = [&](const std::string& name, const Json& options, const ImageSet& train,
                             Network* network) {
      try {
        auto context = contextOf(train, task);
        context.classifier = network;
        make(name, options)->fit(context);
      } catch (const Error& error) {
        return QString(error.what());
      }
      return QString("accepted");
    };
    Images good(pixels_, labels_);
    for (const auto& name : all()) {
      QVERIFY(message(name, Json::object(), good, nullptr).contains("classifier"));
    }
    for (const char* name : {"mahalanobis", "relative_mahalanobis", "knn"}) {
      const QString typo = message(name, {{"tap", "feature"}}, good, &network_);
      QVERIFY2(typo.contains("detectors[0].tap") && typo.contains("features"), qPrintable(typo));
    }
    QVERIFY(message("knn", {{"k", 91}}, good, &network_).contains("detectors[0].k"));
    Images gap(pixels_, labels_ * 2);
    QVERIFY(message("mahalanobis", Json::object(), gap, &network_).contains("class 1"));
    Images unlabelled(pixels_, torch::full({90}, -1, torch::kInt64));
    QVERIFY(message("mahalanobis", Json::object(), unlabelled, &network_).contains("class"));
    QCOMPARE(message("knn", Json::object(), unlabelled, &network_), QString("accepted"));
    auto broken = pixels_.clone();
    broken[50] = NAN;
    Images diverged(broken, labels_);
    QVERIFY(message("knn", Json::object(), diverged, &network_).contains("not finite"));
    Images constant(torch::full_like(pixels_, 0.5F), labels_);
    QVERIFY(message("mahalanobis", Json::object(), constant, &network_).contains("singular"));
    QVERIFY_EXCEPTION_THROWN(make("energy", {{"temperature", 0}}), Error);
  }

  void setsAreScoredInBatches() {
    const auto detector = fitted("energy");
    Images set(queries_, torch::zeros({40}, torch::kInt64));
    std::int64_t done = 0;
    Task task(nullptr, [&](const ProgressUpdate& update) { done = update.done; });
    task.begin("score", 40, "images");
    const auto scores = scoreSet(*detector, set, torch::kCPU, 7, task);
    task.advance(0);
    QCOMPARE(set.largestRead, 7);
    QCOMPARE(scores.scalar_type(), torch::kFloat64);
    QVERIFY(relativeError(scores, detector->score(queries_)) < 1e-4);
    QVERIFY(torch::equal(scoreImages(*detector, queries_, torch::kCPU, 7, task), scores));
    auto broken = queries_.clone();
    broken[13] = NAN;
    try {
      scoreImages(*detector, broken, torch::kCPU, 7, task);
      QFAIL("accepted");
    } catch (const Error& error) {
      QVERIFY(QString(error.what()).contains("image 13"));
    }
  }

  void objectiveFollowsTheScore() {
    class Surrogate : public Detector, public HasSurrogate {
     public:
      DetectorTraits traits() const override {
        DetectorTraits traits;
        traits.differentiable = false;
        return traits;
      }
      void fit(const DetectorContext& /*context*/) override {}
      torch::Tensor score(const torch::Tensor& images) override {
        ++scores;
        return images.flatten(1).sum(1).round();
      }
      torch::Tensor guide(const torch::Tensor& images) override {
        ++guides;
        return images.flatten(1).sum(1);
      }
      void save(TensorFile& /*file*/) const override {}
      void load(const TensorFile&, Network*, const torch::Device&) override {}
      std::string surrogate() const override { return "the sum before rounding"; }
      int scores = 0, guides = 0;
    };
    const auto samples = torch::arange(40);
    const auto leaf = queries_.clone().requires_grad_();
    const auto detector = fitted("energy");
    for (const int direction : {1, -1}) {
      DetectorObjective objective(*detector, direction);
      const auto values = objective.evaluate(leaf, samples);
      QVERIFY(torch::equal(values.judged, values.guide));
      QVERIFY(!values.judged.requires_grad() && values.guide.requires_grad());
      QVERIFY(torch::equal(values.judged, direction * detector->score(queries_)));
      QVERIFY(torch::equal(objective.judge(queries_, samples), values.judged));
    }
    Surrogate surrogate;
    DetectorObjective objective(surrogate, -1);
    const auto values = objective.evaluate(leaf, samples);
    QCOMPARE(surrogate.scores, 1);
    QCOMPARE(surrogate.guides, 1);
    QVERIFY(torch::equal(values.judged, -queries_.flatten(1).sum(1).round()));
    QVERIFY(!values.judged.requires_grad() && values.guide.requires_grad());
    QVERIFY_EXCEPTION_THROWN(DetectorObjective(surrogate, 0), std::logic_error);
  }
};

QTEST_GUILESS_MAIN(TestDetectors)
#include "tst_detectors.moc"
