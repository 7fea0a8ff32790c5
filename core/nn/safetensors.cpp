#include "core/nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/text.h"

namespace bulwark {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors are little-endian; a big-endian machine needs byte swaps here");

namespace fs = std::filesystem;

constexpr std::uint64_t maximumHeader = 100'000'000;  // the limit of the reference implementation
constexpr const char* remedy = "copy or export the file again";

struct TypeName {
  const char* name;
  torch::ScalarType type;
  std::uint64_t bytes;
};
constexpr TypeName types[] = {
    {"F64", torch::kFloat64, 8}, {"I64", torch::kInt64, 8},   {"F32", torch::kFloat32, 4},
    {"I32", torch::kInt32, 4},   {"F16", torch::kFloat16, 2}, {"BF16", torch::kBFloat16, 2},
    {"I16", torch::kInt16, 2},   {"I8", torch::kInt8, 1},     {"U8", torch::kUInt8, 1},
    {"BOOL", torch::kBool, 1},
};

const TypeName* typeNamed(const std::string& name) {
  const auto* found = std::find_if(std::begin(types), std::end(types),
                                   [&](const TypeName& type) { return name == type.name; });
  return found == std::end(types) ? nullptr : found;
}

const TypeName* typeOf(torch::ScalarType type) {
  const auto* found = std::find_if(std::begin(types), std::end(types),
                                   [&](const TypeName& entry) { return entry.type == type; });
  return found == std::end(types) ? nullptr : found;
}

std::string sizesText(const std::vector<std::int64_t>& sizes) {
  std::vector<std::string> parts;
  for (const auto size : sizes) parts.push_back(size < 0 ? "any" : std::to_string(size));
  return std::string("[").append(join(parts, ", ")).append("]");
}

/// One tensor as the header announces it.
struct Entry {
  std::string name;
  const TypeName* type = nullptr;
  std::vector<std::int64_t> sizes;
  std::uint64_t begin = 0, end = 0;
};

/// Reads one file; every check names the file.
class Reader {
 public:
  explicit Reader(const fs::path& path) : path_(path) {}

  TensorFile read() {
    std::error_code failure;
    if (!fs::is_regular_file(path_, failure)) {
      fail("there is no such file", "check the path");
    }
    stream_.open(path_, std::ios::binary);
    if (!stream_) fail("the file cannot be read", "check that you may read it");
    size_ = fs::file_size(path_);
    const Json header = readHeader();
    TensorFile file;
    const std::vector<Entry> entries = checkEntries(header, file.metadata);
    for (const Entry& entry : entries) file.tensors.emplace(entry.name, readTensor(entry));
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& problem, const std::string& hint = remedy) const {
    throw Error::badInput(problem, path_.string(), hint);
  }

  void readBytes(void* target, std::uint64_t count) {
    stream_.read(static_cast<char*>(target), static_cast<std::streamsize>(count));
    if (static_cast<std::uint64_t>(stream_.gcount()) != count) {
      fail("the file ended while it was being read");
    }
  }

  Json readHeader() {
    if (size_ < 8) fail("cut short: " + std::to_string(size_) + " of at least 8 bytes");
    std::uint64_t length = 0;
    readBytes(&length, 8);
    if (length < 2 || length > maximumHeader) {
      fail("not a safetensors file: its header would be " + std::to_string(length) + " bytes long");
    }
    if (length > size_ - 8) {
      fail("cut short: " + std::to_string(size_ - 8) + " of the header's " +
           std::to_string(length) + " bytes");
    }
    dataSize_ = size_ - 8 - length;
    std::string text(length, '\0');
    readBytes(text.data(), length);
    if (text.front() != '{') fail("not a safetensors file: its header is not a JSON object");
    return parse(text);
  }

  Json parse(const std::string& text) const {
    // nlohmann::json keeps the last of two equal keys silently; a weight given twice is an error.
    std::vector<std::set<std::string>> keys;
    std::string twice;
    const auto watch = [&](int, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) keys.emplace_back();
      if (event == Json::parse_event_t::object_end) keys.pop_back();
      if (event == Json::parse_event_t::key) {
        const auto& key = value.get_ref<const std::string&>();
        if (!keys.back().insert(key).second) twice = key;
      }
      return true;
    };
    Json header;
    try {
      header = Json::parse(text, watch);
    } catch (const Json::exception& error) {
      fail(std::string("the header is not valid JSON: ") + error.what());
    }
    if (!twice.empty()) fail("the header has the name '" + twice + "' twice");
    return header;
  }

  static std::optional<std::uint64_t> natural(const Json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<std::uint64_t>();
  }

  Entry entryOf(const std::string& name, const Json& value) const {
    const std::string tensor = "tensor '" + name + "': ";
    Entry entry;
    entry.name = name;
    if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets") || value.size() != 3) {
      fail(tensor + "its entry is not {dtype, shape, data_offsets}");
    }
    if (!value["dtype"].is_string() ||
        !(entry.type = typeNamed(value["dtype"].get<std::string>()))) {
      fail(tensor + "the type " + value["dtype"].dump() + " is not one of those known",
           "convert it to F32, for instance");
    }
    const Json& shape = value["shape"];
    std::uint64_t bytes = entry.type->bytes;
    if (!shape.is_array()) fail(tensor + "its shape is not an array");
    for (const auto& item : shape) {
      const auto size = natural(item);
      if (!size || *size > (std::uint64_t{1} << 62)) {
        fail(tensor + "its shape has the entry " + item.dump());
      }
      entry.sizes.push_back(static_cast<std::int64_t>(*size));
      if (__builtin_mul_overflow(bytes, *size, &bytes)) fail(tensor + "its shape is too large");
    }
    const Json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !natural(offsets[0]) ||
        !natural(offsets[1])) {
      fail(tensor + "its offsets are not two natural numbers");
    }
    entry.begin = *natural(offsets[0]);
    entry.end = *natural(offsets[1]);
    if (entry.begin > entry.end) fail(tensor + "it ends before it begins");
    if (entry.end - entry.begin != bytes) {
      fail(tensor + "shape " + sizesText(entry.sizes) + " of " + entry.type->name + " takes " +
           std::to_string(bytes) + " bytes, its offsets give " +
           std::to_string(entry.end - entry.begin));
    }
    return entry;
  }

  std::vector<Entry> checkEntries(const Json& header,
                                  std::map<std::string, std::string>& metadata) const {
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name != "__metadata__") {
        entries.push_back(entryOf(name, value));
        continue;
      }
      if (!value.is_object()) fail("__metadata__ is not an object of texts");
      for (const auto& [key, text] : value.items()) {
        if (!text.is_string()) fail("__metadata__ has the entry '" + key + "' that is no text");
        metadata[key] = text.get<std::string>();
      }
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t position = 0;
    for (const Entry& entry : entries) {
      if (entry.begin != position) {
        fail("tensor '" + entry.name + "': begins at byte " + std::to_string(entry.begin) +
             (entry.begin < position ? " inside the one before, which ends at "
                                     : " and leaves a gap after the one before, which ends at ") +
             std::to_string(position));
      }
      position = entry.end;
    }
    if (position > dataSize_) {
      fail("cut short: " + std::to_string(dataSize_) + " of " + std::to_string(position) +
           " bytes of tensors");
    }
    if (position < dataSize_) {
      fail(std::to_string(dataSize_ - position) + " bytes follow the last tensor");
    }
    return entries;
  }

  torch::Tensor readTensor(const Entry& entry) {
    torch::Tensor tensor = torch::empty(entry.sizes, entry.type->type);
    const std::uint64_t bytes = entry.end - entry.begin;
    if (bytes == 0) return tensor;
    readBytes(tensor.data_ptr(), bytes);
    if (entry.type->type == torch::kBool) {
      const auto* values = static_cast<const std::uint8_t*>(tensor.data_ptr());
      if (std::any_of(values, values + bytes, [](std::uint8_t value) { return value > 1; })) {
        fail("tensor '" + entry.name + "': a BOOL is neither 0 nor 1");
      }
    }
    return tensor;
  }

  fs::path path_;
  std::ifstream stream_;
  std::uint64_t size_ = 0, dataSize_ = 0;
};

}  // namespace

void TensorFile::save(const fs::path& path) const {
  // Wide types first, so that every tensor lies aligned; the header is padded to 8 for the same.
  std::vector<std::pair<const TypeName*, std::string>> order;
  for (const auto& [name, tensor] : tensors) {
    const TypeName* type = tensor.defined() ? typeOf(tensor.scalar_type()) : nullptr;
    if (!type || name == "__metadata__") {
      throw Error::failed("the tensor '" + name + "' cannot be stored in a safetensors file",
                          path.string());
    }
    order.emplace_back(type, name);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t position = 0;
  for (const auto& [type, name] : order) {
    const torch::Tensor& tensor = tensors.at(name);
    const std::uint64_t end = position + static_cast<std::uint64_t>(tensor.numel()) * type->bytes;
    header[name] = {{"dtype", type->name}, {"shape", tensor.sizes().vec()}};
    header[name]["data_offsets"] = {position, end};
    position = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  writeFileAtomically(path, [&](std::ostream& out) {
    const std::uint64_t length = text.size();
    out.write(reinterpret_cast<const char*>(&length), 8);
    out.write(text.data(), static_cast<std::streamsize>(length));
    for (const auto& [type, name] : order) {
      const torch::Tensor tensor = tensors.at(name).detach().cpu().contiguous();
      out.write(
          static_cast<const char*>(tensor.data_ptr()),
          static_cast<std::streamsize>(static_cast<std::uint64_t>(tensor.numel()) * type->bytes));
    }
  });
}

TensorFile TensorFile::load(const fs::path& path) {
  return Reader(path).read();
}

const torch::Tensor& TensorFile::require(const std::string& name,
                                         const std::vector<std::int64_t>& sizes,
                                         const std::string& where) const {
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    throw Error::badInput("the tensor '" + name + "' is missing", where,
                          "the file was made by something else");
  }
  const std::vector<std::int64_t> given = found->second.sizes().vec();
  bool same = given.size() == sizes.size();
  for (std::size_t i = 0; same && i < sizes.size(); ++i) {
    same = sizes[i] == -1 || sizes[i] == given[i];
  }
  if (!same) {
    throw Error::badInput(
        "the tensor '" + name + "' has the shape " + sizesText(given) + ", not " + sizesText(sizes),
        where, "the file was made by something else");
  }
  return found->second;
}

}  // namespace bulwark
