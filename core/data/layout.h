#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/data/catalogue.h"

namespace bulwark {

/// The files of one split.
struct SplitLayout {
  std::string split = {};                          ///< "train", "test", or empty: undivided
  std::vector<std::filesystem::path> images = {};  ///< files, or one folder
  std::filesystem::path labels = {};               ///< a file, or empty
  std::vector<std::int64_t> counts = {};           ///< images each file must hold; 0: any
};

/// Where the parts of a data set lie and how to read them.
struct Layout {
  std::string format = {};
  std::filesystem::path root = {};
  std::vector<SplitLayout> splits = {};
  /// Class names in label order; folder names for "folder"; empty when none are known.
  std::vector<std::string> classNames = {};
  int classes = 0;                     ///< how many there must be; 0: as found
  std::vector<int> overlapFlags = {};  ///< from classes.txt, by label; empty when it has none
};

/// Finds the parts of data on disk; `path` is a folder or a file. Throws `Error` (BadInput).
Layout locateData(const std::filesystem::path& path, const std::string& format);

/// The parts of a catalogue set's published files that are in `folder`; splits that are
/// incomplete are left out, and their files added to `missing`.
Layout locateSet(const DatasetInfo& info, const std::filesystem::path& folder,
                 std::vector<std::string>& missing);

/// Where a catalogue set lies. An empty `layout.splits` means it is not installed.
struct Found {
  Layout layout;
  std::filesystem::path folder;
  std::vector<std::string> missing;
  std::vector<std::string> problems;
};
Found findSet(const DatasetInfo& info, const std::vector<std::filesystem::path>& searchFolders);

/// Names from classes.txt ("0 cat", "cat", "kind 0 cat" or "0 n02123045 2 tabby cat, ..."), and
/// the flags of the last form.
void readClassNames(const std::filesystem::path& file, Layout& layout);

/// The split for `wanted`; throws `Error` at `where` when the set has no such split.
const SplitLayout& splitFor(const Layout& layout, const std::string& wanted,
                            const std::string& where);

/// Whether the name ends like an image file that the codecs read.
bool isImageName(const std::filesystem::path& path);
/// Whether a file that is no image may lie in a class folder: what operating systems leave behind
/// and the annotations of Tiny ImageNet.
bool isHarmless(const std::filesystem::path& path);

}  // namespace bulwark
