// NumPy's array format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/base/error.h"
#include "core/data/raw_images.h"

namespace bulwark {
namespace {

struct NpyHeader {
  std::string type;  // "<f4"
  bool fortran = false;
  std::vector<std::int64_t> shape;
};

[[noreturn]] void damaged(const ByteSource& source, const std::string& problem) {
  throw Error::badInput(problem, source.path().string(),
                        "save it again with numpy.save(name, array)");
}

/// What follows `'key':` in the header, a Python dictionary of three known keys.
std::string_view valueOf(const ByteSource& source, std::string_view header, std::string_view key) {
  const auto at = header.find(key);
  const auto colon = at == std::string_view::npos ? at : header.find(':', at);
  const auto start =
      colon == std::string_view::npos ? colon : header.find_first_not_of(' ', colon + 1);
  if (start == std::string_view::npos) {
    damaged(source, "the NPY header has no " + std::string(key));
  }
  return header.substr(start);
}

NpyHeader parse(const ByteSource& source, std::string_view text) {
  NpyHeader header;
  const auto descr = valueOf(source, text, "'descr'");
  const auto close =
      descr.empty() || descr[0] != '\'' ? std::string_view::npos : descr.find('\'', 1);
  if (close == std::string_view::npos) damaged(source, "the NPY file holds a structured array");
  header.type = std::string(descr.substr(1, close - 1));
  const auto order = valueOf(source, text, "'fortran_order'");
  if (!order.starts_with("True") && !order.starts_with("False")) {
    damaged(source, "the NPY header's 'fortran_order' is neither True nor False");
  }
  header.fortran = order.starts_with("True");
  const auto shape = valueOf(source, text, "'shape'");
  const auto end = shape.find(')');
  if (shape.empty() || shape[0] != '(' || end == std::string_view::npos) {
    damaged(source, "the NPY header's 'shape' is not a tuple");
  }
  std::uint64_t values = 1;
  for (const char* at = shape.data() + 1; at < shape.data() + end;) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    std::uint64_t extent = 0;
    const auto [next, error] = std::from_chars(at, shape.data() + end, extent);
    if (error != std::errc() || extent == 0 || extent > (std::uint64_t{1} << 48) / values) {
      damaged(source, "the NPY header's shape " + std::string(shape.substr(0, end + 1)) +
                          " is empty or impossible");
    }
    values *= extent;
    header.shape.push_back(static_cast<std::int64_t>(extent));
    at = next;
  }
  return header;
}

NpyHeader readHeader(ByteSource& source) {
  std::array<char, 8> magic{};
  source.read(magic.data(), magic.size());
  if (std::string_view(magic.data(), 6) != "\x93NUMPY" || magic[6] < 1 || magic[6] > 3) {
    damaged(source, "not an NPY file: it does not begin with \\x93NUMPY and version 1 to 3");
  }
  std::array<std::uint8_t, 4> size{};
  source.read(size.data(), magic[6] == 1 ? 2 : 4);
  const std::uint32_t length = std::uint32_t{size[0]} | std::uint32_t{size[1]} << 8 |
                               std::uint32_t{size[2]} << 16 | std::uint32_t{size[3]} << 24;
  if (length > 1U << 20) damaged(source, "the NPY header claims to be longer than 1 MiB");
  std::string text(length, '\0');
  source.read(text.data(), text.size());
  NpyHeader header = parse(source, text);
  if (header.fortran) {
    throw Error::badInput("the array is stored in Fortran order", source.path().string(),
                          "save numpy.ascontiguousarray(array)");
  }
  return header;
}

std::optional<torch::ScalarType> scalarType(const std::string& type) {
  if (type == "|u1") return torch::kUInt8;
  if (type == "|i1") return torch::kInt8;
  if (type == "<i2") return torch::kInt16;
  if (type == "<i4") return torch::kInt32;
  if (type == "<i8") return torch::kInt64;
  if (type == "<f4") return torch::kFloat32;
  if (type == "<f8") return torch::kFloat64;
  return std::nullopt;
}

torch::Tensor readArray(const std::filesystem::path& path, Task& task) {
  ByteSource source(path);
  const NpyHeader header = readHeader(source);
  const auto type = scalarType(header.type);
  if (!type) {
    throw Error::badInput("the array's type '" + header.type + "' is not read", path.string(),
                          "save images as uint8, float32 or float64 and labels as integers, "
                          "little-endian");
  }
  std::int64_t bytes = static_cast<std::int64_t>(torch::elementSize(*type));
  for (const auto extent : header.shape) bytes *= extent;
  source.expectRemaining(static_cast<std::uint64_t>(bytes));
  const torch::Tensor raw = readBytes(source, bytes, task);
  source.expectEnd();
  return raw.view(*type).view(header.shape);
}

/// Any of the accepted shapes as [N, C, H, W].
torch::Tensor channelsFirst(const torch::Tensor& array, const std::string& where) {
  const auto isChannels = [](std::int64_t extent) { return extent == 1 || extent == 3; };
  if (array.dim() == 3) return array.unsqueeze(1);
  if (array.dim() == 4 && isChannels(array.size(1))) return array;
  if (array.dim() == 4 && isChannels(array.size(3)))
    return array.permute({0, 3, 1, 2}).contiguous();
  std::string shape;
  for (const auto extent : array.sizes()) {
    shape += (shape.empty() ? "" : ", ") + std::to_string(extent);
  }
  throw Error::badInput("an array of shape [" + shape + "] is not a stack of images", where,
                        "save [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 or 3 channels");
}

void requireUnitRange(const torch::Tensor& images, const std::string& where) {
  const torch::Tensor finite = torch::isfinite(images);
  if (!finite.all().item<bool>()) {
    const auto bad = (finite == 0).sum().item<std::int64_t>();
    throw Error::badInput(std::to_string(bad) + " values are NaN or infinite", where,
                          "replace them, e.g. with numpy.nan_to_num, and save again");
  }
  const auto least = images.min().item<double>();
  const auto most = images.max().item<double>();
  if (least < 0.0 || most > 1.0) {
    throw Error::badInput("float images range from " + std::to_string(least) + " to " +
                              std::to_string(most) + "; they must lie in [0, 1]",
                          where,
                          most > 1.5 && least >= 0.0
                              ? "divide by 255, or save them as uint8"
                              : "undo the normalisation, then save values in [0, 1]");
  }
}

}  // namespace

RawImages readNpy(const std::filesystem::path& images, const std::filesystem::path& labels,
                  Task& task) {
  const std::string where = images.string();
  torch::Tensor array = channelsFirst(readArray(images, task), where);
  if (array.is_floating_point()) {
    requireUnitRange(array, where);
    array = array.to(torch::kFloat32);
  } else if (array.scalar_type() != torch::kUInt8) {
    throw Error::badInput("images of a signed integer type are not read", where,
                          "save them as uint8 (0 to 255) or as float32 in [0, 1]");
  }
  RawImages raw;
  if (labels.empty()) {
    raw.labels = torch::full({array.size(0)}, -1, torch::kInt64);
  } else {
    const torch::Tensor given = readArray(labels, task);
    if (given.dim() != 1 || given.is_floating_point()) {
      throw Error::badInput("labels must be one whole number per image", labels.string(),
                            "save labels.astype('int64') with shape [N]");
    }
    if (given.size(0) != array.size(0)) {
      throw Error::badInput(std::to_string(array.size(0)) + " images but " +
                                std::to_string(given.size(0)) + " labels (" + labels.string() + ")",
                            where, "save one label for every image");
    }
    raw.labels = given.to(torch::kInt64);
  }
  raw.pixels = selectFrom(array);
  return raw;
}

}  // namespace bulwark
