#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/store/clock.h"
#include "core/store/file_identity.h"
#include "core/store/run_store.h"
#include "core/store/sqlite.h"

namespace bulwark {

/// The connection behind a RunStore, and the statements that several of its topics need. None of
/// these opens a transaction: the public methods do, around everything that belongs together.
struct RunStore::Impl {
  std::filesystem::path path;
  std::unique_ptr<Connection> db;
  Mode mode = Mode::ReadWrite;
  std::optional<DatabaseFiles> files;  ///< once open

  Impl() = default;
  /// A connection that has lost its files leaves alone what another program has put there.
  ~Impl() {
    if (files && files->replaced()) db->keepLogOnClose(true);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::filesystem::path artefactRoot() const { return path.string() + ".artefacts"; }
  std::filesystem::path artefactFolder(const std::string& uuid) const;

  std::int64_t insertRun(const std::string& name, const Json& specification, std::uint64_t seed,
                         const std::string& device);
  /// The run itself as another database has it, without what belongs to it.
  std::int64_t insertCopy(const RunRecord& run);
  void copyScores(std::int64_t run, RunStore& target, std::int64_t targetRun) const;
  void copyLog(std::int64_t run, Impl& target, std::int64_t targetRun) const;
  std::string uuidOf(std::int64_t run) const;
  RunState stateOf(std::int64_t run) const;
  std::int64_t runOfJob(std::int64_t job) const;
  WorkerIdentity workerOf(std::int64_t run) const;
  /// On this host by process id and start; on another by a heartbeat of the last minute.
  bool hasLivingWorker(std::int64_t run) const;
  /// Checks `canChange`, keeps the times; the same state again changes only the error text.
  void changeState(std::int64_t run, RunState to, const std::string& error);
  void setWorker(std::int64_t run, const WorkerIdentity& worker);
  void requireRun(std::int64_t run) const;
  RunRecord readRun(const Statement& query, bool brief) const;
  JobRecord readJob(const Statement& query) const;
  /// One UPDATE of one run, whose id is the last parameter, in its own transaction.
  template <class... Values>
  void update(std::int64_t run, const char* sql, const Values&... values) {
    Transaction transaction(*db);
    if (db->run(sql, values..., run) == 0) throwNoRun(run);
    transaction.commit();
  }

  Json parse(const std::string& text) const;
  RunState parseState(const std::string& text) const;
  [[noreturn]] void throwNoRun(std::int64_t run) const;
  [[noreturn]] void throwNoJob(std::int64_t job) const;
};

/// Compact JSON; bytes that are not UTF-8 are replaced rather than refused.
std::string dump(const Json& json);

}  // namespace bulwark
