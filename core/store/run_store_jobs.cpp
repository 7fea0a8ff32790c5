#include "core/base/error.h"
#include "core/store/blob.h"
#include "core/store/run_store.h"
#include "core/store/store_impl.h"

namespace bulwark {
namespace {

constexpr double kHeartbeatSeconds = 60;

// The state of a job is the state of its run: there is one truth.
constexpr const char* kSelectJob =
    "SELECT job.id, job.run, run.name, run.state, job.queued, job.started, run.finished, "
    "job.heartbeat, run.worker_pid, job.attempt, job.threads, job.device, job.phase, job.unit, "
    "job.done, job.total, job.rate, job.seconds_left, run.error, job.request "
    "FROM job JOIN run ON run.id = job.run ";

}  // namespace

JobRecord RunStore::Impl::readJob(const Statement& query) const {
  JobRecord job;
  int column = 0;
  job.id = query.integer(column++);
  job.run = query.integer(column++);
  job.name = query.text(column++);
  job.state = parseState(query.text(column++));
  job.queued = query.text(column++);
  job.started = query.text(column++);
  job.finished = query.text(column++);
  job.heartbeat = query.text(column++);
  job.pid = query.integer(column++);
  job.attempt = static_cast<int>(query.integer(column++));
  job.threads = static_cast<int>(query.integer(column++));
  job.device = query.text(column++);
  job.phase = query.text(column++);
  job.unit = query.text(column++);
  job.done = query.integer(column++);
  job.total = query.integer(column++);
  job.rate = query.real(column++);
  job.secondsLeft = query.optionalReal(column++);
  job.error = query.text(column++);
  job.request = query.text(column++);
  return job;
}

void RunStore::Impl::throwNoJob(std::int64_t job) const {
  throw Error::badInput("there is no job " + std::to_string(job), path.string(),
                        "'bulwark-cli queue list' shows all jobs");
}

std::int64_t RunStore::Impl::runOfJob(std::int64_t job) const {
  Statement query(*db, "SELECT run FROM job WHERE id = ?");
  if (!query.bind(job).step()) throwNoJob(job);
  return query.integer(0);
}

WorkerIdentity RunStore::Impl::workerOf(std::int64_t run) const {
  Statement query(*db, "SELECT worker_pid, worker_start, worker_host FROM run WHERE id = ?");
  if (!query.bind(run).step()) throwNoRun(run);
  return {query.integer(0), query.text(1), query.text(2)};
}

bool RunStore::Impl::hasLivingWorker(std::int64_t run) const {
  const RunState state = stateOf(run);
  if (state != RunState::Running && state != RunState::Paused) return false;
  const WorkerIdentity worker = workerOf(run);
  if (worker.host.empty() || worker.host == hostName()) return isAlive(worker);
  Statement query(*db, "SELECT heartbeat FROM job WHERE run = ?");
  // A run without a job sends no heartbeat: its own host alone can tell.
  if (!query.bind(run).step()) return true;
  return query.text(0) >= utcBefore(kHeartbeatSeconds);
}

std::int64_t RunStore::enqueue(const std::string& name, const Json& specification,
                               std::uint64_t seed, const std::string& device, int threads) {
  Transaction transaction(*impl_->db);
  const auto run = impl_->insertRun(name, specification, seed, device);
  impl_->db->run("INSERT INTO job(run, queued, threads, device) VALUES(?, ?, ?, ?)", run, utcNow(),
                 threads, device);
  const auto job = impl_->db->lastId();
  transaction.commit();
  return job;
}

JobRecord RunStore::job(std::int64_t id) const {
  Statement query(*impl_->db, std::string(kSelectJob) + "WHERE job.id = ?");
  if (!query.bind(id).step()) impl_->throwNoJob(id);
  return impl_->readJob(query);
}

std::vector<JobRecord> RunStore::jobs() const {
  Statement query(*impl_->db, std::string(kSelectJob) + "ORDER BY job.id DESC");
  std::vector<JobRecord> found;
  while (query.step()) found.push_back(impl_->readJob(query));
  return found;
}

std::optional<JobRecord> RunStore::jobOfRun(std::int64_t run) const {
  Statement query(*impl_->db, std::string(kSelectJob) + "WHERE job.run = ?");
  if (!query.bind(run).step()) return std::nullopt;
  return impl_->readJob(query);
}

std::optional<JobRecord> RunStore::nextJob() const {
  Statement active(*impl_->db,
                   "SELECT job.run FROM job JOIN run ON run.id = job.run "
                   "WHERE run.state IN ('running', 'paused')");
  while (active.step()) {
    if (impl_->hasLivingWorker(active.integer(0))) return std::nullopt;
  }
  Statement query(*impl_->db, std::string(kSelectJob) +
                                  "WHERE run.state = 'queued' ORDER BY job.queued, job.id LIMIT 1");
  if (!query.step()) return std::nullopt;
  return impl_->readJob(query);
}

void RunStore::claimJob(std::int64_t id, std::int64_t pid) {
  const WorkerIdentity worker = identify(pid);
  Transaction transaction(*impl_->db);
  const auto run = impl_->runOfJob(id);
  const RunState state = impl_->stateOf(run);
  if (state == RunState::Running || state == RunState::Paused) {
    if (impl_->hasLivingWorker(run)) {
      throw Error::failed("job " + std::to_string(id) + " is being worked on by process " +
                              std::to_string(impl_->workerOf(run).pid),
                          impl_->path.string(), "wait for it, or cancel it first");
    }
    impl_->changeState(run, RunState::Interrupted, {});
  }
  impl_->changeState(run, RunState::Running, {});
  impl_->setWorker(run, worker);
  const std::string now = utcNow();
  impl_->db->run(
      "UPDATE job SET attempt = attempt + 1, started = ?, heartbeat = ?, request = '', phase = '', "
      "unit = '', done = 0, total = 0, rate = 0, seconds_left = NULL WHERE id = ?",
      now, now, id);
  transaction.commit();
}

std::string RunStore::reportJob(std::int64_t id, const ProgressUpdate& progress) {
  Transaction transaction(*impl_->db);
  const auto run = impl_->runOfJob(id);
  impl_->db->run(
      "UPDATE job SET phase = ?, unit = ?, done = ?, total = ?, rate = ?, seconds_left = ?, "
      "heartbeat = ? WHERE id = ?",
      progress.phase, progress.unit, progress.done, progress.total, progress.rate,
      progress.secondsLeft, utcNow(), id);
  Statement query(*impl_->db, "SELECT request FROM job WHERE id = ?");
  query.bind(id).step();
  std::string request = query.text(0);
  query.reset();
  impl_->db->run("UPDATE job SET request = '' WHERE id = ? AND request IN ('pause', 'resume')", id);
  // Somebody has taken the job away, for instance after a long standstill: this worker must stop.
  if (isFinal(impl_->stateOf(run))) request = "cancel";
  transaction.commit();
  return request;
}

void RunStore::setJobState(std::int64_t id, RunState state, const std::string& error) {
  setRunState(impl_->runOfJob(id), state, error);
}

void RunStore::requestJob(std::int64_t id, const std::string& request) {
  if (request != "cancel" && request != "pause" && request != "resume") {
    throw Error::badInput("'" + request + "' cannot be asked of a job", {},
                          "expected cancel, pause or resume");
  }
  Transaction transaction(*impl_->db);
  const auto run = impl_->runOfJob(id);
  const RunState state = impl_->stateOf(run);
  const bool cancel = request == "cancel";
  if (impl_->hasLivingWorker(run)) {
    // A cancel is never overtaken by a later pause or resume.
    impl_->db->run("UPDATE job SET request = ? WHERE id = ? AND (request <> 'cancel' OR ?)",
                   request, id, cancel);
  } else if (cancel && canChange(state, RunState::Cancelled)) {
    impl_->changeState(run, RunState::Cancelled, {});
  } else if (!(cancel && state == RunState::Cancelled)) {
    throw Error::badInput(
        "job " + std::to_string(id) + " is " + toString(state) + "; it cannot " + request,
        impl_->path.string(), "only a running job takes requests; a queued one can be cancelled");
  }
  transaction.commit();
}

void RunStore::retryJob(std::int64_t id) {
  Transaction transaction(*impl_->db);
  const auto run = impl_->runOfJob(id);
  const RunState state = impl_->stateOf(run);
  if (state == RunState::Queued) return;
  if ((state == RunState::Running || state == RunState::Paused) && !impl_->hasLivingWorker(run)) {
    impl_->changeState(run, RunState::Interrupted, {});
  } else if (!canChange(state, RunState::Queued)) {
    throw Error::badInput("job " + std::to_string(id) + " is " + toString(state),
                          impl_->path.string(),
                          "only a failed, cancelled or interrupted job can be retried");
  }
  impl_->changeState(run, RunState::Queued, {});
  impl_->db->run("UPDATE job SET queued = ?, request = '' WHERE id = ?", utcNow(), id);
  transaction.commit();
}

int RunStore::markInterrupted(Workers workers, std::int64_t except) {
  const auto isDead = [&](std::int64_t run) {
    const RunState state = impl_->stateOf(run);
    if (state != RunState::Running && state != RunState::Paused) return false;
    const std::string host = impl_->workerOf(run).host;
    const bool elsewhere = !host.empty() && host != hostName();
    if (elsewhere && workers == Workers::OfThisHost) return false;
    return !impl_->hasLivingWorker(run);
  };
  std::vector<std::int64_t> active, dead;
  {
    Statement query(*impl_->db, "SELECT id FROM run WHERE state IN ('running', 'paused')");
    while (query.step()) active.push_back(query.integer(0));
  }
  std::copy_if(active.begin(), active.end(), std::back_inserter(dead),
               [&](std::int64_t run) { return run != except && isDead(run); });
  if (dead.empty()) return 0;  // the usual case takes no lock
  Transaction transaction(*impl_->db);
  int count = 0;
  for (const auto run : dead) {
    if (!isDead(run)) continue;  // another program was quicker
    impl_->changeState(run, RunState::Interrupted, "its worker ended without a word");
    ++count;
  }
  transaction.commit();
  return count;
}

}  // namespace bulwark
