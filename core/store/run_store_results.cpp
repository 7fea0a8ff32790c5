#include "core/base/error.h"
#include "core/store/blob.h"
#include "core/store/run_store.h"
#include "core/store/store_impl.h"

namespace bulwark {
namespace {

const char* levelName(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warning:
      return "warning";
    case LogLevel::Error:
      return "error";
  }
  return "info";
}

}  // namespace

void RunStore::putDatasets(std::int64_t run, const std::vector<DatasetRecord>& datasets) {
  Transaction transaction(*impl_->db);
  impl_->requireRun(run);
  impl_->db->run("DELETE FROM dataset WHERE run = ?", run);
  Statement insert(*impl_->db,
                   "INSERT INTO dataset(run, role, name, count, fingerprint, details) "
                   "VALUES(?, ?, ?, ?, ?, ?)");
  for (const auto& set : datasets) {
    insert.bind(run, set.role, set.name, set.count, set.fingerprint, dump(set.details)).step();
  }
  transaction.commit();
}

std::vector<DatasetRecord> RunStore::datasets(std::int64_t run) const {
  Statement query(*impl_->db,
                  "SELECT role, name, count, fingerprint, details FROM dataset "
                  "WHERE run = ? ORDER BY id");
  query.bind(run);
  std::vector<DatasetRecord> found;
  while (query.step()) {
    found.push_back({query.text(0), query.text(1), query.integer(2), query.text(3),
                     impl_->parse(query.text(4))});
  }
  return found;
}

void RunStore::putEpochMetrics(std::int64_t run, const std::vector<EpochMetric>& metrics) {
  Transaction transaction(*impl_->db);
  impl_->requireRun(run);
  // A resumed training repeats the epochs after its checkpoint.
  Statement insert(*impl_->db,
                   "INSERT INTO epoch_metric(run, phase, epoch, name, value) VALUES(?, ?, ?, ?, ?) "
                   "ON CONFLICT(run, phase, epoch, name) DO UPDATE SET value = excluded.value");
  for (const auto& metric : metrics) {
    insert.bind(run, metric.phase, metric.epoch, metric.name, metric.value).step();
  }
  transaction.commit();
}

std::vector<EpochMetric> RunStore::epochMetrics(std::int64_t run) const {
  Statement query(*impl_->db,
                  "SELECT phase, epoch, name, value FROM epoch_metric WHERE run = ? ORDER BY id");
  query.bind(run);
  std::vector<EpochMetric> found;
  while (query.step()) {
    found.push_back({query.text(0), query.integer(1), query.text(2), query.real(3)});
  }
  return found;
}

void RunStore::putResults(std::int64_t run, const std::vector<ResultRow>& rows,
                          const std::vector<CurveRecord>& curves) {
  Transaction transaction(*impl_->db);
  impl_->requireRun(run);
  impl_->db->run("DELETE FROM result WHERE run = ?", run);
  impl_->db->run("DELETE FROM curve WHERE run = ?", run);
  Statement insert(*impl_->db,
                   "INSERT INTO result(run, detector, attack, setting, out, auroc, aupr_out, "
                   "aupr_in, fpr95_id, fpr95_ood, tnr95, detection_accuracy, n_in, n_out, ci_low, "
                   "ci_high, extra) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& row : rows) {
    insert
        .bind(run, row.detector, row.attack, row.setting, row.out, row.auroc, row.auprOut,
              row.auprIn, row.fpr95Id, row.fpr95Ood, row.tnr95, row.detectionAccuracy, row.nIn,
              row.nOut, row.ciLow, row.ciHigh, dump(row.extra))
        .step();
  }
  Statement insertCurve(*impl_->db,
                        "INSERT INTO curve(run, detector, attack, setting, out, kind, count, crc, "
                        "x, y) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& curve : curves) {
    if (curve.x.size() != curve.y.size()) {
      throw Error::failed("a " + curve.kind + " curve of " + curve.detector + " has " +
                          std::to_string(curve.x.size()) + " x and " +
                          std::to_string(curve.y.size()) + " y values");
    }
    std::string spareX, spareY;
    const BlobView x = encode(curve.x, spareX);
    const BlobView y = encode(curve.y, spareY);
    insertCurve
        .bind(run, curve.detector, curve.attack, curve.setting, curve.out, curve.kind,
              curve.x.size(), crc(crc(0, x), y), x, y)
        .step();
  }
  transaction.commit();
}

std::vector<ResultRow> RunStore::results(std::int64_t run) const {
  Statement query(*impl_->db,
                  "SELECT detector, attack, setting, out, auroc, aupr_out, aupr_in, fpr95_id, "
                  "fpr95_ood, tnr95, detection_accuracy, n_in, n_out, ci_low, ci_high, extra "
                  "FROM result WHERE run = ? ORDER BY id");
  query.bind(run);
  std::vector<ResultRow> found;
  while (query.step()) {
    ResultRow row;
    int column = 0;
    row.detector = query.text(column++);
    row.attack = query.text(column++);
    row.setting = query.text(column++);
    row.out = query.text(column++);
    row.auroc = query.real(column++);
    row.auprOut = query.real(column++);
    row.auprIn = query.real(column++);
    row.fpr95Id = query.real(column++);
    row.fpr95Ood = query.real(column++);
    row.tnr95 = query.real(column++);
    row.detectionAccuracy = query.real(column++);
    row.nIn = query.integer(column++);
    row.nOut = query.integer(column++);
    row.ciLow = query.real(column++);
    row.ciHigh = query.real(column++);
    row.extra = impl_->parse(query.text(column++));
    found.push_back(std::move(row));
  }
  return found;
}

std::vector<CurveRecord> RunStore::curves(std::int64_t run) const {
  Statement query(*impl_->db,
                  "SELECT detector, attack, setting, out, kind, count, crc, x, y FROM curve "
                  "WHERE run = ? ORDER BY id");
  query.bind(run);
  const std::string where = impl_->path.string();
  std::vector<CurveRecord> found;
  while (query.step()) {
    CurveRecord curve{
        query.text(0), query.text(1), query.text(2), query.text(3), query.text(4), {}, {}};
    const auto count = query.integer(5);
    if (crc(crc(0, query.blob(7)), query.blob(8)) != query.integer(6)) {
      throwDamaged("the checksum of a curve of run " + std::to_string(run) + " does not match",
                   where);
    }
    curve.x = decodeDoubles(query.blob(7), count, where);
    curve.y = decodeDoubles(query.blob(8), count, where);
    found.push_back(std::move(curve));
  }
  return found;
}

void RunStore::putArtefact(std::int64_t run, const ArtefactRecord& artefact) {
  Transaction transaction(*impl_->db);
  impl_->requireRun(run);
  impl_->db->run(
      "INSERT INTO artefact(run, kind, path, sha256, bytes) VALUES(?, ?, ?, ?, ?) "
      "ON CONFLICT(run, path) DO UPDATE SET kind = excluded.kind, sha256 = excluded.sha256, "
      "bytes = excluded.bytes",
      run, artefact.kind, artefact.path, artefact.sha256, artefact.bytes);
  transaction.commit();
}

std::vector<ArtefactRecord> RunStore::artefacts(std::int64_t run) const {
  Statement query(*impl_->db,
                  "SELECT kind, path, sha256, bytes FROM artefact WHERE run = ? ORDER BY id");
  query.bind(run);
  std::vector<ArtefactRecord> found;
  while (query.step()) {
    found.push_back({query.text(0), query.text(1), query.text(2), query.integer(3)});
  }
  return found;
}

void RunStore::putLog(std::int64_t run, LogLevel level, const std::string& text) {
  Transaction transaction(*impl_->db);
  impl_->requireRun(run);
  impl_->db->run("INSERT INTO log_line(run, time, level, text) VALUES(?, ?, ?, ?)", run, utcNow(),
                 levelName(level), text);
  transaction.commit();
}

std::vector<LogLine> RunStore::log(std::int64_t run, std::int64_t afterId) const {
  Statement query(*impl_->db,
                  "SELECT id, time, level, text FROM log_line WHERE run = ? AND id > ? "
                  "ORDER BY id");
  query.bind(run, afterId);
  std::vector<LogLine> found;
  while (query.step()) {
    found.push_back({query.integer(0), query.text(1), query.text(2), query.text(3)});
  }
  return found;
}

void RunStore::Impl::copyLog(std::int64_t run, Impl& target, std::int64_t targetRun) const {
  Statement query(*db, "SELECT time, level, text FROM log_line WHERE run = ? ORDER BY id");
  query.bind(run);
  while (query.step()) {
    target.db->run("INSERT INTO log_line(run, time, level, text) VALUES(?, ?, ?, ?)", targetRun,
                   query.text(0), query.text(1), query.text(2));
  }
}

}  // namespace bulwark
