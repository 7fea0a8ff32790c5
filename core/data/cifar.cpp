// The binary version of CIFAR-10 and CIFAR-100 (https://www.cs.toronto.edu/~kriz/cifar.html).
#include <algorithm>

#include "core/base/error.h"
#include "core/data/raw_images.h"

namespace bulwark {
namespace {

constexpr std::int64_t pixelBytes = 3 * 32 * 32;

/// uint8 [N, record]: all whole records of one file.
torch::Tensor readRecords(const std::filesystem::path& file, std::int64_t record, Task& task) {
  ByteSource source(file);
  constexpr std::int64_t recordsPerChunk = 1000;
  std::vector<torch::Tensor> chunks;
  for (;;) {
    torch::Tensor chunk = torch::empty({recordsPerChunk * record}, torch::kUInt8);
    const auto size = static_cast<std::int64_t>(
        source.readSome(chunk.data_ptr<std::uint8_t>(), static_cast<std::size_t>(chunk.numel())));
    if (size % record != 0) {
      const std::int64_t whole =
          static_cast<std::int64_t>(chunks.size()) * recordsPerChunk + size / record;
      throw Error::badInput(
          std::to_string(size % record) + " bytes are left over after " + std::to_string(whole) +
              " whole records of " + std::to_string(record) +
              " bytes: truncated, oversized, or not a " + "CIFAR binary file",
          file.string(), "give the binary version (data_batch_1.bin), not the pickled one");
    }
    if (size > 0) chunks.push_back(chunk.narrow(0, 0, size).view({size / record, record}));
    task.checkpoint();
    if (size < chunk.numel()) break;
  }
  if (chunks.empty()) {
    throw Error::badInput("the file is empty", file.string(), "fetch the file again");
  }
  return torch::cat(chunks, 0);
}

}  // namespace

RawImages readCifar(const std::vector<std::filesystem::path>& files, int labelBytes, int labelByte,
                    int classes, Task& task) {
  const std::int64_t record = labelBytes + pixelBytes;
  std::vector<torch::Tensor> labels, pixels;
  for (const auto& file : files) {
    const torch::Tensor records = readRecords(file, record, task);
    labels.push_back(records.select(1, labelByte).to(torch::kInt64));
    const torch::Tensor wrong = torch::nonzero(labels.back() >= classes);
    if (wrong.size(0) > 0) {
      const auto at = wrong[0].item<std::int64_t>();
      throw Error::badInput("record " + std::to_string(at) + " has label " +
                                std::to_string(labels.back()[at].item<std::int64_t>()) +
                                ", but there are only " + std::to_string(classes) + " classes",
                            file.string(),
                            "the file is damaged or not of this format; for more classes put their "
                            "names into classes.txt beside it");
    }
    pixels.push_back(records.narrow(1, labelBytes, pixelBytes));
  }
  RawImages raw;
  raw.labels = torch::cat(labels, 0);
  raw.pixels = selectFrom(torch::cat(pixels, 0).view({raw.count(), 3, 32, 32}));
  return raw;
}

}  // namespace bulwark
