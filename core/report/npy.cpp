#include "core/report/npy.h"

#include <bit>
#include <cstring>

#include "core/base/error.h"

namespace bulwark {
namespace {

std::string header(const std::string& type, const std::vector<std::size_t>& shape,
                   std::size_t count) {
  std::size_t product = 1;
  std::string text = "(";
  for (std::size_t length : shape) {
    product *= length;
    text += std::to_string(length) + ", ";
  }
  if (product != count) {
    throw Error::failed(
        "the shape of an array does not match its " + std::to_string(count) + " values", "report");
  }
  // A tuple of one keeps its comma.
  if (shape.size() == 1) text.pop_back();
  if (shape.size() > 1) text.erase(text.size() - 2);
  std::string dictionary =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + text + "), }";
  // Magic, version and length take 10 bytes; the data starts at a multiple of 64.
  dictionary.append(63 - (10 + dictionary.size()) % 64, ' ');
  dictionary += '\n';
  const auto length = static_cast<std::uint16_t>(dictionary.size());
  std::string bytes = "\x93NUMPY";
  bytes += '\x01';
  bytes += '\x00';
  bytes += static_cast<char>(length & 0xFFU);
  bytes += static_cast<char>(length >> 8U);
  return bytes + dictionary;
}

template <class Value>
std::string npy(const std::string& type, std::span<const Value> values,
                const std::vector<std::size_t>& shape) {
  static_assert(std::endian::native == std::endian::little, "values are copied as they are");
  std::string bytes = header(type, shape, values.size());
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

}  // namespace

std::string writeNpy(std::span<const double> values, const std::vector<std::size_t>& shape) {
  return npy("<f8", values, shape);
}

std::string writeNpy(std::span<const float> values, const std::vector<std::size_t>& shape) {
  return npy("<f4", values, shape);
}

std::string writeNpy(std::span<const std::uint8_t> values, const std::vector<std::size_t>& shape) {
  return npy("|u1", values, shape);
}

}  // namespace bulwark
