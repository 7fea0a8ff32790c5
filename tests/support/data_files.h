#pragma once

#include <QByteArray>
#include <QString>
#include <QTemporaryDir>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"

/// Small data files, made in memory.
namespace datafiles {

inline std::string bigEndian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::string littleEndian(std::uint32_t value) {
  const std::string text = bigEndian(value);
  return {text.rbegin(), text.rend()};
}

inline std::string idx(int type, const std::vector<std::uint32_t>& sizes,
                       const std::string& payload) {
  std::string text{'\0', '\0', static_cast<char>(type), static_cast<char>(sizes.size())};
  for (const auto size : sizes) text += bigEndian(size);
  return text + payload;
}

/// A gzip member (RFC 1952) around the deflate data that Qt makes.
inline std::string gzip(const std::string& text) {
  std::uint32_t sum = ~std::uint32_t{0};
  for (const char c : text) {
    sum ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0xEDB88320U : 0U);
  }
  // Four bytes of length, two of zlib header, the deflate data, four of Adler-32.
  const std::string packed = qCompress(QByteArray::fromStdString(text)).toStdString();
  const std::string header("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
  return header + packed.substr(6, packed.size() - 10) + littleEndian(~sum) +
         littleEndian(static_cast<std::uint32_t>(text.size()));
}

/// `count` bytes 0, 1, 2, ... modulo 251.
inline std::string ramp(std::size_t count, std::size_t first = 0) {
  std::string text(count, '\0');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>((first + i) % 251);
  return text;
}

inline std::string npy(const std::string& type, const std::string& shape,
                       const std::string& payload, const std::string& fortran = "False") {
  std::string header = "{'descr': '";
  header += type + "', 'fortran_order': " + fortran + ", 'shape': (" + shape + "), }";
  header.resize(118, ' ');
  header.back() = '\n';
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size());
  text += '\0';
  return text + header + payload;
}

inline std::string floats(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

/// The message of the BadInput error with a hint that `work` must throw; empty otherwise.
template <class Work>
QString refusal(Work work) {
  try {
    work();
  } catch (const bulwark::Error& error) {
    return error.kind() == bulwark::Error::Kind::BadInput && !error.hint().empty()
               ? QString::fromStdString(error.what())
               : QString();
  }
  return {};
}

/// A folder that is removed with the test.
class Folder {
 public:
  std::filesystem::path path() const { return folder_.path().toStdString(); }
  std::filesystem::path put(const std::filesystem::path& name, const std::string& content) const {
    const auto file = path() / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    return file;
  }

 private:
  QTemporaryDir folder_;
};

}  // namespace datafiles
