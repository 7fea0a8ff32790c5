#include "core/store/run_store.h"

#include <sys/stat.h>

#include <thread>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/schema.h"
#include "core/store/store_impl.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

bool isEmptyOrMissing(const fs::path& path) {
  std::error_code missing;
  const auto size = fs::file_size(path, missing);
  return missing || size == 0;
}

/// Whatever can be refused without letting SQLite near the file.
void inspect(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw Error::badInput("this is a folder, not a database", path.string(),
                          "name a file inside it");
  }
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) {
    throw Error::badInput("this is not a regular file", path.string(), "choose another file");
  }
  if (isEmptyOrMissing(path)) return;
  // Unreadable files are left to SQLite, which says why.
  if (::access(path.c_str(), R_OK) != 0) return;
  const FileHeader header = readFileHeader(path);
  if (!header.isDatabase) {
    throw Error::badInput("the file is not a database", path.string(),
                          "choose another file; this one was left as it is");
  }
  const bool identified = header.applicationId != 0;
  requireOurs(path, header.applicationId, header.userVersion,
              !identified && header.userVersion != 0, RunStore::schemaVersion());
}

/// Files of up to this size are looked through when they are opened, in some 100 ms at most.
constexpr std::uintmax_t kCheckedBytes = std::uintmax_t{64} << 20;

/// A file that is damaged somewhere is refused as a whole, before it takes another one's place.
void requireWhole(Connection& db) {
  std::error_code unknown;
  const auto size = fs::file_size(db.path(), unknown);
  if (unknown || size > kCheckedBytes) return;
  const std::string found = db.text("PRAGMA quick_check(1)");
  if (found == "ok") return;
  throw Error::badInput(
      "the database is damaged (" + found + ")", db.path().string(),
      "restore a backup of the file; `sqlite3 FILE .recover` may save what is left");
}

/// The same questions again, through the write-ahead log.
void checkIdentity(Connection& db) {
  const bool hasTables = db.integer("SELECT count(*) FROM sqlite_schema") > 0;
  requireOurs(db.path(), db.integer("PRAGMA application_id"), db.integer("PRAGMA user_version"),
              hasTables, RunStore::schemaVersion());
  requireWhole(db);
}

void useWriteAheadLog(Connection& db, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string mode;
  for (;;) {
    try {
      mode = db.text("PRAGMA journal_mode = WAL");
      break;
    } catch (const LockedError&) {
      // Two programs that create the same file at once: SQLite does not wait here by itself.
      if (std::chrono::steady_clock::now() >= deadline) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  if (mode != "wal") {
    throw Error::badInput(
        "the database cannot use a write-ahead log (journal mode is '" + mode + "')",
        db.path().string(),
        "network file systems do not support it; keep the file on a local disk");
  }
}

std::unique_ptr<Connection> openForWriting(const fs::path& path, const StoreOptions& options) {
  std::error_code failed;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), failed);
  if (failed) {
    throw Error::badInput("the folder cannot be created: " + failed.message(),
                          path.parent_path().string(), "choose a folder that you may write to");
  }
  const bool fresh = !fs::exists(path, failed);
  try {
    auto db = std::make_unique<Connection>(path, Connection::Mode::Create, options.patience);
    if (db->isReadOnly()) {
      throw Error::badInput("the database is read-only", path.string(),
                            "make the file writable, copy it elsewhere, or open it for reading");
    }
    db->keepLogOnClose(true);  // a file that is refused below stays as it is, byte for byte
    checkIdentity(*db);
    if (options.mostPages > 0) {
      db->execute("PRAGMA max_page_count = " + std::to_string(options.mostPages));
    }
    useWriteAheadLog(*db, options.patience);
    migrate(*db, schemaSteps());
    db->keepLogOnClose(false);
    return db;
  } catch (...) {
    // Nothing half-made stays behind; a log with content means that somebody else made it whole.
    if (fresh && isEmptyOrMissing(path.string() + "-wal") &&
        readFileHeader(path).userVersion == 0) {
      for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(path.string() + suffix, failed);
    }
    throw;
  }
}

std::unique_ptr<Connection> openForReading(const fs::path& path, const StoreOptions& options) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw Error::badInput("there is no such database", path.string(), "check the path");
  }
  std::unique_ptr<Connection> db;
  try {
    db = std::make_unique<Connection>(path, Connection::Mode::ReadOnly, options.patience);
    checkIdentity(*db);
  } catch (const Error&) {
    // A log needs files beside the database. Where the folder forbids them and no log is left
    // over, nobody can be writing either, and the file is whole by itself.
    const bool folderForbids = ::access(fs::absolute(path).parent_path().c_str(), W_OK) != 0;
    if (!folderForbids || !isEmptyOrMissing(path.string() + "-wal")) throw;
    db = std::make_unique<Connection>(path, Connection::Mode::Immutable, options.patience);
    checkIdentity(*db);
  }
  const auto version = db->integer("PRAGMA user_version");
  if (version < RunStore::schemaVersion()) {
    throw Error::badInput(
        version == 0 ? "the database is empty"
                     : "the database has the older schema " + std::to_string(version),
        path.string(), "open it once for writing, which brings it up to date after a backup");
  }
  return db;
}

}  // namespace

RunStore RunStore::open(const fs::path& path, Mode mode, const StoreOptions& options) {
  inspect(path);
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->mode = mode;
  impl->db =
      mode == Mode::ReadWrite ? openForWriting(path, options) : openForReading(path, options);
  impl->files.emplace(path);
  return RunStore(std::move(impl));
}

fs::path RunStore::defaultPath() {
  return userDataFolder() / "runs.db";
}

RunStore::RunStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunStore::RunStore(RunStore&&) noexcept = default;
RunStore& RunStore::operator=(RunStore&&) noexcept = default;
RunStore::~RunStore() = default;

const fs::path& RunStore::path() const {
  return impl_->path;
}

int RunStore::schemaVersion() {
  return schemaSteps().back().number;
}

std::int64_t RunStore::dataVersion() const {
  // data_version counts the commits of others, total_changes the rows we changed ourselves.
  return impl_->db->integer("PRAGMA data_version") + impl_->db->totalChanges();
}

fs::path RunStore::artefactFolder(std::int64_t run) const {
  const fs::path folder = impl_->artefactFolder(impl_->uuidOf(run));
  if (impl_->mode == Mode::ReadWrite) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) {
      throw Error::failed("the folder cannot be created: " + failed.message(), folder.string(),
                          "check that you may write there and that the disk is not full");
    }
  }
  return folder;
}

fs::path RunStore::Impl::artefactFolder(const std::string& uuid) const {
  // The name ends up in paths that are created and deleted: it may come from a foreign file.
  if (!isUuid(uuid)) {
    throw Error::badInput("'" + uuid + "' is not the identifier of a run", path.string());
  }
  return artefactRoot() / uuid;
}

}  // namespace bulwark
