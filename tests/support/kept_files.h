#pragma once

#include <QTemporaryDir>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/nn/safetensors.h"
#include "small_runs.h"

/// Files of tensors that a run keeps for the window beside its scores.
namespace smallruns {

/// Such a file in a folder of its own, to be damaged; `Kept` saves and loads it.
template <class Kept>
class DamagedFile {
 public:
  explicit DamagedFile(const Kept& kept) {
    kept.save(path);
    whole = readFile(path);
  }

  /// The file as it was saved but for a change to its tensors or words.
  void change(const std::function<void(TensorFile&)>& change) const {
    writeFileAtomically(path, whole);
    auto file = TensorFile::load(path);
    change(file);
    file.save(path);
  }

  /// Whether it is refused with the file's name and these words.
  bool refused(const char* says) const {
    try {
      Kept::load(path);
    } catch (const Error& error) {
      const std::string text = error.what();
      return error.kind() == Error::Kind::BadInput &&
             text.find(path.string()) != std::string::npos && text.find(says) != std::string::npos;
    }
    return false;
  }

  QTemporaryDir folder;
  const std::filesystem::path path = folder.filePath("kept.safetensors").toStdString();
  std::string whole;  ///< what it held when it was saved
};

/// The artefacts of a kind that lie in the run's folder with the sums that are recorded of them.
inline std::vector<std::string> keptFiles(const Bench& bench, std::int64_t run,
                                          const std::string& kind) {
  std::vector<std::string> files;
  for (const auto& artefact : bench.store->artefacts(run)) {
    if (artefact.kind != kind) continue;
    const auto path = bench.store->artefactFolder(run) / artefact.path;
    files.push_back(sha256File(path) == artefact.sha256 ? artefact.path : "another sum");
  }
  return files;
}

/// Whether bytes are those values of [0, 1], rounded.
template <class Bytes>
bool samePicture(const Bytes& shown, const std::vector<float>& values) {
  if (shown.size() != values.size()) return false;
  for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
    if (std::abs(float(shown[pixel]) - 255 * values[pixel]) >= 0.51F) return false;
  }
  return true;
}

/// Executes the run until it has recorded that many sets of scores; false if nothing cut it short.
inline bool cutAfterScores(Bench& bench, std::int64_t run, int sets) {
  try {
    bench.execute(run, "scores", sets);
  } catch (const Error& error) {
    return error.kind() == Error::Kind::Cancelled;
  }
  return false;
}

}  // namespace smallruns
