// The networks of Zhao et al.: ResNet-20 and -44, VGG-16 with its dropout.
#include <cmath>

#include "core/base/error.h"
#include "core/nn/network.h"
#include "core/nn/safetensors.h"
#include "core/nn/seeded_dropout.h"

using namespace bulwark;
using torch::Tensor;

namespace {

std::unique_ptr<Network> make(const std::string& name, NetworkShape shape,
                              const Json& options = Json::object()) {
  Registry<Network, NetworkShape> registry("network");
  registerNetworks(registry);
  return registry.make(name, options, "classifier", shape);
}

Tensor images(std::int64_t count, NetworkShape shape) {
  Random random(Seed(7).child("images"));
  Tensor x = torch::empty({count, shape.channels, shape.height, shape.width});
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(random.uniform());
  }
  return x;
}

constexpr NetworkShape colour{3, 32, 32, 10};

}  // namespace

class TestCifarNetworks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(1); }

  void countsParametersAsPublished() {
    // The trainable parameters that Keras prints, less the biases of the convolutions before a
    // norm: one per filter of 1 + 2 n, 2 n and 2 n convolutions.
    const auto biases = [](std::int64_t n) { return 16 * (1 + 2 * n) + 32 * 2 * n + 64 * 2 * n; };
    const std::pair<const char*, std::int64_t> cases[] = {
        {"resnet20", 273066 - biases(3)}, {"resnet44", 662826 - biases(7)}, {"vgg16", 14991946}};
    for (const auto& [name, expected] : cases) {
      std::int64_t count = 0;
      for (const auto& parameter : make(name, colour)->parameters()) count += parameter.numel();
      QCOMPARE(count, expected);
    }
  }

  void tapsAreTheLayersOfThePaper() {
    const auto resnet = make("resnet44", colour, {{"width", 2}});
    const auto names = resnet->taps();
    QCOMPARE(names.size(), std::size_t{44});  // 43 activations and the features
    resnet->initialise(Seed(1));
    resnet->freeze();
    TapValues taps;
    resnet->run(images(2, colour), &taps);
    // Keras's layers 20 and 24, in the paper's and the ResNet-20's choice.
    QCOMPARE(names[5], std::string("stage1_block3_inner"));
    QCOMPARE(names[6], std::string("stage1_block3"));
    using Sizes = std::vector<std::int64_t>;
    QCOMPARE(taps.at("stage1_block3_inner").sizes().vec(), (Sizes{2, 2, 32, 32}));
    QCOMPARE(taps.at("stage2_block1").sizes().vec(), (Sizes{2, 4, 16, 16}));
    QCOMPARE(taps.at("stage3_block7").sizes().vec(), (Sizes{2, 8, 8, 8}));
    for (const auto& name : names) QVERIFY((taps.at(name) >= 0).all().item<bool>());
    QCOMPARE(make("resnet20", colour, {{"width", 2}})->taps().size(), std::size_t{20});

    const auto vgg = make("vgg16", colour, {{"width", 4}});
    vgg->initialise(Seed(1));
    vgg->freeze();
    TapValues layers;
    vgg->run(images(2, colour), &layers);
    QCOMPARE(vgg->taps().size(), std::size_t{13 + 5 + 2});
    QCOMPARE(vgg->taps()[3], std::string("conv3"));
    QCOMPARE(layers.at("conv3").sizes().vec(), (Sizes{2, 8, 16, 16}));  // 2 x width channels
    QCOMPARE(layers.at("pool5").sizes().vec(), (Sizes{2, 32, 1, 1}));
    QCOMPARE(layers.at("hidden").sizes().vec(), (Sizes{2, 32}));
    for (int i = 1; i <= 13; ++i) {
      QVERIFY((layers.at("conv" + std::to_string(i)) >= 0).all().item<bool>());
    }
    QVERIFY_EXCEPTION_THROWN(make("vgg16", {1, 28, 28, 10}), Error);
    QCOMPARE(make("vgg16", {1, 64, 32, 4}, {{"width", 1}})
                 ->forward(torch::zeros({2, 1, 64, 32}))
                 .sizes()
                 .vec(),
             (Sizes{2, 4}));
  }

  void lastLayerAndRows() {
    for (const char* name : {"resnet20", "resnet44", "vgg16"}) {
      const auto network = make(name, colour, {{"width", 4}});
      network->initialise(Seed(2));
      network->freeze();
      const auto x = images(3, colour);
      TapValues taps{{"features", {}}};
      const auto logits = network->run(x, &taps);
      const auto parameters = network->parameters();
      const auto again = torch::addmm(parameters.back(), taps.at("features"),
                                      parameters[parameters.size() - 2].t());
      QVERIFY(torch::allclose(again, logits, 1e-4, 1e-5));
      QVERIFY(
          torch::allclose(network->forward(x.slice(0, 1, 2)), logits.slice(0, 1, 2), 1e-4, 1e-5));
    }
  }

  void gradients() {
    for (const char* name : {"resnet20", "vgg16"}) {
      const auto network = make(name, colour, {{"width", 4}});
      network->initialise(Seed(3));
      network->freeze();
      const auto x = images(1, colour).requires_grad_(true);
      const auto loss = [&](const Tensor& at) {
        return network->forward(at).to(torch::kFloat64).logsumexp(1).sum();
      };
      const auto gradient = torch::autograd::grad({loss(x)}, {x})[0];
      const double norm = gradient.norm().item<double>();
      const auto direction = gradient / norm;
      const torch::NoGradGuard noGrad;
      const double step = 3e-3;
      const double measured =
          (loss(x + step * direction) - loss(x - step * direction)).item<double>() / (2 * step);
      QVERIFY2(std::abs(measured / norm - 1) < 0.05, name);
    }
  }

  /// A block is what He et al. say, with the norm written out.
  void blockByHand() {
    const auto network = make("resnet20", colour, {{"width", 4}});
    network->initialise(Seed(6));
    network->freeze();
    const auto named = network->named_parameters();
    const auto p = [&](const std::string& name) { return named["stage2_block1." + name]; };
    TapValues taps{{"stage1_block3", {}}, {"stage2_block1_inner", {}}, {"stage2_block1", {}}};
    network->run(images(2, colour), &taps);
    const auto x = taps.at("stage1_block3");
    // Fresh norms: mean 0, variance 1.
    const double norm = 1.0 / std::sqrt(1.0 + 1e-5);
    const auto inner = torch::relu(norm * torch::conv2d(x, p("conv1.weight"), Tensor(), 2, 1));
    const auto shortcut =
        torch::conv2d(x, p("shortcut.weight"), p("shortcut.bias"), at::IntArrayRef{2, 2});
    const auto outer =
        torch::relu(norm * torch::conv2d(inner, p("conv2.weight"), Tensor(), 1, 1) + shortcut);
    QVERIFY(torch::allclose(taps.at("stage2_block1_inner"), inner, 1e-4, 1e-5));
    QVERIFY(torch::allclose(taps.at("stage2_block1"), outer, 1e-4, 1e-5));
  }

  void dropoutDropsItsShareAndKeepsTheMean() {
    SeededDropout dropout(0.3);
    dropout->initialise(Seed(4));
    const auto x = torch::full({200, 100}, 2.0F);
    dropout->train();
    const auto y = dropout(x);
    const double dropped = (y == 0).to(torch::kFloat64).mean().item<double>();
    QVERIFY(std::abs(dropped - 0.3) < 0.01);
    QVERIFY(torch::allclose(y.index({y != 0}), torch::full({1}, 2.0F / 0.7F)));
    QVERIFY(!torch::equal(dropout(x), y));  // another mask with every pass
    dropout->eval();
    QVERIFY(torch::equal(dropout(x), x));
    // The same masks for the same seed, in the same order; others for another.
    SeededDropout same(0.3), other(0.3);
    same->initialise(Seed(4));
    other->initialise(Seed(5));
    QVERIFY(torch::equal(same(x), y));
    QVERIFY(!torch::equal(other(x), y));
  }

  /// Weights that are saved and loaded in the middle of a training go on with the same masks.
  void dropoutSurvivesAFile() {
    const auto a = make("vgg16", colour, {{"width", 2}}), b = make("vgg16", colour, {{"width", 2}});
    a->initialise(Seed(8));
    a->train();
    b->train();
    const auto x = images(4, colour);
    a->forward(x);
    a->forward(x);
    TensorFile file;
    addModule(file, *a);
    loadModule(*b, file, "test");
    QVERIFY(torch::equal(a->forward(x), b->forward(x)));
    const auto c = make("vgg16", colour, {{"width", 2}, {"dropout", false}});
    c->initialise(Seed(8));
    c->train();
    QVERIFY(torch::allclose(c->forward(x), c->forward(x)));  // nothing is drawn
  }

  /// Weights made elsewhere know nothing of our masks; all else must still be there.
  void weightsWithoutDropoutStateFit() {
    const auto a = make("vgg16", colour, {{"width", 2}}), b = make("vgg16", colour, {{"width", 2}});
    a->initialise(Seed(8));
    b->initialise(Seed(9));
    TensorFile file;
    addModule(file, *a);
    QVERIFY(file.tensors.erase("drop1.key"));
    const auto load = [&](MaskState masks) { loadModule(*b, file, "test", {}, {}, masks); };
    QVERIFY_EXCEPTION_THROWN(load(MaskState::Optional), Error);  // half of it
    for (auto it = file.tensors.begin(); it != file.tensors.end();) {
      const bool mask = it->first.rfind("drop", 0) == 0;
      it = mask ? file.tensors.erase(it) : std::next(it);
    }
    QVERIFY_EXCEPTION_THROWN(load(MaskState::Required), Error);
    load(MaskState::Optional);
    a->eval();
    b->eval();
    const auto x = images(3, colour);
    QVERIFY(torch::equal(a->forward(x), b->forward(x)));
    file.tensors.erase("conv1.bias");
    QVERIFY_EXCEPTION_THROWN(load(MaskState::Optional), Error);
  }
};

QTEST_GUILESS_MAIN(TestCifarNetworks)
#include "tst_cifar_networks.moc"
