// The IDX format of http://yann.lecun.com/exdb/mnist: two zero bytes, a type, the number of
// dimensions, the dimensions as big-endian 32-bit numbers, then the values, big-endian.
#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/data/raw_images.h"

namespace bulwark {
namespace {

struct IdxHeader {
  int type = 0;
  std::vector<std::int64_t> sizes;

  std::int64_t bytesPerValue() const {
    switch (type) {
      case 0x08:
      case 0x09:
        return 1;
      case 0x0B:
        return 2;
      default:
        return 4;
    }
  }
};

IdxHeader readHeader(ByteSource& source) {
  const std::string where = source.path().string();
  std::array<std::uint8_t, 4> magic{};
  source.read(magic.data(), magic.size());
  const bool known = magic[2] == 0x08 || magic[2] == 0x09 || (magic[2] >= 0x0B && magic[2] <= 0x0D);
  if (magic[0] != 0 || magic[1] != 0 || !known || magic[3] < 1 || magic[3] > 4) {
    throw Error::badInput("not an IDX file: it does not begin with 00 00 08 01 or 00 00 08 03",
                          where, "give an IDX file, or name the right format");
  }
  IdxHeader header;
  header.type = magic[2];
  std::uint64_t values = 1;
  for (int i = 0; i < magic[3]; ++i) {
    std::array<std::uint8_t, 4> size{};
    source.read(size.data(), size.size());
    const std::uint64_t extent = (std::uint64_t{size[0]} << 24) | (std::uint64_t{size[1]} << 16) |
                                 (std::uint64_t{size[2]} << 8) | std::uint64_t{size[3]};
    if (extent == 0 || extent > (std::uint64_t{1} << 48) / values) {
      throw Error::badInput("the IDX header gives an impossible size (" + std::to_string(extent) +
                                " in dimension " + std::to_string(i + 1) + ")",
                            where, "the header is damaged; fetch the file again");
    }
    values *= extent;
    header.sizes.push_back(static_cast<std::int64_t>(extent));
  }
  source.expectRemaining(values * static_cast<std::uint64_t>(header.bytesPerValue()));
  return header;
}

}  // namespace

torch::Tensor readIdxVector(const std::filesystem::path& path, Task& task) {
  ByteSource source(path);
  const IdxHeader header = readHeader(source);
  if (header.sizes.size() != 1 || header.type == 0x0D) {
    throw Error::badInput("expected a list of whole numbers (00 00 08 01), found " +
                              std::to_string(header.sizes.size()) + " dimensions",
                          path.string(), "give the labels file that belongs to the images");
  }
  const std::int64_t count = header.sizes[0];
  const std::int64_t width = header.bytesPerValue();
  const torch::Tensor bytes = readBytes(source, count * width, task);
  source.expectEnd();
  torch::Tensor values = torch::empty({count}, torch::kInt64);
  const auto* from = bytes.data_ptr<std::uint8_t>();
  auto* to = values.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    // Sign-extended from the first byte, except for the one unsigned type.
    std::int64_t value = header.type == 0x08 ? from[i] : static_cast<std::int8_t>(from[i * width]);
    for (std::int64_t k = 1; k < width; ++k) value = value * 256 + from[i * width + k];
    to[i] = value;
  }
  return values;
}

RawImages readIdx(const std::filesystem::path& images, const std::filesystem::path& labels,
                  Task& task) {
  ByteSource source(images);
  const IdxHeader header = readHeader(source);
  if (header.type != 0x08 || header.sizes.size() != 3) {
    throw Error::badInput("expected 8-bit images (00 00 08 03), found type " +
                              std::to_string(header.type) + " with " +
                              std::to_string(header.sizes.size()) + " dimensions",
                          images.string(), "give the images file, not the labels");
  }
  const std::int64_t count = header.sizes[0];
  RawImages raw;
  raw.labels =
      labels.empty() ? torch::full({count}, -1, torch::kInt64) : readIdxVector(labels, task);
  if (raw.count() != count) {
    throw Error::badInput(std::to_string(count) + " images but " + std::to_string(raw.count()) +
                              " labels (" + labels.string() + ")",
                          images.string(), "the two files must belong to the same split");
  }
  const torch::Tensor bytes = readBytes(source, count * header.sizes[1] * header.sizes[2], task);
  source.expectEnd();
  raw.pixels = selectFrom(bytes.view({count, 1, header.sizes[1], header.sizes[2]}));
  return raw;
}

}  // namespace bulwark
