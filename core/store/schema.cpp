#include "core/store/schema.h"

#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/base/error.h"
#include "core/store/clock.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

// Real columns without NOT NULL hold metrics that may be NaN, which SQLite stores as NULL.
// Long documents come last in `run`: a listing never touches the pages they spill over to.
constexpr const char* kFirstSchema = R"sql(
CREATE TABLE run(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE CHECK(length(uuid) = 36 AND uuid NOT GLOB '*[^0-9a-f-]*'),
  name TEXT NOT NULL,
  state TEXT NOT NULL CHECK(state IN
    ('queued', 'running', 'paused', 'cancelled', 'failed', 'interrupted', 'done')),
  created TEXT NOT NULL,
  started TEXT NOT NULL DEFAULT '',
  finished TEXT NOT NULL DEFAULT '',
  seed INTEGER NOT NULL,
  device TEXT NOT NULL,
  pinned INTEGER NOT NULL DEFAULT 0,
  worker_pid INTEGER NOT NULL DEFAULT 0,
  worker_start TEXT NOT NULL DEFAULT '',
  worker_host TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  summary TEXT NOT NULL DEFAULT 'null',
  timings TEXT NOT NULL DEFAULT 'null',
  environment TEXT NOT NULL DEFAULT 'null',
  specification TEXT NOT NULL
) STRICT;
CREATE INDEX run_order ON run(pinned, created, id);
CREATE INDEX run_state ON run(state);

CREATE TABLE job(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL UNIQUE REFERENCES run(id) ON DELETE CASCADE,
  queued TEXT NOT NULL,
  started TEXT NOT NULL DEFAULT '',
  heartbeat TEXT NOT NULL DEFAULT '',
  attempt INTEGER NOT NULL DEFAULT 0,
  threads INTEGER NOT NULL DEFAULT 0,
  device TEXT NOT NULL,
  phase TEXT NOT NULL DEFAULT '',
  unit TEXT NOT NULL DEFAULT '',
  done INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  rate REAL NOT NULL DEFAULT 0,
  seconds_left REAL,
  request TEXT NOT NULL DEFAULT '' CHECK(request IN ('', 'cancel', 'pause', 'resume'))
) STRICT;

CREATE TABLE dataset(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  role TEXT NOT NULL,
  name TEXT NOT NULL,
  count INTEGER NOT NULL,
  fingerprint TEXT NOT NULL,
  details TEXT NOT NULL
) STRICT;
CREATE INDEX dataset_run ON dataset(run);

CREATE TABLE epoch_metric(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  phase TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  name TEXT NOT NULL,
  value REAL,
  UNIQUE(run, phase, epoch, name)
) STRICT;

CREATE TABLE score_set(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  detector TEXT NOT NULL,
  attack TEXT NOT NULL,
  dataset TEXT NOT NULL,
  out INTEGER NOT NULL,
  count INTEGER NOT NULL,
  forwards INTEGER NOT NULL,
  backwards INTEGER NOT NULL,
  seconds REAL,
  crc INTEGER NOT NULL,
  scores BLOB NOT NULL,
  saturated BLOB NOT NULL,
  trajectory BLOB NOT NULL,
  UNIQUE(run, detector, attack, dataset, out)
) STRICT;

CREATE TABLE image_pair(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  score_set INTEGER NOT NULL REFERENCES score_set(id) ON DELETE CASCADE,
  sample INTEGER NOT NULL,
  label INTEGER NOT NULL,
  channels INTEGER NOT NULL,
  height INTEGER NOT NULL,
  width INTEGER NOT NULL,
  score_before REAL,
  score_after REAL,
  step_count INTEGER NOT NULL,
  step_numbers BLOB NOT NULL,
  step_scores BLOB NOT NULL,
  before BLOB NOT NULL,
  after BLOB NOT NULL,
  steps BLOB NOT NULL
) STRICT;
CREATE INDEX image_pair_set ON image_pair(score_set);

CREATE TABLE result(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  detector TEXT NOT NULL,
  attack TEXT NOT NULL,
  setting TEXT NOT NULL,
  out TEXT NOT NULL,
  auroc REAL, aupr_out REAL, aupr_in REAL, fpr95_id REAL, fpr95_ood REAL, tnr95 REAL,
  detection_accuracy REAL,
  n_in INTEGER NOT NULL,
  n_out INTEGER NOT NULL,
  ci_low REAL, ci_high REAL,
  extra TEXT NOT NULL,
  UNIQUE(run, detector, attack, setting, out)
) STRICT;

CREATE TABLE curve(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  detector TEXT NOT NULL,
  attack TEXT NOT NULL,
  setting TEXT NOT NULL,
  out TEXT NOT NULL,
  kind TEXT NOT NULL,
  count INTEGER NOT NULL,
  crc INTEGER NOT NULL,
  x BLOB NOT NULL,
  y BLOB NOT NULL,
  UNIQUE(run, detector, attack, setting, out, kind)
) STRICT;

CREATE TABLE artefact(
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  path TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  UNIQUE(run, path)
) STRICT;

CREATE TABLE log_line(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  time TEXT NOT NULL,
  level TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX log_line_run ON log_line(run);
)sql";

std::int64_t bigEndian32(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(bytes[i]);
  return static_cast<std::int32_t>(value);
}

void backUp(Connection& connection, std::int64_t version) {
  const std::string name = connection.path().string() + ".backup-v" + std::to_string(version);
  const std::string part = name + ".part-" + std::to_string(::getpid());
  std::error_code ignored;
  fs::remove(part, ignored);
  try {
    connection.run("VACUUM INTO ?", part);
    fs::rename(part, name);
  } catch (const fs::filesystem_error& error) {
    fs::remove(part, ignored);
    throw Error::failed("the backup before a migration failed: " + error.code().message(), name,
                        "check that the folder is writable; the database was left as it is");
  } catch (...) {
    fs::remove(part, ignored);
    throw;
  }
}

void apply(Connection& connection, const MigrationStep& step) {
  Transaction transaction(connection);
  // Another process may have done this step while we waited for the lock.
  if (connection.integer("PRAGMA user_version") >= step.number) return;
  connection.execute(
      "CREATE TABLE IF NOT EXISTS migration("
      "number INTEGER PRIMARY KEY, applied TEXT NOT NULL, text TEXT NOT NULL) STRICT");
  connection.execute(step.sql);
  if (Statement broken(connection, "PRAGMA foreign_key_check"); broken.step()) {
    throw Error::failed("step " + std::to_string(step.number) + " of the schema leaves row " +
                            std::to_string(broken.integer(1)) + " of '" + broken.text(0) +
                            "' without its owner",
                        connection.path().string(), "the step was rolled back");
  }
  connection.run("INSERT INTO migration VALUES(?, ?, ?)", step.number, utcNow(), step.text);
  connection.execute("PRAGMA application_id = " + std::to_string(kApplicationId) +
                     "; PRAGMA user_version = " + std::to_string(step.number));
  transaction.commit();
}

}  // namespace

const std::vector<MigrationStep>& schemaSteps() {
  static const std::vector<MigrationStep> steps = {{1, "runs, results and jobs", kFirstSchema}};
  return steps;
}

FileHeader readFileHeader(const fs::path& path) {
  // Read through SQLite's file layer: closing a descriptor of our own would drop every POSIX lock
  // that another connection of this process holds on the file, and a second process would then
  // take the write-ahead log away from under it.
  FileHeader header;
  sqlite3_vfs* layer = sqlite3_vfs_find(nullptr);
  const std::string absolute = fs::absolute(path).string();
  const std::unique_ptr<const char, void (*)(const char*)> name(
      sqlite3_create_filename(absolute.c_str(), "", "", 0, nullptr),
      [](const char* text) { sqlite3_free_filename(const_cast<char*>(text)); });
  std::vector<std::max_align_t> storage(
      static_cast<std::size_t>(layer->szOsFile) / sizeof(std::max_align_t) + 1);
  auto* file = reinterpret_cast<sqlite3_file*>(storage.data());
  int granted = 0;
  if (layer->xOpen(layer, name.get(), file, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, &granted) !=
      SQLITE_OK) {
    return header;
  }
  std::array<char, 100> bytes{};
  const bool read = file->pMethods->xRead(file, bytes.data(), bytes.size(), 0) == SQLITE_OK;
  file->pMethods->xClose(file);
  if (!read) return header;
  header.isDatabase =
      std::string_view(bytes.data(), 16) == std::string_view("SQLite format 3\0", 16);
  header.userVersion = bigEndian32(bytes.data() + 60);
  header.applicationId = bigEndian32(bytes.data() + 68);
  return header;
}

void requireOurs(const fs::path& path, std::int64_t applicationId, std::int64_t userVersion,
                 bool hasTables, int newest) {
  const bool foreign = applicationId != 0 && applicationId != kApplicationId;
  if (foreign || (applicationId == 0 && hasTables)) {
    throw Error::badInput("the file is a database of another program", path.string(),
                          "choose another file; this one was left as it is");
  }
  if (applicationId == kApplicationId && (userVersion > newest || userVersion < 0)) {
    throw Error::badInput("the database has schema " + std::to_string(userVersion) +
                              ", this program knows schemas up to " + std::to_string(newest),
                          path.string(),
                          "open it with a newer Bulwark; the file was left as it is");
  }
}

void migrate(Connection& connection, const std::vector<MigrationStep>& steps) {
  const auto version = connection.integer("PRAGMA user_version");
  if (steps.empty() || version >= steps.back().number) return;
  if (version > 0) backUp(connection, version);
  // Steps that rebuild a table must not cascade into its children; the check above replaces it.
  connection.execute("PRAGMA foreign_keys = OFF");
  try {
    for (const auto& step : steps) {
      if (step.number > version) apply(connection, step);
    }
  } catch (...) {
    connection.execute("PRAGMA foreign_keys = ON");
    throw;
  }
  connection.execute("PRAGMA foreign_keys = ON");
}

}  // namespace bulwark
