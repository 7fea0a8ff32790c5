#include <filesystem>

#include "core/base/error.h"
#include "core/store/run_store.h"
#include "core/store/store_impl.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

/// Removes what was copied unless the import came to its end.
class CopiedFolders {
 public:
  ~CopiedFolders() {
    std::error_code ignored;
    for (const auto& folder : folders_) fs::remove_all(folder, ignored);
  }
  void copy(const fs::path& from, const fs::path& to) {
    std::error_code failed;
    if (!fs::is_directory(from, failed)) return;
    folders_.push_back(to);
    fs::create_directories(to, failed);
    // Links are not followed: a foreign folder must not pull in files from elsewhere.
    constexpr auto options = fs::copy_options::recursive | fs::copy_options::skip_symlinks |
                             fs::copy_options::overwrite_existing;
    if (!failed) fs::copy(from, to, options, failed);
    if (failed) {
      throw Error::failed("the files of a run cannot be copied: " + failed.message(), to.string(),
                          "check that you may write there and that the disk is not full; "
                          "nothing was imported");
    }
  }
  void keep() { folders_.clear(); }

 private:
  std::vector<fs::path> folders_;
};

}  // namespace

std::int64_t RunStore::Impl::insertCopy(const RunRecord& run) {
  db->run(
      "INSERT INTO run(uuid, name, state, created, started, finished, seed, device, pinned, error, "
      "note, summary, timings, environment, specification) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      run.uuid, run.name, toString(run.state), run.created, run.started, run.finished,
      static_cast<std::int64_t>(run.seed), run.device, run.pinned, run.error, run.note,
      dump(run.summary), dump(run.timings), dump(run.environment), dump(run.specification));
  return db->lastId();
}

std::vector<std::int64_t> RunStore::importFrom(const fs::path& other) {
  std::error_code ignored;
  if (fs::equivalent(other, impl_->path, ignored)) {
    throw Error::badInput("a database cannot be imported into itself", other.string());
  }
  const RunStore source = open(other, Mode::ReadOnly);
  // One consistent view of the other database, whatever its owner does meanwhile.
  source.impl_->db->execute("BEGIN");
  CopiedFolders copied;
  std::vector<std::int64_t> imported;
  Transaction transaction(*impl_->db);
  Statement known(*impl_->db, "SELECT 1 FROM run WHERE uuid = ?");
  auto runs = source.runs();
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    const bool finished = isFinal(run->state) && run->state != RunState::Interrupted;
    if (!finished || known.bind(run->uuid).step()) continue;
    copied.copy(source.impl_->artefactFolder(run->uuid), impl_->artefactFolder(run->uuid));
    const auto id = impl_->insertCopy(*run);
    // Reading through the public methods checks every length and checksum on the way.
    putDatasets(id, source.datasets(run->id));
    putEpochMetrics(id, source.epochMetrics(run->id));
    putResults(id, source.results(run->id), source.curves(run->id));
    for (const auto& artefact : source.artefacts(run->id)) putArtefact(id, artefact);
    source.impl_->copyScores(run->id, *this, id);
    source.impl_->copyLog(run->id, *impl_, id);
    imported.push_back(id);
  }
  known.reset();
  transaction.commit();
  copied.keep();
  return imported;
}

}  // namespace bulwark
