#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/task.h"
#include "core/params/option.h"

namespace bulwark {

/// One file a catalogue set consists of.
struct DatasetFile {
  std::string path = {};  ///< below the set's folder; a plain and a ".gz" form are both looked for
  std::string sha256 = {};  ///< of the uncompressed bytes; empty where none is published
  std::int64_t count = 0;   ///< images (or labels) it must hold; 0: not fixed
  bool optional = false;
  std::string split = {};  ///< "train", "test" or empty (names of classes)
  std::string holds = {};  ///< "images", "labels", "both" or "names"
};

/// What the catalogue knows of a data set, installed or not.
struct DatasetInfo {
  std::string name = {};   ///< the word in specifications: "fashion-mnist"
  std::string title = {};  ///< "Fashion-MNIST"
  std::string summary = {};
  std::string reference = {};  ///< paper
  std::string homepage = {};
  std::string licence = {};
  bool generated = false;                     ///< needs no files
  int channels = 1, height = 28, width = 28;  ///< native; 0: varies
  int classes = 0;
  std::int64_t trainCount = 0, testCount = 0;
  /// idx, cifar10, cifar100, cifar100-coarse, folder, npy, generated; empty: no reader yet for the
  /// published files, though a copy converted to one of the others is read.
  std::string format = {};
  std::vector<DatasetFile> files = {};
  std::string whatToPutWhere = {};  ///< shown when it is not installed
  /// Where the files may lie below a search folder; the first is the set's own folder.
  std::vector<std::string> folders = {};
  bool user = false;                         ///< found in the user's data folder, not built in
  std::vector<std::string> classNames = {};  ///< in label order, where they are fixed
  OptionSchema options = {};  ///< of a generated set: what `DatasetRequest::options` may hold
  int overlapFlag = -1;       ///< keep only classes whose flag in classes.txt is this
};

/// Whether and where a set was found.
struct DatasetStatus {
  bool installed = false;
  std::filesystem::path folder = {};
  std::vector<std::string> missing = {};   ///< file names
  std::vector<std::string> problems = {};  ///< wrong count, wrong sha256, ... (filled by check())
  std::string advice = {};                 ///< what to put where
  std::string format = {};                 ///< how the files found are read
  std::vector<std::string> splits = {};    ///< found: "train", "test", or "all" for undivided data
};

/// A data set entry of a specification: a catalogue set or data on disk.
struct DatasetRequest {
  std::string dataset;  ///< catalogue name, or empty
  std::string path;     ///< data on disk, or empty
  std::string format;   ///< with path: idx, cifar10, cifar100, folder, npy
  std::string label;    ///< name in results; default: dataset or the folder's name
  std::string split;    ///< "train", "test"; empty: what the role asks; "auto": see schema()
  std::vector<std::string> classes;            ///< keep only these (names or numbers); empty: all
  std::int64_t trainLimit = 0, testLimit = 0;  ///< 0: all; a seeded subset
  int channels = 0;                            ///< 0: as the in set
  int size = 0;                                ///< square side; 0: as the in set
  std::string subset = "random";   ///< which images a limit takes: random, first, balanced
  std::string grey = "luminance";  ///< what colour images become grey by: luminance, red
  bool invert = false;             ///< 1 - x of every value
  bool optional = false;           ///< skip when not installed
  Json options = Json::object();   ///< how a generated set is made, complete

  /// The options of such an entry, for validation and for the window's form.
  static const OptionSchema& schema();
  static DatasetRequest fromJson(const Json& json, const std::string& path);
  Json toJson() const;  ///< complete, defaults included
  /// Checks `options` against those of the set and fills in its defaults. Throws `Error` below
  /// `path`.
  void completeOptions(const DatasetInfo& info, const std::string& path);
  std::string displayName() const;
};

/// Looks for data sets in a list of folders. Immutable; cheap to copy.
class DatasetCatalogue {
 public:
  /// `folders`: searched in order; see `defaultFolders`.
  explicit DatasetCatalogue(std::vector<std::filesystem::path> folders);
  /// `extra` (--data), $BULWARK_DATA (separated by ':'), the user's data folder,
  /// /usr/share/datasets.
  static std::vector<std::filesystem::path> defaultFolders(
      const std::vector<std::filesystem::path>& extra = {});

  const std::vector<std::filesystem::path>& folders() const { return folders_; }
  const std::vector<DatasetInfo>& sets() const { return sets_; }
  /// Throws `Error` (BadInput) at `path` with the nearest known name.
  const DatasetInfo& info(const std::string& name, const std::string& path = {}) const;
  /// Looks for the files only; quick.
  DatasetStatus status(const std::string& name) const;
  /// Reads everything: counts, sha256, headers. Long.
  DatasetStatus check(const std::string& name, Task& task) const;

 private:
  std::vector<std::filesystem::path> folders_;
  std::vector<DatasetInfo> sets_;
};

/// A picture for a grid of thumbnails: 8-bit RGB, row-major.
struct Thumbnail {
  std::int64_t index = 0;  ///< within the split
  std::int64_t label = -1;
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;  ///< [height * width * 3]
};

/// What the Data page shows of a set.
struct DatasetPreview {
  std::vector<std::string> classNames;
  std::map<std::int64_t, std::int64_t> classCounts;  ///< label -> images in the split
  std::int64_t count = 0;
  int channels = 0, height = 0, width = 0;
  std::string fingerprint;
  std::vector<Thumbnail> thumbnails;  ///< up to `perClass` of each class, by class
};

/// Loads `request` and picks the first `perClass` images of every class. Throws `Error`.
DatasetPreview previewDataset(const DatasetCatalogue& catalogue, const DatasetRequest& request,
                              const std::string& split, int perClass, Task& task);

/// Guesses how to read a path: "folder", "idx", "cifar10", "npy"; throws with what is accepted.
std::string guessFormat(const std::filesystem::path& path);

/// Whether this build decodes image files (PNG, JPEG, BMP, PPM).
bool hasImageCodecs();

/// The words for `DatasetRequest::format`.
const std::vector<std::string>& datasetFormats();
/// The sets that ship with the catalogue, in the order in which they are shown.
const std::vector<DatasetInfo>& builtinDatasets();

}  // namespace bulwark
