#include "core/data/byte_source.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <system_error>
#include <vector>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace bulwark {
namespace {

constexpr std::size_t bufferSize = std::size_t{1} << 18;
constexpr std::uint64_t deflateLimit = 1032;  // most bytes one compressed byte can stand for

}  // namespace

struct ByteSource::State {
  std::filesystem::path path;
  std::ifstream file;
  std::uint64_t fileSize = 0;
  std::uint64_t delivered = 0;
  bool compressed = false;
  bool ended = false;  // of the compressed data
  z_stream stream{};
  std::vector<unsigned char> buffer;

  [[noreturn]] void fail(const std::string& problem, const std::string& hint) const {
    throw Error::badInput(problem, path.string(), hint);
  }

  bool refill() {
    file.read(reinterpret_cast<char*>(buffer.data()), static_cast<std::streamsize>(buffer.size()));
    if (file.bad()) fail("the file cannot be read", "check the disk");
    stream.next_in = buffer.data();
    stream.avail_in = static_cast<uInt>(file.gcount());
    return stream.avail_in > 0;
  }

  /// At the end of a gzip member: another member may follow (RFC 1952), anything else may not.
  void finishMember() {
    if (stream.avail_in == 0 && !refill()) {
      ended = true;
      return;
    }
    if (stream.next_in[0] != 0x1f || inflateReset(&stream) != Z_OK) {
      fail("oversized: bytes follow the end of the gzip data", "fetch the file again");
    }
  }

  std::size_t inflateSome(unsigned char* to, std::size_t size) {
    std::size_t done = 0;
    while (done < size && !ended) {
      if (stream.avail_in == 0 && !refill()) {
        fail("truncated: the gzip data ends early", "fetch the file again");
      }
      const std::size_t want = std::min<std::size_t>(size - done, std::size_t{1} << 30);
      stream.next_out = to + done;
      stream.avail_out = static_cast<uInt>(want);
      const int result = inflate(&stream, Z_NO_FLUSH);
      done += want - stream.avail_out;
      if (result == Z_STREAM_END) {
        finishMember();
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        fail(std::string("the gzip data is damaged (") + (stream.msg ? stream.msg : "zlib error") +
                 ")",
             "fetch the file again");
      }
    }
    return done;
  }
};

ByteSource::ByteSource(const std::filesystem::path& path) : state_(std::make_unique<State>()) {
  state_->path = path;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    state_->fail("there is no such file", "check the path");
  }
  state_->file.open(path, std::ios::binary);
  if (!state_->file) state_->fail("the file cannot be opened", "check its permissions");
  state_->fileSize = std::filesystem::file_size(path, ignored);
  char magic[2] = {};
  state_->file.read(magic, 2);
  state_->compressed = state_->file.gcount() == 2 && magic[0] == '\x1f' && magic[1] == '\x8b';
  if (!state_->compressed && path.extension() == ".gz") {
    state_->fail("not gzip data, although the name ends in .gz",
                 "fetch the file again, or drop .gz from its name if it was unpacked");
  }
  state_->file.clear();
  state_->file.seekg(0);
  if (state_->compressed) {
    state_->buffer.resize(bufferSize);
    if (inflateInit2(&state_->stream, 15 + 16) != Z_OK) {
      throw Error::failed("zlib could not be started", path.string());
    }
  }
}

ByteSource::~ByteSource() {
  if (state_ && state_->compressed) inflateEnd(&state_->stream);
}

const std::filesystem::path& ByteSource::path() const {
  return state_->path;
}
bool ByteSource::compressed() const {
  return state_->compressed;
}

std::size_t ByteSource::readSome(void* to, std::size_t size) {
  std::size_t done = 0;
  if (state_->compressed) {
    done = state_->inflateSome(static_cast<unsigned char*>(to), size);
  } else {
    state_->file.read(static_cast<char*>(to), static_cast<std::streamsize>(size));
    if (state_->file.bad()) state_->fail("the file cannot be read", "check the disk");
    done = static_cast<std::size_t>(state_->file.gcount());
  }
  state_->delivered += done;
  return done;
}

void ByteSource::read(void* to, std::size_t size) {
  const std::uint64_t before = state_->delivered;
  const std::size_t done = readSome(to, size);
  if (done < size) {
    state_->fail("truncated: " + std::to_string(before + size) +
                     " bytes are needed, the file has " + std::to_string(before + done),
                 "fetch the file again");
  }
}

void ByteSource::expectEnd() {
  char extra = 0;
  if (readSome(&extra, 1) > 0) {
    state_->fail("oversized: the file goes on after the " + std::to_string(state_->delivered - 1) +
                     " bytes that its header accounts for",
                 "the header or the file is damaged; fetch it again");
  }
}

void ByteSource::expectRemaining(std::uint64_t size) const {
  const std::uint64_t total = state_->delivered + size;
  if (!state_->compressed) {
    if (total == state_->fileSize) return;
    state_->fail((total > state_->fileSize ? "truncated: " : "oversized: ") +
                     ("the header asks for " + std::to_string(total)) + " bytes, the file has " +
                     std::to_string(state_->fileSize),
                 "the header or the file is damaged; fetch it again");
  }
  if (total / deflateLimit > state_->fileSize) {
    state_->fail("truncated: the header asks for " + std::to_string(total) + " bytes, more than " +
                     std::to_string(state_->fileSize) + " compressed bytes can hold",
                 "the header or the file is damaged; fetch it again");
  }
}

std::filesystem::path plainOrGzip(const std::filesystem::path& folder, const std::string& name) {
  std::error_code ignored;
  for (const std::string& suffix : {std::string(), std::string(".gz")}) {
    const auto path = folder / (name + suffix);
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return {};
}

std::string sha256Uncompressed(const std::filesystem::path& path, Task& task) {
  ByteSource source(path);
  Sha256 digest;
  std::vector<char> buffer(std::size_t{1} << 20);
  while (const std::size_t size = source.readSome(buffer.data(), buffer.size())) {
    digest.update(buffer.data(), size);
    task.checkpoint();
  }
  return digest.finish();
}

}  // namespace bulwark
