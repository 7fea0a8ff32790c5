#include "core/base/error.h"
#include "core/store/blob.h"
#include "core/store/run_store.h"
#include "core/store/store_impl.h"

namespace bulwark {
namespace {

constexpr const char* kSelectScores =
    "SELECT detector, attack, dataset, out, count, forwards, backwards, seconds, crc, scores, "
    "saturated, trajectory FROM score_set WHERE run = ? ";

// Small columns first: a brief listing never reads the pages of the pixels.
constexpr const char* kSelectPairs =
    "SELECT image_pair.id, detector, attack, dataset, out, sample, label, channels, height, width, "
    "score_before, score_after, step_count, step_numbers, step_scores, before, after, steps "
    "FROM image_pair JOIN score_set ON score_set.id = image_pair.score_set ";

std::string nameOf(const ScoreSet& set) {
  return set.detector + (set.attack.empty() ? "" : " under " + set.attack) + " on " + set.dataset;
}

ScoreSet readScores(const Statement& query, const std::string& where) {
  ScoreSet set;
  set.detector = query.text(0);
  set.attack = query.text(1);
  set.dataset = query.text(2);
  set.out = query.integer(3) != 0;
  const auto count = query.integer(4);
  set.forwards = query.integer(5);
  set.backwards = query.integer(6);
  set.seconds = query.real(7);
  if (crc(crc(crc(0, query.blob(9)), query.blob(10)), query.blob(11)) != query.integer(8)) {
    throwDamaged("the checksum of the scores of " + nameOf(set) + " does not match", where);
  }
  set.scores = decodeDoubles(query.blob(9), count, where);
  set.saturated = decodeBytes(query.blob(10), query.blob(10).empty() ? 0 : count, where);
  const auto steps = static_cast<std::int64_t>(query.blob(11).size() / sizeof(double));
  set.trajectory = decodeDoubles(query.blob(11), steps, where);
  return set;
}

ImagePair readPair(const Statement& query, bool brief, const std::string& where) {
  ImagePair pair;
  int column = 0;
  pair.id = query.integer(column++);
  pair.detector = query.text(column++);
  pair.attack = query.text(column++);
  pair.dataset = query.text(column++);
  pair.out = query.integer(column++) != 0;
  pair.sample = query.integer(column++);
  pair.label = query.integer(column++);
  const auto channels = query.integer(column++);
  const auto height = query.integer(column++);
  const auto width = query.integer(column++);
  constexpr std::int64_t kMostPixels = 1 << 14;
  for (const auto size : {channels, height, width}) {
    if (size < 0 || size > kMostPixels) {
      throwDamaged("an image is " + std::to_string(size) + " pixels wide", where);
    }
  }
  pair.channels = static_cast<int>(channels);
  pair.height = static_cast<int>(height);
  pair.width = static_cast<int>(width);
  pair.scoreBefore = query.real(column++);
  pair.scoreAfter = query.real(column++);
  const auto steps = query.integer(column++);
  pair.stepNumbers = decodeIntegers(query.blob(column++), steps, where);
  pair.stepScores = decodeDoubles(query.blob(column++), steps, where);
  if (brief) return pair;
  const std::int64_t pixels = channels * height * width;
  pair.before = decompress(query.blob(column++), pixels, where);
  pair.after = decompress(query.blob(column++), pixels, where);
  pair.steps = decompress(query.blob(column++), pixels * steps, where);
  return pair;
}

void requireConsistent(const ScoreSet& set, const std::vector<ImagePair>& pairs) {
  if (!set.saturated.empty() && set.saturated.size() != set.scores.size()) {
    throw Error::failed("the scores of " + nameOf(set) + " have " +
                        std::to_string(set.scores.size()) + " values but " +
                        std::to_string(set.saturated.size()) + " marks of saturation");
  }
  for (const auto& pair : pairs) {
    const auto pixels = static_cast<std::size_t>(pair.channels) *
                        static_cast<std::size_t>(pair.height) *
                        static_cast<std::size_t>(pair.width);
    const std::size_t steps = pair.stepNumbers.size();
    const bool ours = pair.detector == set.detector && pair.attack == set.attack &&
                      pair.dataset == set.dataset && pair.out == set.out;
    if (!ours || pair.before.size() != pixels || pair.after.size() != pixels ||
        pair.stepScores.size() != steps || pair.steps.size() != pixels * steps) {
      throw Error::failed("image pair of sample " + std::to_string(pair.sample) +
                          " does not fit the scores of " + nameOf(set) +
                          ": another set, or sizes that contradict each other");
    }
  }
}

}  // namespace

void RunStore::putScores(std::int64_t run, const ScoreSet& scores,
                         const std::vector<ImagePair>& pairs) {
  requireConsistent(scores, pairs);
  Transaction transaction(*impl_->db);
  impl_->requireRun(run);
  auto& db = *impl_->db;
  db.run(
      "DELETE FROM score_set WHERE run = ? AND detector = ? AND attack = ? AND dataset = ? "
      "AND out = ?",
      run, scores.detector, scores.attack, scores.dataset, scores.out);
  std::string spares[3];
  const BlobView values = encode(scores.scores, spares[0]);
  const BlobView saturated = encode(scores.saturated, spares[1]);
  const BlobView trajectory = encode(scores.trajectory, spares[2]);
  db.run(
      "INSERT INTO score_set(run, detector, attack, dataset, out, count, forwards, backwards, "
      "seconds, crc, scores, saturated, trajectory) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      run, scores.detector, scores.attack, scores.dataset, scores.out, scores.scores.size(),
      scores.forwards, scores.backwards, scores.seconds,
      crc(crc(crc(0, values), saturated), trajectory), values, saturated, trajectory);
  const auto set = db.lastId();
  Statement insert(db,
                   "INSERT INTO image_pair(score_set, sample, label, channels, height, width, "
                   "score_before, score_after, step_count, step_numbers, step_scores, before, "
                   "after, steps) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& pair : pairs) {
    std::string spareNumbers, spareScores;
    const std::string before = compress(pair.before);
    const std::string after = compress(pair.after);
    const std::string steps = compress(pair.steps);
    insert
        .bind(set, pair.sample, pair.label, pair.channels, pair.height, pair.width,
              pair.scoreBefore, pair.scoreAfter, pair.stepNumbers.size(),
              encode(pair.stepNumbers, spareNumbers), encode(pair.stepScores, spareScores),
              BlobView{before.data(), before.size()}, BlobView{after.data(), after.size()},
              BlobView{steps.data(), steps.size()})
        .step();
    insert.reset();
  }
  transaction.commit();
}

std::optional<ScoreSet> RunStore::scores(std::int64_t run, const std::string& detector,
                                         const std::string& attack, const std::string& dataset,
                                         bool out) const {
  Statement query(*impl_->db, std::string(kSelectScores) +
                                  "AND detector = ? AND attack = ? AND dataset = ? AND out = ?");
  if (!query.bind(run, detector, attack, dataset, out).step()) return std::nullopt;
  return readScores(query, impl_->path.string());
}

std::vector<ScoreSet> RunStore::scoreSets(std::int64_t run) const {
  Statement query(*impl_->db, std::string(kSelectScores) + "ORDER BY id");
  query.bind(run);
  std::vector<ScoreSet> found;
  while (query.step()) found.push_back(readScores(query, impl_->path.string()));
  return found;
}

std::vector<ImagePair> RunStore::imagePairs(std::int64_t run, bool brief) const {
  Statement query(*impl_->db,
                  std::string(kSelectPairs) + "WHERE score_set.run = ? ORDER BY image_pair.id");
  query.bind(run);
  std::vector<ImagePair> found;
  while (query.step()) found.push_back(readPair(query, brief, impl_->path.string()));
  return found;
}

ImagePair RunStore::imagePair(std::int64_t id) const {
  Statement query(*impl_->db, std::string(kSelectPairs) + "WHERE image_pair.id = ?");
  if (!query.bind(id).step()) {
    throw Error::badInput("there is no image pair " + std::to_string(id), impl_->path.string());
  }
  return readPair(query, false, impl_->path.string());
}

void RunStore::Impl::copyScores(std::int64_t run, RunStore& target, std::int64_t targetRun) const {
  const std::string where = path.string();
  Statement sets(*db, std::string(kSelectScores) + "ORDER BY id");
  Statement query(*db, std::string(kSelectPairs) +
                           "WHERE score_set.run = ? AND detector = ? AND attack = ? AND "
                           "dataset = ? AND out = ? ORDER BY image_pair.id");
  sets.bind(run);
  while (sets.step()) {
    const ScoreSet set = readScores(sets, where);
    std::vector<ImagePair> pairs;
    query.bind(run, set.detector, set.attack, set.dataset, set.out);
    while (query.step()) pairs.push_back(readPair(query, false, where));
    target.putScores(targetRun, set, pairs);
  }
}

}  // namespace bulwark
