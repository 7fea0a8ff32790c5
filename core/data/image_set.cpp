#include "core/data/image_set.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace bulwark {
namespace {

constexpr std::int64_t hashBatch = 1024;

/// Whether every channel (plane) of the image has one value throughout.
bool singleColour(const std::uint8_t* data, std::size_t planes, std::size_t plane) {
  for (std::size_t k = 0; k < planes; ++k) {
    const auto* from = data + k * plane;
    if (std::memcmp(from, from + 1, plane - 1) != 0) return false;
  }
  return true;
}

/// A 64-bit hash of bytes, eight at a time (multiply and fold); never 0.
std::uint64_t hashBytes(const std::uint8_t* data, std::size_t size) {
  std::uint64_t hash = 0x9e3779b97f4a7c15ULL ^ size;
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
    hash ^= hash >> 32;
  };
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data + i, 8);
    mix(word);
  }
  std::uint64_t rest = 0;
  if (i < size) std::memcpy(&rest, data + i, size - i);
  mix(rest);
  mix(size);
  return hash == 0 ? 1 : hash;
}

/// Little-endian bytes, so that a fingerprint is the same on every machine.
std::array<std::uint8_t, 8> littleEndian(std::int64_t value) {
  std::array<std::uint8_t, 8> bytes{};
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return bytes;
}

void update(Sha256& digest, std::int64_t value) {
  const auto bytes = littleEndian(value);
  digest.update(bytes.data(), bytes.size());
}

}  // namespace

torch::Tensor ImageSet::range(std::int64_t begin, std::int64_t end) const {
  TORCH_CHECK(0 <= begin && begin <= end && end <= size(), "range [", begin, ", ", end, ") of ",
              size(), " images");
  return images(torch::arange(begin, end, torch::kInt64));
}

TensorImageSet::TensorImageSet(std::string name, torch::Tensor pixels, torch::Tensor labels,
                               std::vector<std::string> classNames, Json details)
    : name_(std::move(name)),
      pixels_(pixels.contiguous()),
      labels_(labels.to(torch::kInt64).contiguous()),
      classNames_(std::move(classNames)),
      details_(std::move(details)) {
  TORCH_CHECK(pixels_.dim() == 4 && (pixels_.scalar_type() == torch::kUInt8 ||
                                     pixels_.scalar_type() == torch::kFloat32),
              "pixels must be uint8 or float32 [N, C, H, W]");
  TORCH_CHECK(labels_.dim() == 1 && labels_.size(0) == pixels_.size(0),
              "labels must be [N], one per image");
}

std::int64_t TensorImageSet::size() const {
  return pixels_.size(0);
}

ImageShape TensorImageSet::shape() const {
  return {pixels_.size(1), pixels_.size(2), pixels_.size(3)};
}

torch::Tensor TensorImageSet::images(const torch::Tensor& indices) const {
  const torch::Tensor chosen = pixels_.index_select(0, indices);
  return chosen.scalar_type() == torch::kUInt8 ? chosen.to(torch::kFloat32).div_(255.0) : chosen;
}

std::string TensorImageSet::fingerprint(Task& task) const {
  Sha256 digest;
  digest.update(pixels_.scalar_type() == torch::kUInt8 ? "uint8" : "float32");
  for (const auto extent : pixels_.sizes()) update(digest, extent);
  const auto* data = static_cast<const char*>(pixels_.data_ptr());
  const auto bytes = static_cast<std::size_t>(pixels_.nbytes());
  constexpr std::size_t chunk = std::size_t{4} << 20;
  for (std::size_t i = 0; i < bytes; i += chunk) {
    digest.update(data + i, std::min(chunk, bytes - i));
    task.checkpoint();
  }
  const auto* label = labels_.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < labels_.size(0); ++i) update(digest, label[i]);
  return digest.finish();
}

std::vector<std::uint64_t> TensorImageSet::imageHashes(Task& task) const {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(static_cast<std::size_t>(size()));
  for (std::int64_t begin = 0; begin < size(); begin += hashBatch) {
    const std::int64_t count = std::min(hashBatch, size() - begin);
    torch::Tensor batch = pixels_.narrow(0, begin, count);
    // Float images are compared on the 8-bit grid, so that a copy saved as float is found too.
    if (batch.scalar_type() != torch::kUInt8) {
      batch = batch.mul(255.0).round_().clamp_(0, 255).to(torch::kUInt8);
    }
    batch = batch.contiguous();
    const auto planes = static_cast<std::size_t>(batch.size(1));
    const auto plane = static_cast<std::size_t>(batch.size(2) * batch.size(3));
    const auto* data = batch.data_ptr<std::uint8_t>();
    for (std::int64_t i = 0; i < count; ++i, data += planes * plane) {
      hashes.push_back(singleColour(data, planes, plane) ? 0 : hashBytes(data, planes * plane));
    }
    task.checkpoint();
  }
  return hashes;
}

std::shared_ptr<ImageSet> subset(const std::shared_ptr<ImageSet>& set, const torch::Tensor& indices,
                                 const std::string& note) {
  Json details = set->details();
  if (!details.is_object()) details = Json::object();
  if (!details.contains("subsets")) details["subsets"] = Json::array();
  details["subsets"].push_back({{"note", note}, {"count", indices.size(0)}, {"of", set->size()}});
  const auto held = std::dynamic_pointer_cast<TensorImageSet>(set);
  const torch::Tensor pixels =
      held ? held->pixels().index_select(0, indices) : set->images(indices);
  return std::make_shared<TensorImageSet>(set->name(), pixels,
                                          set->labels().index_select(0, indices), set->classNames(),
                                          std::move(details));
}

std::shared_ptr<ImageSet> keepClasses(const std::shared_ptr<ImageSet>& set,
                                      const std::vector<std::int64_t>& classes) {
  if (classes.empty()) throw Error::badInput("no class is left", set->name(), "name at least one");
  const torch::Tensor& labels = set->labels();
  torch::Tensor numbers = torch::full_like(labels, -1);
  std::vector<std::string> names;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (std::find(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(i), classes[i]) !=
        classes.begin() + static_cast<std::ptrdiff_t>(i)) {
      throw Error::badInput("class " + std::to_string(classes[i]) + " is named twice", set->name(),
                            "name every class once");
    }
    const torch::Tensor mask = labels == classes[i];
    if (!mask.any().item<bool>()) {
      throw Error::badInput("there is no image of class " + std::to_string(classes[i]), set->name(),
                            "choose among the classes of the set");
    }
    numbers.masked_fill_(mask, static_cast<std::int64_t>(i));
    const auto index = static_cast<std::size_t>(classes[i]);
    names.push_back(index < set->classNames().size() ? set->classNames()[index]
                                                     : std::to_string(classes[i]));
    kept.push_back(std::to_string(classes[i]));
  }
  const torch::Tensor indices = torch::nonzero(numbers >= 0).flatten();
  std::string note = "classes";
  for (const auto& number : kept) note += " " + number;
  const auto chosen = subset(set, indices, note + ", renumbered from 0 in this order");
  const auto held = std::dynamic_pointer_cast<TensorImageSet>(chosen);
  return std::make_shared<TensorImageSet>(chosen->name(), held->pixels(),
                                          numbers.index_select(0, indices), std::move(names),
                                          chosen->details());
}

void requireDisjoint(const ImageSet& a, const std::string& roleA, const ImageSet& b,
                     const std::string& roleB, Task& task) {
  if (!(a.shape() == b.shape())) return;
  const auto hashesA = a.imageHashes(task);
  const std::unordered_set<std::uint64_t> known(hashesA.begin(), hashesA.end());
  std::int64_t shared = 0, first = -1, index = 0;
  for (const std::uint64_t hash : b.imageHashes(task)) {
    if (hash != 0 && known.contains(hash)) {
      if (shared++ == 0) first = index;
    }
    ++index;
  }
  if (shared == 0) return;
  throw Error::badInput(
      std::to_string(shared) + " of the " + std::to_string(b.size()) + " images of " + roleB +
          " (" + b.name() + ") are also among those of " + roleA + " (" + a.name() +
          "), the first at position " + std::to_string(first),
      roleB,
      "give the two roles different splits, sets or classes; \"split\": \"auto\" divides data "
      "that has no training and test parts");
}

}  // namespace bulwark
