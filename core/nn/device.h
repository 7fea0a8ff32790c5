#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bulwark {

/// "auto" (first CUDA device, else the CPU), "cpu", "cuda" or "cuda:N".
/// Throws `Error` (BadInput) listing the devices there are.
torch::Device resolveDevice(const std::string& name);

/// Copies a CPU batch to `device` through pinned memory where that is a CUDA device.
torch::Tensor toDevice(const torch::Tensor& batch, const torch::Device& device);

/// Sets LibTorch's threads (0: all cores this process may use) and keeps OpenCV's and OpenBLAS's
/// pools from multiplying them; from then on freed memory stays in the process for the next step.
/// Returns the number in force. Throws `Error` (BadInput) below 0.
int setThreads(int count);

/// Full float32 precision and deterministic kernels on CUDA devices: TF32, which rounds inputs to
/// 10 bits and can change ranks, is off; cuDNN does not pick kernels by timing them.
void requireExactArithmetic();

/// Gives cached memory of the process and the device back, between jobs.
void releaseMemory(const torch::Device& device);

/// What an out-of-memory message says, in bytes; 0 where it does not.
struct MemoryReport {
  double tried = 0;      ///< the allocation that failed
  double available = 0;  ///< free on the device then
  double allocated = 0;  ///< held by tensors then
};

/// Reads the messages of LibTorch's CUDA (1.13 and 2.x) and CPU allocators; nothing when `message`
/// is about something else than memory.
std::optional<MemoryReport> parseMemoryError(const std::string& message);

/// A batch that should fit where `batchSize` did not: the batch scaled by what the device can hold
/// (allocated + free) over what was asked of it by then (allocated + tried), half of that because
/// the layers not yet reached want memory too, rounded down to a power of two; at least 1 and at
/// most half of `batchSize`. Half of `batchSize` where nothing is known. 0 when `batchSize` is 1.
std::int64_t fittingBatch(std::int64_t batchSize, const MemoryReport& report);

/// Turns an out-of-memory error into an `Error` (Failed) that names the batch size that did not
/// fit and one that would, judged by the memory that was free; rethrows anything else.
[[noreturn]] void explainMemoryError(const c10::Error& error, const torch::Device& device,
                                     std::int64_t batchSize, const std::string& where);

/// Runs `work()` and lets `explainMemoryError` speak when memory runs out.
template <class Work>
auto withMemoryAdvice(const torch::Device& device, std::int64_t batchSize, const std::string& where,
                      Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const c10::Error& error) {
    explainMemoryError(error, device, batchSize, where);
  }
}

/// Evaluation mode and frozen parameters for the life of the object; restores the module's mode
/// and every parameter's flag afterwards.
class FrozenScope {
 public:
  explicit FrozenScope(torch::nn::Module& module);
  ~FrozenScope();
  FrozenScope(const FrozenScope&) = delete;
  FrozenScope& operator=(const FrozenScope&) = delete;

 private:
  torch::nn::Module& module_;
  bool training_;
  std::vector<bool> required_;
};

}  // namespace bulwark
