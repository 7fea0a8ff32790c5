#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace bulwark {

/// Whole file as bytes; throws `Error` (BadInput) naming the path when it cannot be read.
std::string readFile(const std::filesystem::path& path);

/// Writes to a temporary file beside `path`, syncs it to disk and renames it over `path`: a reader
/// sees the old or the new file, never half of one, also after a crash or on a full disk.
/// Throws `Error` (Failed) and leaves nothing behind when it cannot.
void writeFileAtomically(const std::filesystem::path& path,
                         const std::function<void(std::ostream&)>& write);
void writeFileAtomically(const std::filesystem::path& path, std::string_view content);

/// `$XDG_DATA_HOME/bulwark` or `~/.local/share/bulwark`: the run database and user datasets.
std::filesystem::path userDataFolder();

}  // namespace bulwark
