#include "core/base/error.h"
#include "core/nn/device.h"

using namespace bulwark;

class TestDevice : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void resolvesNames() {
    QCOMPARE(resolveDevice("cpu").str(), std::string("cpu"));
    const bool cuda = torch::cuda::is_available();
    QCOMPARE(resolveDevice("auto").str(), std::string(cuda ? "cuda:0" : "cpu"));
    if (cuda) QCOMPARE(resolveDevice("cuda").str(), std::string("cuda:0"));
    for (const char* name : {"gpu", "cuda:99", "cuda:", "cuda:-1", "cuda:0x"}) {
      try {
        resolveDevice(name);
        QFAIL(name);
      } catch (const Error& error) {
        QCOMPARE(error.kind(), Error::Kind::BadInput);
        QVERIFY(error.hint().find("cpu") != std::string::npos);
      }
    }
  }

  void setsThreads() {
    QCOMPARE(setThreads(1), 1);
    QCOMPARE(torch::get_num_threads(), 1);
    QCOMPARE(setThreads(2), 2);
    QVERIFY(setThreads(0) >= 1);
    QVERIFY_EXCEPTION_THROWN(setThreads(-1), Error);
  }

  void movesBatches() {
    const torch::Device device = resolveDevice("auto");
    const torch::Tensor batch = torch::arange(24, torch::kFloat32).reshape({2, 1, 3, 4});
    const torch::Tensor there = toDevice(batch, device);
    QVERIFY(there.device() == device);
    QVERIFY(torch::equal(there.cpu(), batch));
    releaseMemory(device);
    QVERIFY(torch::equal(there.cpu(), batch));
  }

  void readsMemoryMessages() {
    const double gib = 1024.0 * 1024.0 * 1024.0, mib = 1024.0 * 1024.0;
    const auto old = parseMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 15.78 GiB total capacity; 13.50 "
        "GiB already allocated; 512.00 MiB free; 14.00 GiB reserved in total by PyTorch)");
    QVERIFY(old.has_value());
    QCOMPARE(old->tried, 2 * gib);
    QCOMPARE(old->available, 512 * mib);
    QCOMPARE(old->allocated, 13.5 * gib);
    const auto recent = parseMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 139.81 "
        "GiB of which 1.25 GiB is free. Including non-PyTorch memory, this process has 138.5 GiB "
        "memory in use. Of the allocated memory 120.00 GiB is allocated by PyTorch, and 18.00 GiB "
        "is reserved by PyTorch but unallocated.");
    QVERIFY(recent.has_value());
    QCOMPARE(recent->tried, 20 * gib);
    QCOMPARE(recent->available, 1.25 * gib);
    QCOMPARE(recent->allocated, 120 * gib);
    const auto cpu = parseMemoryError(
        "[enforce fail at alloc_cpu.cpp:66] . DefaultCPUAllocator: can't allocate memory: you "
        "tried to allocate 400000 bytes. Error code 12 (Cannot allocate memory)");
    QVERIFY(cpu.has_value());
    QCOMPARE(cpu->tried, 400000.0);
    QVERIFY(!parseMemoryError("The size of tensor a (3) must match the size of tensor b (4)"));
  }

  void suggestsABatch() {
    QCOMPARE(fittingBatch(256, {}), std::int64_t{128});
    QCOMPARE(fittingBatch(100, {}), std::int64_t{32});
    QCOMPARE(fittingBatch(2, {}), std::int64_t{1});
    QCOMPARE(fittingBatch(1, {}), std::int64_t{0});
    // 10 of 40 units were there: a quarter of the batch, half of that for the layers not reached.
    QCOMPARE(fittingBatch(1024, {30, 0, 10}), std::int64_t{128});
    QCOMPARE(fittingBatch(1024, {4000, 1, 0}), std::int64_t{1});
    // Fragmentation: enough was free, and it failed all the same.
    QCOMPARE(fittingBatch(1024, {10, 1000, 0}), std::int64_t{512});
  }

  void explainsRealFailures() {
    try {
      withMemoryAdvice(torch::kCPU, 64, "recipe.batch_size",
                       [] { return torch::empty({std::int64_t{1} << 60}, torch::kFloat32); });
      QFAIL("an exabyte was allocated");
    } catch (const Error& error) {
      QCOMPARE(error.kind(), Error::Kind::Failed);
      QCOMPARE(error.where(), std::string("recipe.batch_size"));
      QVERIFY(error.problem().find("64") != std::string::npos);
      QVERIFY(error.hint().find("batch of") != std::string::npos);
    }
  }

  void otherErrorsPassThrough() {
    bool passed = false;
    try {
      withMemoryAdvice(torch::kCPU, 64, "here", [] {
        return torch::zeros({2, 3}).matmul(torch::zeros({2, 3}));
      });
    } catch (const c10::Error& error) {
      passed = std::string(error.what_without_backtrace()).find("shape") != std::string::npos;
    }
    QVERIFY(passed);
    QCOMPARE(withMemoryAdvice(torch::kCPU, 1, "here", [] { return 42; }), 42);
  }

  void freezesForAWhile() {
    torch::nn::Sequential net(torch::nn::Linear(3, 4), torch::nn::Dropout(0.5));
    net->parameters()[0].set_requires_grad(false);
    {
      const FrozenScope frozen(*net);
      QVERIFY(!net->is_training());
      QVERIFY(!net[1]->is_training());
      for (const auto& parameter : net->parameters()) QVERIFY(!parameter.requires_grad());
    }
    QVERIFY(net->is_training());
    QVERIFY(net[1]->is_training());
    QVERIFY(!net->parameters()[0].requires_grad());
    QVERIFY(net->parameters()[1].requires_grad());
    net->eval();
    { const FrozenScope frozen(*net); }
    QVERIFY(!net->is_training());
  }
};

QTEST_GUILESS_MAIN(TestDevice)
#include "tst_device.moc"
