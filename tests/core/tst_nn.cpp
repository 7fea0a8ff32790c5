#include "core/base/error.h"
#include "core/nn/batch_size.h"
#include "core/nn/network.h"
#include "core/nn/rectified_pool.h"
#include "core/nn/thin_convolution.h"

using namespace bulwark;

namespace {

std::unique_ptr<Network> make(const std::string& name, NetworkShape shape,
                              const Json& options = Json::object()) {
  Registry<Network, NetworkShape> registry("network");
  registerNetworks(registry);
  return registry.make(name, options, "classifier", shape);
}

std::int64_t parameterCount(const Network& network) {
  std::int64_t count = 0;
  for (const auto& parameter : network.parameters()) count += parameter.numel();
  return count;
}

torch::Tensor images(std::int64_t count, NetworkShape shape) {
  Random random(Seed(7).child("images"));
  torch::Tensor x = torch::empty({count, shape.channels, shape.height, shape.width});
  float* data = x.data_ptr<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i) data[i] = static_cast<float>(random.uniform());
  return x;
}

constexpr NetworkShape grey{1, 28, 28, 10};
constexpr NetworkShape colour{3, 32, 32, 10};

}  // namespace

class TestNn : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { torch::set_num_threads(2); }

  void countsParametersAsPublished_data() {
    QTest::addColumn<QString>("network");
    QTest::addColumn<QString>("options");
    QTest::addColumn<bool>("isColour");
    QTest::addColumn<qint64>("count");
    QTest::newRow("LeNet-5") << "lenet5"
                             << "{}" << false << qint64{61706};
    QTest::newRow("C&W MNIST") << "convnet"
                               << "{}" << false << qint64{312202};
    QTest::newRow("linear") << "mlp"
                            << R"({"hidden": []})" << false << qint64{7850};
    QTest::newRow("mlp") << "mlp"
                         << R"({"hidden": [300, 100]})" << false << qint64{266610};
    QTest::newRow("attractor") << "autoencoder"
                               << "{}" << false << qint64{1269694};
    QTest::newRow("ResNet-18") << "resnet18"
                               << "{}" << true << qint64{11173962};
    QTest::newRow("PreAct, kuangliu") << "preact_resnet18"
                                      << R"({"final_norm": false})" << true << qint64{11171146};
    QTest::newRow("PreAct, He 2016b") << "preact_resnet18"
                                      << "{}" << true << qint64{11172170};
  }
  void countsParametersAsPublished() {
    QFETCH(QString, network);
    QFETCH(QString, options);
    QFETCH(bool, isColour);
    QFETCH(qint64, count);
    const auto made =
        make(network.toStdString(), isColour ? colour : grey, Json::parse(options.toStdString()));
    QCOMPARE(static_cast<qint64>(parameterCount(*made)), count);
  }

  void forwardAndTaps_data() {
    QTest::addColumn<QString>("network");
    QTest::addColumn<QString>("options");
    QTest::addColumn<int>("channels");
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    const struct {
      const char* network;
      const char* options;
    } cases[] = {{"mlp", R"({"hidden": [16, 8]})"},
                 {"autoencoder", R"({"encoder": [16, 8]})"},
                 {"autoencoder", R"({"encoder": [9], "output": "linear", "passes": 2})"},
                 {"lenet5", "{}"},
                 {"lenet5", R"({"activation": "tanh", "pooling": "average"})"},
                 {"convnet", R"({"width": 4, "hidden": 8})"},
                 {"resnet18", R"({"width": 4})"},
                 {"preact_resnet18", R"({"width": 4})"}};
    for (const auto& one : cases) {
      for (const auto& [channels, height, width] :
           {std::tuple{1, 28, 28}, std::tuple{3, 32, 32}, std::tuple{3, 40, 24}}) {
        QTest::addRow("%s %s %dx%dx%d", one.network, one.options, channels, height, width)
            << one.network << one.options << channels << height << width;
      }
    }
  }
  void forwardAndTaps() {
    QFETCH(QString, network);
    QFETCH(QString, options);
    QFETCH(int, channels);
    QFETCH(int, height);
    QFETCH(int, width);
    const NetworkShape shape{channels, height, width, 7};
    const auto made = make(network.toStdString(), shape, Json::parse(options.toStdString()));
    made->initialise(Seed(1));
    made->freeze();
    const torch::Tensor x = images(3, shape);
    TapValues all;
    const torch::Tensor logits = made->run(x, &all);
    QCOMPARE(logits.sizes().vec(), (std::vector<std::int64_t>{3, 7}));
    const std::vector<std::string> names = made->taps();
    QCOMPARE(all.size(), names.size());
    QCOMPARE(names.back(), std::string("features"));
    for (const auto& name : names) {
      QVERIFY2(all.at(name).defined() && all.at(name).size(0) == 3, name.c_str());
    }
    QCOMPARE(all.at("features").dim(), std::int64_t{2});
    QVERIFY(torch::equal(made->features(x), all.at("features")));
    QVERIFY(torch::equal(made->forward(x), logits));
    // What lies before a pooling is made on request and changes nothing behind it.
    if (network == "lenet5") {
      const bool average = options.contains("average");
      for (const auto& [before, after] :
           {std::pair("relu1", "conv1"), std::pair("relu2", "conv2")}) {
        const auto& value = all.at(before);
        const auto pooled = average ? torch::avg_pool2d(value, 2) : torch::max_pool2d(value, 2);
        QVERIFY(torch::equal(pooled, all.at(after)));
      }
    }
    // Only what was asked for is kept.
    TapValues one{{names.front(), {}}};
    made->run(x, &one);
    QCOMPARE(one.size(), std::size_t{1});
    QVERIFY(torch::equal(one.at(names.front()), all.at(names.front())));
    // The last linear layer makes the logits from the features.
    const auto parameters = made->parameters();
    const torch::Tensor weight = parameters[parameters.size() - 2];
    const torch::Tensor again = torch::addmm(parameters.back(), all.at("features"), weight.t());
    QVERIFY(torch::allclose(again, logits, 1e-4, 1e-5));
    // A score does not depend on the images beside it.
    QVERIFY(torch::allclose(made->forward(x.slice(0, 1, 2)), logits.slice(0, 1, 2), 1e-4, 1e-5));
  }

  void gradientReachesTheImages() {
    for (const char* name : {"mlp", "lenet5", "convnet"}) {
      const auto network = make(name, grey);
      network->initialise(Seed(3));
      network->freeze();
      const torch::Tensor x = images(2, grey).requires_grad_(true);
      const torch::Tensor logits = network->forward(x);
      const torch::Tensor gradient = torch::autograd::grad({logits.logsumexp(1).sum()}, {x})[0];
      QVERIFY2((gradient.flatten(1).abs().sum(1) > 0).all().item<bool>(), name);
    }
    // The residual networks use ReLU in place; a second derivative would notice a wrong reuse.
    for (const char* name : {"resnet18", "preact_resnet18"}) {
      const auto network = make(name, colour, {{"width", 4}});
      network->initialise(Seed(3));
      network->freeze();
      const torch::Tensor x = images(1, colour).requires_grad_(true);
      const auto loss = [&](const torch::Tensor& at) {
        return network->forward(at).to(torch::kFloat64).logsumexp(1).sum();
      };
      const torch::Tensor gradient = torch::autograd::grad({loss(x)}, {x})[0];
      const torch::Tensor direction = gradient / gradient.norm();
      const double step = 1e-2;
      const torch::NoGradGuard noGrad;
      const double measured =
          (loss(x + step * direction) - loss(x - step * direction)).item<double>() / (2 * step);
      const double expected = gradient.norm().item<double>();
      QVERIFY2(std::abs(measured - expected) < 0.05 * expected, name);
    }
  }

  void sameSeedSameWeights() {
    for (const char* name :
         {"mlp", "autoencoder", "lenet5", "convnet", "resnet18", "preact_resnet18"}) {
      const Json options = std::string(name).find("resnet") == std::string::npos
                               ? Json::object()
                               : Json{{"width", 8}};
      const auto a = make(name, colour, options), b = make(name, colour, options);
      const auto c = make(name, colour, options);
      a->initialise(Seed(5));
      torch::rand({100});  // whatever a global generator does must not matter
      b->initialise(Seed(5));
      c->initialise(Seed(6));
      const auto other = c->named_parameters();
      const auto second = b->named_parameters();
      for (const auto& item : a->named_parameters()) {
        QVERIFY2(torch::equal(item.value(), second[item.key()]), item.key().c_str());
        const bool random = item.value().numel() > 1 && item.value().std().item<float>() > 0;
        QCOMPARE(torch::equal(item.value(), other[item.key()]), !random);
      }
      for (const auto& item : a->named_buffers()) {
        QVERIFY2(torch::equal(item.value(), b->named_buffers()[item.key()]), item.key().c_str());
      }
    }
  }

  void initialSpreadIsAsPublished() {
    const auto network = make("resnet18", colour, {{"width", 32}});
    network->initialise(Seed(9));
    const auto parameters = network->named_parameters();
    const auto& convolution = parameters["layer2.1.conv1.weight"];
    const double expected = std::sqrt(2.0 / (64 * 9));
    QVERIFY(std::abs(convolution.std().item<double>() / expected - 1) < 0.02);
    QVERIFY(std::abs(convolution.mean().item<double>()) < 0.05 * expected);
    const double bound = 1.0 / std::sqrt(256.0);
    const auto& linear = parameters["linear.weight"];
    QVERIFY(linear.abs().max().item<double>() <= bound);
    QVERIFY(std::abs(linear.std().item<double>() / (bound / std::sqrt(3.0)) - 1) < 0.05);
    QVERIFY((parameters["layer2.1.bn1.weight"] == 1).all().item<bool>());
    QVERIFY((parameters["layer2.1.bn1.bias"] == 0).all().item<bool>());
  }

  void normalisesFirst() {
    const NetworkShape shape{3, 28, 28, 5};
    const auto network = make("mlp", shape, {{"hidden", Json::array()}});
    network->initialise(Seed(2));
    const torch::Tensor x = images(4, shape);
    const torch::Tensor mean = torch::tensor({0.1, 0.2, 0.3});
    const torch::Tensor deviation = torch::tensor({0.5, 2.0, 0.25});
    const torch::Tensor byHand =
        network->forward((x - mean.reshape({1, 3, 1, 1})) / deviation.reshape({1, 3, 1, 1}));
    network->setNormalisation(mean, deviation);
    QVERIFY(torch::allclose(network->forward(x), byHand, 1e-5, 1e-6));
    QVERIFY_EXCEPTION_THROWN(network->setNormalisation(mean, torch::zeros({3})), Error);
    QVERIFY_EXCEPTION_THROWN(network->setNormalisation(mean, torch::full({3}, NAN)), Error);
    QVERIFY_EXCEPTION_THROWN(network->setNormalisation(torch::zeros({1}), deviation), Error);
  }

  void refusesWhatDoesNotFit() {
    const auto network = make("lenet5", grey);
    QVERIFY_EXCEPTION_THROWN(network->forward(torch::zeros({2, 3, 28, 28})), Error);
    QVERIFY_EXCEPTION_THROWN(network->forward(torch::zeros({2, 1, 32, 32})), Error);
    TapValues wrong{{"layer9", {}}};
    QVERIFY_EXCEPTION_THROWN(network->run(torch::zeros({1, 1, 28, 28}), &wrong), Error);
    QVERIFY_EXCEPTION_THROWN(make("lenet5", {1, 11, 28, 10}), Error);
    QVERIFY_EXCEPTION_THROWN(make("convnet", {1, 28, 15, 10}), Error);
    QVERIFY_EXCEPTION_THROWN(make("mlp", grey, {{"hidden", {0}}}), Error);
  }

  void smallestImages() {
    QCOMPARE(make("lenet5", {1, 12, 12, 3})->forward(torch::zeros({2, 1, 12, 12})).size(1),
             std::int64_t{3});
    QCOMPARE(make("convnet", {1, 16, 16, 3})->forward(torch::zeros({2, 1, 16, 16})).size(1),
             std::int64_t{3});
  }

  void foldsBatchNormExactly_data() {
    QTest::addColumn<QString>("name");
    QTest::newRow("resnet18") << "resnet18";
    QTest::newRow("preact_resnet18") << "preact_resnet18";
  }
  void foldsBatchNormExactly() {
    QFETCH(QString, name);
    const auto network = make(name.toStdString(), colour, {{"width", 8}});
    network->initialise(Seed(4));
    // Statistics and scales unlike those of a fresh norm, as after a training.
    Random random(Seed(5));
    const auto disturb = [&](torch::Tensor values, double low, double high) {
      const torch::NoGradGuard noGrad;
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        values[i] = low + (high - low) * random.uniform();
      }
    };
    network->apply([&](torch::nn::Module& module) {
      auto* norm = module.as<torch::nn::BatchNorm2dImpl>();
      if (!norm) return;
      disturb(norm->weight, 0.3, 1.5);
      disturb(norm->bias, -0.5, 0.5);
      disturb(norm->running_mean, -0.5, 0.5);
      disturb(norm->running_var, 0.2, 3.0);
    });
    struct Found {
      torch::Tensor logits, gradient;
      TapValues taps;
    };
    const auto run = [&] {
      const torch::Tensor x = images(6, colour).requires_grad_(true);
      Found found;
      found.logits = network->run(x, &found.taps);
      found.gradient = torch::autograd::grad({found.logits.logsumexp(1).sum()}, {x})[0];
      return found;
    };
    const auto agree = [](const torch::Tensor& a, const torch::Tensor& b) {
      return (a - b).abs().max().item<double>() <= 1e-5 * b.abs().max().item<double>();
    };
    const auto saved = [&] {
      std::map<std::string, torch::Tensor> tensors;
      for (const auto& item : network->named_parameters()) tensors[item.key()] = item.value();
      for (const auto& item : network->named_buffers()) tensors[item.key()] = item.value();
      for (auto& [key, value] : tensors) value = value.detach().clone();
      return tensors;
    };
    network->eval();
    const auto before = saved();
    const Found plain = run();  // the parameters want gradients: nothing is folded
    network->freeze();
    const Found folded = run();
    QVERIFY(!torch::equal(plain.logits, folded.logits));  // another way round was taken
    QVERIFY(agree(folded.logits, plain.logits));
    QVERIFY(agree(folded.gradient, plain.gradient));
    for (const auto& [tap, value] : plain.taps) {
      QVERIFY2(agree(folded.taps.at(tap), value), tap.c_str());
    }
    const auto after = saved();
    QCOMPARE(after.size(), before.size());
    for (const auto& [key, value] : before)
      QVERIFY2(torch::equal(after.at(key), value), key.c_str());

    // Training goes on as if nothing had been folded, and what it changes is folded anew: weights
    // and running statistics, each for itself.
    network->train();
    {
      const torch::NoGradGuard noGrad;
      network->forward(images(6, colour) * 0.3);
    }
    network->freeze();
    const Found moved = run();
    QVERIFY(!agree(moved.logits, folded.logits));
    {
      const torch::NoGradGuard noGrad;
      for (auto& parameter : network->parameters()) parameter.mul_(0.9);
    }
    const Found again = run();
    for (auto& parameter : network->parameters()) parameter.set_requires_grad(true);
    const Found expected = run();
    QVERIFY(!agree(again.logits, moved.logits));
    QVERIFY(agree(again.logits, expected.logits));
    QVERIFY(agree(again.gradient, expected.gradient));
    // Double precision, for checks by finite differences.
    network->freeze();
    network->to(torch::kFloat64);
    const auto exact = network->forward(images(6, colour).to(torch::kFloat64));
    QCOMPARE(exact.scalar_type(), torch::kFloat64);
    QVERIFY(agree(exact, expected.logits.to(torch::kFloat64)));
  }

  void poolsAsLibTorch_data() {
    QTest::addColumn<int>("height");
    QTest::addColumn<int>("width");
    QTest::newRow("even") << 28 << 28;
    QTest::newRow("odd") << 9 << 13;
    QTest::newRow("smallest") << 2 << 3;
  }
  void poolsAsLibTorch() {
    QFETCH(int, height);
    QFETCH(int, width);
    // Coarse values, so that equal pixels meet.
    const auto noise = images(5, {4, height, width, 2});
    const auto x = ((noise - 0.5) * 6).round();
    const auto first = x.clone().requires_grad_(true), second = x.clone().requires_grad_(true);
    const auto ours = rectifiedPool(first);
    const auto theirs = torch::max_pool2d(torch::relu(second), 2);
    QVERIFY(torch::equal(ours, theirs));
    const auto weigh = [](const torch::Tensor& y) { return (y * y * y).sum(); };
    const auto a = torch::autograd::grad({weigh(ours)}, {first}, {}, true, true)[0];
    const auto b = torch::autograd::grad({weigh(theirs)}, {second}, {}, true, true)[0];
    QVERIFY(torch::equal(a, b));
    QVERIFY((a != 0).any().item<bool>());
    // Second and third derivatives.
    const auto a2 = torch::autograd::grad({a.pow(2).sum()}, {first}, {}, true, true)[0];
    const auto b2 = torch::autograd::grad({b.pow(2).sum()}, {second}, {}, true, true)[0];
    QVERIFY(torch::allclose(a2, b2, 1e-6, 0) && (a2 != 0).any().item<bool>());
    const auto a3 = torch::autograd::grad({a2.sum()}, {first})[0];
    const auto b3 = torch::autograd::grad({b2.sum()}, {second})[0];
    QVERIFY(torch::allclose(a3, b3, 1e-6, 0));
    // Nothing hides a network that has diverged.
    for (int pixel = 0; pixel < 4; ++pixel) {
      auto broken = torch::rand({1, 1, 2, 2});
      broken[0][0][pixel / 2][pixel % 2] = NAN;
      QVERIFY(rectifiedPool(broken).isnan().all().item<bool>());
    }
    const auto wide = x.to(torch::kFloat64);
    QVERIFY(torch::equal(rectifiedPool(wide), torch::max_pool2d(torch::relu(wide), 2)));
    const auto turned = x.transpose(2, 3);
    QVERIFY(torch::equal(rectifiedPool(turned), torch::max_pool2d(torch::relu(turned), 2)));
  }

  void thinConvolutionsKeepTheirGradients() {
    for (const std::int64_t channels : {1, 3}) {
      for (const std::int64_t padding : {0, 2}) {
        const auto weight = images(6, {channels, 5, 5, 2}) - 0.5;
        const auto bias = torch::linspace(-1, 1, 6);
        const auto x = images(4, {channels, 13, 11, 2});
        const auto first = x.clone().requires_grad_(true), second = x.clone().requires_grad_(true);
        const auto ours = thinConvolution(first, weight, bias, {1, 1}, {padding, padding});
        const auto theirs = torch::conv2d(second, weight, bias, 1, padding);
        QVERIFY(torch::equal(ours, theirs));
        const auto weigh = [](const torch::Tensor& y) { return y.pow(3).sum(); };
        const auto a = torch::autograd::grad({weigh(ours)}, {first}, {}, true, true)[0];
        const auto b = torch::autograd::grad({weigh(theirs)}, {second}, {}, true, true)[0];
        const double size = b.abs().max().item<double>();
        QVERIFY(torch::allclose(a, b, 1e-5, 1e-5 * size));
        const auto a2 = torch::autograd::grad({a.pow(2).sum()}, {first})[0];
        const auto b2 = torch::autograd::grad({b.pow(2).sum()}, {second})[0];
        QVERIFY(torch::allclose(a2, b2, 1e-5, 1e-5 * b2.abs().max().item<double>()));
      }
    }
  }

  void choosesBatchesByTheNetwork() {
    const auto batch = [](const char* name, const Json& options, NetworkShape shape) {
      const auto network = make(name, shape, options);
      network->freeze();
      return automaticBatch(*network, torch::kCPU);
    };
    QCOMPARE(batch("lenet5", Json::object(), grey), std::int64_t{256});
    QCOMPARE(batch("resnet18", {{"width", 4}}, colour), std::int64_t{256});
    // 64 x 32 x 32 values of the stem and of stage 1, half as many of each following stage, and 512
    // features: 983,040 bytes and 2,048 of an image.
    QCOMPARE(batch("resnet18", Json::object(), colour), std::int64_t{32});
    QCOMPARE(batch("resnet18", {{"width", 256}}, colour), std::int64_t{16});
  }

  void freezes() {
    const auto network = make("resnet18", colour, {{"width", 4}});
    network->initialise(Seed(1));
    QVERIFY(network->is_training());
    network->freeze();
    QVERIFY(!network->is_training());
    for (const auto& parameter : network->parameters()) QVERIFY(!parameter.requires_grad());
  }
};

QTEST_GUILESS_MAIN(TestNn)
#include "tst_nn.moc"
