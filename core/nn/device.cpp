#include "core/nn/device.h"

#include <dlfcn.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <limits>
#include <regex>
#include <thread>

#include "core/base/error.h"
#include "core/base/text.h"
#ifdef BULWARK_IMAGE_CODECS
#include <opencv2/core/utility.hpp>
#endif
#if defined(BULWARK_TORCH_CUDA) && __has_include(<cuda_runtime_api.h>)
#include <c10/cuda/CUDACachingAllocator.h>
#define BULWARK_CAN_EMPTY_CUDA_CACHE 1
#endif

namespace bulwark {
namespace {

int availableCores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) return std::max(1, CPU_COUNT(&mask));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// OpenBLAS is behind LibTorch, not linked by us: its switches are there or not.
void limitOpenBlas(int threads) {
  const auto setNumber =
      reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (!setNumber) return;
  const auto parallel = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "openblas_get_parallel"));
  // 2: built on OpenMP, shares LibTorch's threads. Otherwise it has a pool of its own, which would
  // run beside every one of LibTorch's threads.
  constexpr int openMp = 2;
  setNumber(parallel && parallel() == openMp ? threads : 1);
}

/// Keeps the memory of freed tensors in the process. By default glibc gives every large block back
/// to the kernel at once and faults its pages in again for the next layer: a third of the time of
/// a LeNet-5 step.
void keepFreedMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc accepts
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

/// "2.00 GiB" or "1024 bytes" after `pattern`, in bytes.
double amount(const std::string& message, const std::string& pattern) {
  std::smatch match;
  if (!std::regex_search(message, match, std::regex(pattern))) return 0;
  const double value = std::strtod(match[1].str().c_str(), nullptr);
  const std::string unit = lower(match[2].str());
  if (unit == "kib") return value * 1024.0;
  if (unit == "mib") return value * 1024.0 * 1024.0;
  if (unit == "gib") return value * 1024.0 * 1024.0 * 1024.0;
  return value;
}

}  // namespace

torch::Device resolveDevice(const std::string& name) {
  const int count = torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
  const std::string word = lower(name);
  if (word == "cpu") return torch::kCPU;
  if (word == "auto" || word.empty()) {
    return count > 0 ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU);
  }
  std::vector<std::string> known{"auto", "cpu"};
  for (int i = 0; i < count; ++i) known.push_back("cuda:" + std::to_string(i));
  const std::string hint = "devices here: " + join(known, ", ");
  if (word == "cuda" || word.rfind("cuda:", 0) == 0) {
    if (count == 0) throw Error::badInput("LibTorch sees no CUDA device", "device", hint);
    if (word == "cuda") return torch::Device(torch::kCUDA, 0);
    int index = -1;
    const char* end = word.data() + word.size();
    const auto read = std::from_chars(word.data() + 5, end, index);
    if (read.ec == std::errc() && read.ptr == end && index >= 0 && index < count) {
      return torch::Device(torch::kCUDA, static_cast<c10::DeviceIndex>(index));
    }
  }
  throw Error::badInput("there is no device '" + name + "'", "device", hint);
}

torch::Tensor toDevice(const torch::Tensor& batch, const torch::Device& device) {
  if (batch.device() == device) return batch;
  if (!device.is_cuda() || !batch.device().is_cpu()) return batch.to(device);
  return batch.pin_memory().to(device, batch.scalar_type(), /*non_blocking=*/true);
}

int setThreads(int count) {
  if (count < 0) {
    throw Error::badInput("the number of threads is " + std::to_string(count), "threads",
                          "0 takes all cores");
  }
  const int threads = count == 0 ? availableCores() : count;
  torch::set_num_threads(threads);
  try {
    // Nothing here runs operators side by side; LibTorch accepts this once, before it has started.
    if (torch::get_num_interop_threads() != 1) torch::set_num_interop_threads(1);
  } catch (const c10::Error&) {
    // Its pool is up and idle: no harm.
  }
  limitOpenBlas(threads);
  keepFreedMemory();
#ifdef BULWARK_IMAGE_CODECS
  cv::setNumThreads(1);
#endif
  return torch::get_num_threads();
}

void requireExactArithmetic() {
  auto& context = at::globalContext();
  context.setAllowTF32CuDNN(false);
  context.setAllowTF32CuBLAS(false);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
}

void releaseMemory(const torch::Device& device) {
#ifdef __GLIBC__
  malloc_trim(0);  // what keepFreedMemory has kept
#endif
  if (!device.is_cuda()) return;
#ifdef BULWARK_CAN_EMPTY_CUDA_CACHE
  torch::cuda::synchronize(device.index());
  c10::cuda::CUDACachingAllocator::emptyCache();
#endif
}

std::optional<MemoryReport> parseMemoryError(const std::string& message) {
  const std::string text = lower(message);
  const bool memory = text.find("out of memory") != std::string::npos ||
                      text.find("not enough memory") != std::string::npos ||
                      text.find("can't allocate memory") != std::string::npos ||
                      text.find("cannot allocate memory") != std::string::npos ||
                      text.find("status_alloc_failed") != std::string::npos;
  if (!memory) return std::nullopt;
  const std::string size = R"(([0-9.]+) ?(bytes|kib|mib|gib))";
  MemoryReport report;
  report.tried = amount(text, "tried to allocate " + size);
  report.available = amount(text, size + " (?:is )?free");
  report.allocated = amount(text, size + " already allocated");
  if (report.allocated == 0) report.allocated = amount(text, size + " is allocated by pytorch");
  return report;
}

std::int64_t fittingBatch(std::int64_t batchSize, const MemoryReport& report) {
  if (batchSize <= 1) return 0;
  double share = 1.0;
  if (report.tried > 0 && report.allocated + report.available > 0) {
    share = (report.allocated + report.available) / (report.allocated + report.tried);
  }
  const double target = static_cast<double>(batchSize) * std::min(share, 1.0) / 2.0;
  std::int64_t batch = 1;
  while (2 * static_cast<double>(batch) <= target) batch *= 2;
  return batch;
}

void explainMemoryError(const c10::Error& error, const torch::Device& device,
                        std::int64_t batchSize, const std::string& where) {
  std::optional<MemoryReport> report = parseMemoryError(error.what_without_backtrace());
  if (!report) {
    if (std::current_exception()) throw;
    throw error;
  }
  if (device.is_cpu() && report->available == 0) {
    report->available =
        static_cast<double>(sysconf(_SC_AVPHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  releaseMemory(device);
  const std::int64_t fits = fittingBatch(batchSize, *report);
  const std::string advice =
      fits > 0 ? "a batch of " + std::to_string(fits) + " should fit"
               : "not even one image fits: take a smaller network or another device";
  throw Error::failed("a batch of " + std::to_string(batchSize) +
                          " does not fit into the memory of " + device.str(),
                      where, advice);
}

FrozenScope::FrozenScope(torch::nn::Module& module)
    : module_(module), training_(module.is_training()) {
  for (auto& parameter : module.parameters()) {
    required_.push_back(parameter.requires_grad());
    parameter.set_requires_grad(false);
  }
  module.eval();
}

FrozenScope::~FrozenScope() {
  std::size_t i = 0;
  for (auto& parameter : module_.parameters()) parameter.set_requires_grad(required_[i++]);
  module_.train(training_);
}

}  // namespace bulwark
