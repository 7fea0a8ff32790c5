#include "core/experiment/file_progress.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/nn/safetensors.h"

namespace bulwark {
namespace {

constexpr char kFingerprint[] = "fingerprint";
/// Writing takes at most one part in this many of the time.
constexpr double kShareOfWork = 20.0;

torch::Tensor bytes(const std::vector<std::uint8_t>& values) {
  return torch::tensor(std::vector<std::int64_t>(values.begin(), values.end()), torch::kInt64)
      .to(torch::kUInt8);
}

TensorFile pack(const std::vector<FinishedSample>& samples,
                const std::vector<std::uint8_t>& settled) {
  std::vector<std::int64_t> number, passes, forwards, backwards, counts, times, watched;
  std::vector<double> values, distances, bests;
  std::vector<std::uint8_t> saturated, zeroGradient;
  std::vector<torch::Tensor> images, snapshots, snapshotValues;
  for (const FinishedSample& done : samples) {
    number.push_back(done.sample);
    passes.push_back(done.passes);
    values.push_back(done.value);
    distances.push_back(done.distance);
    forwards.push_back(done.forwards);
    backwards.push_back(done.backwards);
    saturated.push_back(done.saturated ? 1 : 0);
    zeroGradient.push_back(done.zeroGradient ? 1 : 0);
    images.push_back(done.image);
    counts.push_back(static_cast<std::int64_t>(done.improvements.size()));
    for (const auto& [time, value] : done.improvements) {
      times.push_back(time);
      bests.push_back(value);
    }
    if (!done.snapshots.defined()) continue;
    watched.push_back(done.sample);
    snapshots.push_back(done.snapshots);
    snapshotValues.push_back(done.snapshotValues);
  }
  TensorFile file;
  auto& tensors = file.tensors;
  tensors["sample"] = torch::tensor(number, torch::kInt64);
  tensors["passes"] = torch::tensor(passes, torch::kInt64);
  tensors["value"] = torch::tensor(values, torch::kFloat64);
  tensors["distance"] = torch::tensor(distances, torch::kFloat64);
  tensors["forwards"] = torch::tensor(forwards, torch::kInt64);
  tensors["backwards"] = torch::tensor(backwards, torch::kInt64);
  tensors["saturated"] = bytes(saturated);
  tensors["zero_gradient"] = bytes(zeroGradient);
  tensors["image"] = torch::stack(images);
  tensors["improvements.count"] = torch::tensor(counts, torch::kInt64);
  tensors["improvements.time"] = torch::tensor(times, torch::kInt64);
  tensors["improvements.value"] = torch::tensor(bests, torch::kFloat64);
  if (!watched.empty()) {
    tensors["watched.sample"] = torch::tensor(watched, torch::kInt64);
    tensors["watched.image"] = torch::stack(snapshots);
    tensors["watched.value"] = torch::stack(snapshotValues);
  }
  if (!settled.empty()) tensors["settled"] = bytes(settled);
  return file;
}

void unpack(const TensorFile& file, const std::string& where, FinishedWalk& walk) {
  const auto at = [&](const char* name, std::int64_t size) {
    return file.require(name, {size}, where).contiguous();
  };
  const auto number = at("sample", -1);
  const std::int64_t count = number.size(0);
  const auto passes = at("passes", count), values = at("value", count);
  const auto distances = at("distance", count);
  const auto forwards = at("forwards", count), backwards = at("backwards", count);
  const auto saturated = at("saturated", count), zeroGradient = at("zero_gradient", count);
  const auto& images = file.require("image", {count, -1, -1, -1}, where);
  const auto counts = at("improvements.count", count);
  const auto times = at("improvements.time", counts.sum().item<std::int64_t>());
  const auto bests = at("improvements.value", times.size(0));
  std::int64_t next = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    FinishedSample done;
    done.sample = number[i].item<std::int64_t>();
    done.passes = passes[i].item<std::int64_t>();
    done.value = values[i].item<double>();
    done.distance = distances[i].item<double>();
    done.forwards = forwards[i].item<std::int64_t>();
    done.backwards = backwards[i].item<std::int64_t>();
    done.saturated = saturated[i].item<std::uint8_t>() != 0;
    done.zeroGradient = zeroGradient[i].item<std::uint8_t>() != 0;
    done.image = images[i];
    for (std::int64_t k = counts[i].item<std::int64_t>(); k > 0; --k, ++next) {
      done.improvements.push_back(
          {times.data_ptr<std::int64_t>()[next], bests.data_ptr<double>()[next]});
    }
    walk.samples.push_back(std::move(done));
  }
  if (file.tensors.count("watched.sample") > 0) {
    const auto watched = at("watched.sample", -1);
    const auto& snapshots = file.require("watched.image", {watched.size(0), -1, -1, -1, -1}, where);
    const auto& snapshotValues = file.require("watched.value", {watched.size(0), -1}, where);
    for (std::int64_t i = 0; i < watched.size(0); ++i) {
      for (auto done = walk.samples.end() - count; done != walk.samples.end(); ++done) {
        if (done->sample != watched[i].item<std::int64_t>()) continue;
        done->snapshots = snapshots[i];
        done->snapshotValues = snapshotValues[i];
      }
    }
  }
  walk.settled.clear();
  if (file.tensors.count("settled") > 0) {
    const auto settled = at("settled", -1);
    const auto* data = settled.data_ptr<std::uint8_t>();
    walk.settled.assign(data, data + settled.numel());
  }
}

}  // namespace

FileProgress::FileProgress(std::filesystem::path folder, Seconds interval)
    : folder_(std::move(folder)), interval_(interval), earlier_(storedSeconds()) {}

FileProgress::Seconds FileProgress::storedSeconds() const {
  if (!std::filesystem::exists(secondsFile())) return Seconds(0.0);
  const auto seconds = parseFraction(readFile(secondsFile()));
  return Seconds(seconds ? std::max(0.0, *seconds) : 0.0);
}

std::filesystem::path FileProgress::file(std::int64_t part) const {
  return folder_ / (std::to_string(walk_) + "-" + std::to_string(part) + ".safetensors");
}

FinishedWalk FileProgress::begin(const std::string& fingerprint) {
  ++walk_;
  parts_ = 0;
  fingerprint_ = fingerprint;
  FinishedWalk walk;
  for (; std::filesystem::exists(file(parts_)); ++parts_) {
    const TensorFile stored = TensorFile::load(file(parts_));
    const auto found = stored.metadata.find(kFingerprint);
    if (found == stored.metadata.end() || found->second != fingerprint) {
      // Of another attack, such as one whose options have changed: none of it can be used.
      for (std::int64_t part = parts_; std::filesystem::exists(file(part)); ++part) {
        std::filesystem::remove(file(part));
      }
      if (!resumed_) earlier_ = Seconds(0.0);
      break;
    }
    unpack(stored, file(parts_).string(), walk);
    resumed_ = true;
  }
  committed_ = Clock::now();
  return walk;
}

bool FileProgress::due() {
  return Clock::now() - committed_ >= std::max(interval_, kShareOfWork * lastCommit_);
}

void FileProgress::commit(const std::vector<FinishedSample>& samples,
                          const std::vector<std::uint8_t>& settled) {
  const auto start = Clock::now();
  std::filesystem::create_directories(folder_);
  TensorFile part = pack(samples, settled);
  part.metadata[kFingerprint] = fingerprint_;
  part.save(file(parts_));
  ++parts_;
  committed_ = Clock::now();
  const Seconds spent = earlier_ + (committed_ - opened_);
  writeFileAtomically(secondsFile(), formatNumber(spent.count()));
  lastCommit_ = Clock::now() - start;
}

void FileProgress::discard() {
  std::error_code ignored;  // what cannot be removed is refused by its fingerprint
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace bulwark
