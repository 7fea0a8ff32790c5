#include "core/base/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/base/error.h"

namespace bulwark {

namespace fs = std::filesystem;

std::string readFile(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw Error::badInput("this is a folder, not a file", path.string());
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw Error::badInput("the file cannot be read", path.string(),
                          "check that it exists and that you may read it");
  }
  std::ostringstream content;
  content << file.rdbuf();
  return std::move(content).str();
}

void writeFileAtomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  const fs::path temporary = path.string() + ".part-" + std::to_string(::getpid());
  std::error_code ignored;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), ignored);
  try {
    {
      std::ofstream file(temporary, std::ios::binary | std::ios::trunc);
      if (!file) {
        throw Error::failed("the file cannot be created", path.string(),
                            "check that the folder exists and that you may write to it");
      }
      write(file);
      file.flush();
      if (!file) {
        throw Error::failed("the file could not be written whole", path.string(),
                            "check that the disk is not full");
      }
    }
    const int descriptor = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
    if (descriptor >= 0) ::close(descriptor);
    if (!synced) {
      throw Error::failed("the file could not be written to disk", path.string(),
                          "check that the disk is not full");
    }
    fs::rename(temporary, path);
  } catch (const fs::filesystem_error& error) {
    fs::remove(temporary, ignored);
    throw Error::failed(error.code().message(), path.string(),
                        "check that the folder exists and that you may write to it");
  } catch (...) {
    fs::remove(temporary, ignored);
    throw;
  }
}

void writeFileAtomically(const fs::path& path, std::string_view content) {
  writeFileAtomically(path, [content](std::ostream& out) {
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
  });
}

fs::path userDataFolder() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data) {
    return fs::path(data) / "bulwark";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home && *home ? home : ".") / ".local/share/bulwark";
}

}  // namespace bulwark
