#include <unistd.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/store/blob.h"
#include "core/store/run_store.h"
#include "core/store/store_impl.h"

namespace bulwark {
namespace {

std::string columns(bool brief) {
  const std::string listed =
      "id, uuid, name, state, created, started, finished, seed, device, pinned, error, note, "
      "summary, timings";
  return brief ? listed : listed + ", environment, specification";
}

}  // namespace

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json RunStore::Impl::parse(const std::string& text) const {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) throwDamaged("a document is not JSON", path.string());
  return json;
}

RunState RunStore::Impl::parseState(const std::string& text) const {
  try {
    return runStateFromString(text);
  } catch (const Error& error) {
    throwDamaged(error.problem(), path.string());
  }
}

void RunStore::Impl::throwNoRun(std::int64_t run) const {
  throw Error::badInput("there is no run " + std::to_string(run), path.string(),
                        "'bulwark-cli runs list' shows all runs");
}

void RunStore::Impl::requireRun(std::int64_t run) const {
  (void)stateOf(run);
}

RunState RunStore::Impl::stateOf(std::int64_t run) const {
  Statement query(*db, "SELECT state FROM run WHERE id = ?");
  if (!query.bind(run).step()) throwNoRun(run);
  return parseState(query.text(0));
}

std::string RunStore::Impl::uuidOf(std::int64_t run) const {
  Statement query(*db, "SELECT uuid FROM run WHERE id = ?");
  if (!query.bind(run).step()) throwNoRun(run);
  return query.text(0);
}

std::int64_t RunStore::Impl::insertRun(const std::string& name, const Json& specification,
                                       std::uint64_t seed, const std::string& device) {
  db->run(
      "INSERT INTO run(uuid, name, state, created, seed, device, specification) "
      "VALUES(?, ?, 'queued', ?, ?, ?, ?)",
      newUuid(), name, utcNow(), static_cast<std::int64_t>(seed), device, dump(specification));
  return db->lastId();
}

void RunStore::Impl::setWorker(std::int64_t run, const WorkerIdentity& worker) {
  db->run("UPDATE run SET worker_pid = ?, worker_start = ?, worker_host = ? WHERE id = ?",
          worker.pid, worker.start, worker.host, run);
}

void RunStore::Impl::changeState(std::int64_t run, RunState to, const std::string& error) {
  const RunState from = stateOf(run);
  if (from == to) {
    db->run("UPDATE run SET error = ? WHERE id = ?", error, run);
    return;
  }
  if (!canChange(from, to)) {
    throw Error::failed("run " + std::to_string(run) + " is " + toString(from) +
                            " and cannot become " + toString(to),
                        path.string());
  }
  db->run("UPDATE run SET state = ?, error = ? WHERE id = ?", toString(to), error, run);
  if (to == RunState::Running) {
    db->run(
        "UPDATE run SET finished = '', started = CASE started WHEN '' THEN ? ELSE started END "
        "WHERE id = ?",
        utcNow(), run);
  } else if (isFinal(to)) {
    db->run("UPDATE run SET finished = ? WHERE id = ?", utcNow(), run);
    db->run("UPDATE job SET request = '', seconds_left = NULL WHERE run = ?", run);
    setWorker(run, {});
  } else if (to == RunState::Queued) {
    db->run("UPDATE run SET finished = '' WHERE id = ?", run);
  }
}

std::int64_t RunStore::createRun(const std::string& name, const Json& specification,
                                 std::uint64_t seed, const std::string& device) {
  Transaction transaction(*impl_->db);
  const auto id = impl_->insertRun(name, specification, seed, device);
  transaction.commit();
  return id;
}

RunRecord RunStore::Impl::readRun(const Statement& query, bool brief) const {
  RunRecord run;
  int column = 0;
  run.id = query.integer(column++);
  run.uuid = query.text(column++);
  run.name = query.text(column++);
  run.state = parseState(query.text(column++));
  run.created = query.text(column++);
  run.started = query.text(column++);
  run.finished = query.text(column++);
  run.seed = static_cast<std::uint64_t>(query.integer(column++));
  run.device = query.text(column++);
  run.pinned = query.integer(column++) != 0;
  run.error = query.text(column++);
  run.note = query.text(column++);
  run.summary = parse(query.text(column++));
  run.timings = parse(query.text(column++));
  if (!brief) {
    run.environment = parse(query.text(column++));
    run.specification = parse(query.text(column++));
  }
  return run;
}

std::optional<RunRecord> RunStore::findRun(std::int64_t id) const {
  Statement query(*impl_->db, "SELECT " + columns(false) + " FROM run WHERE id = ?");
  if (!query.bind(id).step()) return std::nullopt;
  return impl_->readRun(query, false);
}

RunRecord RunStore::run(std::int64_t id) const {
  auto found = findRun(id);
  if (!found) impl_->throwNoRun(id);
  return *std::move(found);
}

std::vector<RunRecord> RunStore::runs(bool brief) const {
  Statement query(*impl_->db, "SELECT " + columns(brief) +
                                  " FROM run ORDER BY pinned DESC, created DESC, id DESC");
  std::vector<RunRecord> found;
  while (query.step()) found.push_back(impl_->readRun(query, brief));
  return found;
}

void RunStore::deleteRun(std::int64_t id) {
  std::filesystem::path folder;
  {
    Transaction transaction(*impl_->db);
    if (impl_->hasLivingWorker(id)) {
      throw Error::badInput("run " + std::to_string(id) + " is being worked on",
                            impl_->path.string(), "cancel it before deleting it");
    }
    folder = impl_->artefactFolder(impl_->uuidOf(id));
    impl_->db->run("DELETE FROM run WHERE id = ?", id);
    transaction.commit();
  }
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  if (failed) {
    throw Error::failed("the run was deleted, but its files were not: " + failed.message(),
                        folder.string(), "delete the folder by hand");
  }
}

void RunStore::setRunState(std::int64_t id, RunState state, const std::string& error) {
  Transaction transaction(*impl_->db);
  impl_->changeState(id, state, error);
  if (state == RunState::Running && impl_->workerOf(id).pid == 0) {
    impl_->setWorker(id, identify(::getpid()));
  }
  transaction.commit();
}

void RunStore::setRunEnvironment(std::int64_t id, const Json& environment,
                                 const std::string& device) {
  impl_->update(id, "UPDATE run SET environment = ?, device = ? WHERE id = ?", dump(environment),
                device);
}

void RunStore::setRunSummary(std::int64_t id, const Json& summary, const Json& timings) {
  impl_->update(id, "UPDATE run SET summary = ?, timings = ? WHERE id = ?", dump(summary),
                dump(timings));
}

void RunStore::setRunNote(std::int64_t id, const std::string& note) {
  impl_->update(id, "UPDATE run SET note = ? WHERE id = ?", note);
}

void RunStore::setRunName(std::int64_t id, const std::string& name) {
  impl_->update(id, "UPDATE run SET name = ? WHERE id = ?", name);
}

void RunStore::setRunPinned(std::int64_t id, bool pinned) {
  impl_->update(id, "UPDATE run SET pinned = ? WHERE id = ?", pinned);
}

}  // namespace bulwark
