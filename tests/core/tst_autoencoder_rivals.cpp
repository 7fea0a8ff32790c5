// The other defences that read an autoencoder: APAE and PrincipaLS.
#include <cmath>

#include "attack_support.h"
#include "core/base/error.h"
#include "core/data/image_set.h"
#include "core/detectors/detector.h"
#include "core/detectors/detector_objective.h"
#include "core/nn/autoencoder.h"

using namespace bulwark;

namespace {

using torch::Tensor;

}  // namespace

class TestAutoencoderRivals : public QObject {
  Q_OBJECT

  Tensor images_ = attack_support::uniform({40, 1, 6, 6}, 31, 0, 1);
  TensorImageSet train_{"train", images_, torch::zeros({40}, torch::kInt64), {"a", "b", "c"}};
  std::unique_ptr<Network> network_;

  std::unique_ptr<Detector> make(const std::string& name, const Json& options) const {
    Registry<Detector> registry("detector");
    registerDetectors(registry);
    return registry.make(name, options, "detectors[0]");
  }
  std::unique_ptr<Detector> fitted(const std::string& name, const Json& options) {
    auto made = make(name, options);
    Task task;
    made->fit({.classifier = network_.get(), .train = train_, .batchSize = 13, .task = task});
    return made;
  }
  void restores(Detector& from, const std::string& name, const Json& options) {
    TensorFile file;
    from.save(file);
    const auto loaded = make(name, options);
    loaded->load(file, network_.get(), torch::kCPU);
    QVERIFY(torch::equal(loaded->score(images_), from.score(images_)));
    file.metadata["detector"] = "msp";
    QVERIFY_EXCEPTION_THROWN(make(name, options)->load(file, network_.get(), torch::kCPU), Error);
  }
  /// The gradient of one score along itself, against a difference.
  void followsItsGradient(Detector& of) {
    const auto leaf = images_.slice(0, 0, 1).clone().requires_grad_(true);
    const auto gradient = torch::autograd::grad({of.score(leaf).sum()}, {leaf})[0];
    const double norm = gradient.norm().item<double>();
    QVERIFY(norm > 1e-6);
    const auto along = gradient / norm;
    constexpr double step = 1e-3;
    const double measured =
        (of.score(leaf.detach() + step * along) - of.score(leaf.detach() - step * along))
            .item<double>() /
        (2 * step);
    QVERIFY2(std::abs(measured / norm - 1) < 0.1, std::to_string(measured / norm).c_str());
    DetectorObjective objective(of, 1);
    Task task;
    const auto attacked = attack_support::make("pgd", {{"eps", 0.1}, {"steps", 10}})
                              ->perturb(objective, images_, {.seed = Seed(3), .task = task});
    QVERIFY(attacked.values.mean().item<double>() > 1.1 * of.score(images_).mean().item<double>());
  }

 private Q_SLOTS:
  void initTestCase() {
    torch::set_num_threads(1);
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    network_ = networks.make("autoencoder", {{"encoder", {20, 10}}, {"output", "linear"}},
                             "network", NetworkShape{1, 6, 6, 3});
    network_->initialise(Seed(5));
    const torch::NoGradGuard noGrad;
    for (auto& item : network_->named_parameters()) {
      if (item.key().ends_with("bias")) item.value().fill_(0.2);
    }
    network_->freeze();
  }

  void approximateProjection() {
    auto& network = requireAutoencoder(*network_, "test");
    const auto some = images_.slice(0, 0, 6);
    // Without steps: the reconstruction error, each pixel over its mean on the training images.
    const auto errors = [&](const Tensor& of) {
      return (network.reconstruct(of) - of).flatten(1).square();
    };
    const auto expected = (errors(some) / errors(images_).mean(0)).mean(1);
    const auto plain = fitted("apae", {{"steps", 0}});
    QVERIFY(torch::allclose(plain->score(some), expected, 1e-4, 1e-6));
    // One step by hand.
    const auto one = fitted("apae", {{"steps", 1}, {"step_size", 0.01}});
    const auto project = [&](const Tensor& of) {
      const auto code = network.encode(of).detach().requires_grad_(true);
      const auto before = (network.decode(code) - of.flatten(1)).square();
      const auto gradient = torch::autograd::grad({before.sum()}, {code})[0];
      const auto after = (network.decode(code - 0.01 * gradient) - of.flatten(1)).square();
      return torch::where((after.sum(1) < before.sum(1)).unsqueeze(1), after, before).detach();
    };
    QVERIFY(torch::allclose(one->score(some), (project(some) / project(images_).mean(0)).mean(1),
                            1e-4, 1e-6));
    // More steps come nearer: the error that the weights divide by falls.
    TensorFile few, many;
    plain->save(few);
    const Json options = {{"steps", 30}, {"step_size", 0.01}};
    const auto deep = fitted("apae", options);
    deep->save(many);
    QVERIFY(many.tensors.at("apae.errors").mean().item<double>() <
            0.95 * few.tensors.at("apae.errors").mean().item<double>());
    // Too long a step does no harm: the best iterate is kept.
    TensorFile wild;
    fitted("apae", {{"steps", 5}, {"step_size", 900}})->save(wild);
    QVERIFY((wild.tensors.at("apae.errors").mean() <= few.tensors.at("apae.errors").mean() + 1e-6)
                .item<bool>());
    // The same with and without a graph.
    const auto scores = deep->score(some.clone().requires_grad_(true));
    {
      const torch::NoGradGuard noGrad;
      QVERIFY(torch::allclose(deep->score(some), scores, 1e-4, 1e-6));
    }
    QVERIFY(deep->traits().optimisesAtInference);
    restores(*deep, "apae", options);
    followsItsGradient(*deep);
  }

  void principalPartOfTheCode() {
    auto& network = requireAutoencoder(*network_, "test");
    const auto code = network.encode(images_).to(torch::kFloat64);
    const auto mean = code.mean(0);
    const auto [left, values, right] = torch::svd(code - mean);
    const auto directions = right;  // [F, F], leading first
    for (const std::int64_t kept : {1, 3, 10}) {
      const auto basis = directions.slice(1, 0, kept);
      const auto cleaned = (mean + (code - mean).mm(basis).mm(basis.t())).to(torch::kFloat32);
      const auto expected = (network.decode(cleaned) - images_.flatten(1)).square().mean(1);
      const auto made = fitted("principals", {{"components", kept}});
      QVERIFY2(torch::allclose(made->score(images_), expected, 1e-3, 1e-5),
               std::to_string(kept).c_str());
    }
    // All directions: the code itself.
    const auto whole = fitted("principals", {{"share", 1.0}});
    QVERIFY(torch::allclose(whole->score(images_),
                            fitted("reconstruction_error", Json::object())->score(images_), 1e-3,
                            1e-5));
    // The share decides how many are kept.
    const auto variances = values.square() / values.square().sum();
    TensorFile file;
    fitted("principals", {{"share", 0.8}})->save(file);
    const std::int64_t kept = file.tensors.at("principals.basis").size(1);
    QVERIFY(variances.slice(0, 0, kept).sum().item<double>() >= 0.8);
    QVERIFY(variances.slice(0, 0, kept - 1).sum().item<double>() < 0.8);
    const auto made = fitted("principals", {{"components", 3}});
    restores(*made, "principals", {{"components", 3}});
    followsItsGradient(*made);
  }

  void otherNetworksAreRefused() {
    Registry<Network, NetworkShape> networks("network");
    registerNetworks(networks);
    const auto other = networks.make("mlp", Json::object(), "network", NetworkShape{1, 6, 6, 3});
    Task task;
    for (const char* name : {"apae", "principals"}) {
      QVERIFY_EXCEPTION_THROWN(
          make(name, Json::object())
              ->fit({.classifier = other.get(), .train = train_, .task = task}),
          Error);
    }
  }
};

QTEST_GUILESS_MAIN(TestAutoencoderRivals)
#include "tst_autoencoder_rivals.moc"
