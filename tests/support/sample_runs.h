#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/base/sha256.h"
#include "core/metrics/detection.h"
#include "core/metrics/roc.h"
#include "core/store/run_store.h"

/// Finished runs with invented but consistent content, for tests that need no engine: an attack
/// never improves a score for the detector, and every result follows from the stored scores.
namespace bulwark::samples {

struct Detector {
  std::string name;
  double separation;  ///< distance of out from in, in standard deviations
  double weakness;    ///< how far the attack moves a score, in standard deviations
};

inline std::vector<Detector> detectors() {
  return {{"msp", 1.2, 1.4}, {"energy", 1.5, 1.6}, {"mahalanobis", 2.2, 1.1}, {"knn", 1.8, 0.9}};
}

inline std::vector<std::string> outSets() {
  return {"glyphs", "noise-uniform"};
}

inline constexpr const char* kInSet = "fashion-mnist";
inline constexpr int kScores = 200, kPairs = 12, kSide = 28, kAttackSteps = 20;

/// The scale in which a detector's scores come; increasing, so ranks stay as they are.
inline double scaled(const std::string& detector, double z) {
  if (detector == "msp") return -1.0 + 0.9 / (1.0 + std::exp(-z));
  if (detector == "energy") return -8.0 + 2.0 * z;
  if (detector == "mahalanobis") return 40.0 * std::exp(0.4 * z);
  return 0.3 * std::exp(0.3 * z);
}

inline double meanOf(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

/// A soft ring for in images, bars for glyphs, noise for the rest; one value in [0, 1] per pixel.
inline std::vector<float> picture(const std::string& dataset, Random& random) {
  std::vector<float> pixels(kSide * kSide);
  const double radius = 5 + 5 * random.uniform();
  const int period = 3 + static_cast<int>(random.below(4));
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      double value = random.uniform();
      if (dataset == kInSet) {
        const double distance = std::hypot(x - kSide / 2.0, y - kSide / 2.0) - radius;
        value = std::exp(-distance * distance / 8) * (0.8 + 0.2 * value);
      } else if (dataset == "glyphs") {
        value = (x + y) % period == 0 ? 1.0 : 0.0;
      }
      pixels[static_cast<std::size_t>(y * kSide + x)] =
          static_cast<float>(std::round(value * 255) / 255);
    }
  }
  return pixels;
}

/// One image that the attack moved from `before` to `after`, with five of its steps.
inline ImagePair imagePair(const ScoreSet& set, std::int64_t sample, double before, double after,
                           Random& random) {
  ImagePair pair;
  pair.detector = set.detector;
  pair.attack = set.attack;
  pair.dataset = set.dataset;
  pair.out = set.out;
  pair.sample = sample;
  pair.label = set.out ? -1 : sample % 10;
  pair.channels = 1;
  pair.height = pair.width = kSide;
  pair.scoreBefore = before;
  pair.scoreAfter = after;
  pair.before = picture(set.dataset, random);
  std::vector<float> change;
  for (std::size_t i = 0; i < pair.before.size(); ++i) {
    change.push_back(random.below(2) ? 8.0F / 255 : -8.0F / 255);
  }
  const auto moved = [&](double share) {
    std::vector<float> image = pair.before;
    for (std::size_t i = 0; i < image.size(); ++i) {
      image[i] = std::clamp(image[i] + static_cast<float>(share) * change[i], 0.0F, 1.0F);
    }
    return image;
  };
  for (const int step : {1, 2, 5, 10, kAttackSteps}) {
    const double share = 1 - std::pow(1 - step / static_cast<double>(kAttackSteps), 2);
    const auto image = moved(share);
    pair.steps.insert(pair.steps.end(), image.begin(), image.end());
    pair.stepNumbers.push_back(step);
    pair.stepScores.push_back(before + share * (after - before));
  }
  pair.after = moved(1);
  return pair;
}

struct SetScores {
  ScoreSet clean, attacked;
};

/// Clean and attacked scores of one set; in images only go up, out images only go down.
inline SetScores drawScores(const Detector& detector, const std::string& dataset, bool out,
                            double separation, Random& random) {
  SetScores made;
  made.clean.detector = made.attacked.detector = detector.name;
  made.clean.dataset = made.attacked.dataset = dataset;
  made.clean.out = made.attacked.out = out;
  made.attacked.attack = "pgd";
  for (int i = 0; i < kScores; ++i) {
    const double z = random.normal() + (out ? separation : 0.0);
    const double shift = detector.weakness * (0.4 + 1.2 * random.uniform()) * (out ? -1 : 1);
    made.clean.scores.push_back(scaled(detector.name, z));
    made.attacked.scores.push_back(scaled(detector.name, z + shift));
    made.attacked.saturated.push_back(std::abs(shift) > 1.4 * detector.weakness);
  }
  const double from = meanOf(made.clean.scores), to = meanOf(made.attacked.scores);
  for (int step = 0; step <= kAttackSteps; ++step) {
    const double share = 1 - std::pow(1 - step / static_cast<double>(kAttackSteps), 2);
    made.attacked.trajectory.push_back(from + share * (to - from));
  }
  made.clean.forwards = kScores;
  made.clean.seconds = 0.05;
  made.attacked.forwards = kScores * (kAttackSteps + 1);
  made.attacked.backwards = kScores * kAttackSteps;
  made.attacked.seconds = 1.9;
  return made;
}

inline void addCell(const std::string& detector, const std::string& setting, const std::string& out,
                    const std::vector<double>& inScores, const std::vector<double>& outScores,
                    std::vector<ResultRow>& rows, std::vector<CurveRecord>& curves) {
  BootstrapOptions closedForm;
  closedForm.replicates = 0;
  const DetectionMetrics metrics = evaluate(inScores, outScores, closedForm);
  ResultRow row;
  row.detector = detector;
  row.attack = setting == "clean" ? "" : "pgd";
  row.setting = setting;
  row.out = out;
  row.auroc = metrics.auroc;
  row.auprOut = metrics.auprOut;
  row.auprIn = metrics.auprIn;
  row.fpr95Id = metrics.fpr95Id;
  row.fpr95Ood = metrics.fpr95Ood;
  row.tnr95 = metrics.tnr95;
  row.detectionAccuracy = metrics.detectionAccuracy;
  row.nIn = metrics.nIn;
  row.nOut = metrics.nOut;
  row.ciLow = metrics.ciLow;
  row.ciHigh = metrics.ciHigh;
  row.extra = {{"auroc_pessimistic", metrics.aurocPessimistic}, {"tie_share", metrics.tieShare}};
  rows.push_back(row);
  const RocCurve roc = rocCurve(inScores, outScores);
  curves.push_back({detector, row.attack, setting, out, "roc", roc.fpr, roc.tpr});
}

inline Json specification(const std::string& name, int seed) {
  Json spec;
  spec["name"] = name;
  spec["seed"] = seed;
  spec["device"] = "cpu";
  spec["data"]["in"] = {{"dataset", kInSet}, {"train_limit", 10000}, {"test_limit", kScores}};
  spec["data"]["out"] = Json::array();
  for (const auto& out : outSets()) {
    spec["data"]["out"].push_back({{"dataset", out}, {"test_limit", kScores}});
  }
  spec["data"]["protocol"] = {{"type", "multiclass"}};
  spec["classifier"] = {{"network", "lenet5"}, {"recipe", {{"type", "standard"}, {"epochs", 5}}}};
  spec["detectors"] = Json::array();
  for (const auto& detector : detectors()) spec["detectors"].push_back({{"type", detector.name}});
  spec["attacks"] = Json::array({{{"type", "pgd"}, {"eps", "8/255"}, {"steps", kAttackSteps}}});
  spec["evaluation"] = {{"settings", {"clean", "in", "out", "in_out"}}};
  return spec;
}

inline void addTraining(RunStore& store, std::int64_t run, Random& random) {
  std::vector<EpochMetric> metrics;
  for (int epoch = 1; epoch <= 5; ++epoch) {
    const double loss = 1.1 / epoch + 0.02 * random.uniform();
    metrics.push_back({"train", epoch, "loss", loss});
    metrics.push_back({"train", epoch, "accuracy", 1 - 0.3 * loss});
    metrics.push_back({"validation", epoch, "loss", loss + 0.08});
    metrics.push_back({"validation", epoch, "accuracy", 0.98 - 0.3 * loss});
    store.putLog(run, LogLevel::Info, "epoch " + std::to_string(epoch) + " of 5 finished");
  }
  store.putEpochMetrics(run, metrics);
}

/// A run that is Done, of four detectors under PGD against two out sets; returns its id. The same
/// seed gives the same content.
inline std::int64_t addSampleRun(RunStore& store, const std::string& name, int seed) {
  Random random(Seed(static_cast<std::uint64_t>(seed)).child("sample run"));
  const auto run =
      store.createRun(name, specification(name, seed), static_cast<std::uint64_t>(seed), "cpu");
  store.setRunState(run, RunState::Running);
  store.setRunEnvironment(
      run, {{"bulwark", "0.1.0"}, {"libtorch", "1.13.1"}, {"device", "cpu"}, {"threads", 2}},
      "cpu");
  std::vector<DatasetRecord> datasets;
  const auto addDataset = [&](const std::string& role, const std::string& set, int count) {
    datasets.push_back(
        {role,
         set,
         count,
         sha256(role + set + std::to_string(seed)),
         {{"split", role == "train" ? "train" : "test"}, {"shape", {1, kSide, kSide}}}});
  };
  addDataset("train", kInSet, 9000);
  addDataset("validation", kInSet, 1000);
  addDataset("in", kInSet, kScores);
  for (const auto& out : outSets()) addDataset("out", out, kScores);
  store.putDatasets(run, datasets);
  addTraining(store, run, random);

  std::vector<ResultRow> rows;
  std::vector<CurveRecord> curves;
  const auto put = [&](const SetScores& set) {
    store.putScores(run, set.clean, {});
    std::vector<ImagePair> pairs;
    for (int i = 0; i < kPairs; ++i) {
      const auto sample = static_cast<std::size_t>(i * (kScores / kPairs));
      pairs.push_back(imagePair(set.attacked, static_cast<std::int64_t>(sample),
                                set.clean.scores[sample], set.attacked.scores[sample], random));
    }
    store.putScores(run, set.attacked, pairs);
  };
  for (const auto& detector : detectors()) {
    const SetScores in = drawScores(detector, kInSet, false, 0, random);
    put(in);
    for (const auto& name : outSets()) {
      const double separation = detector.separation * (name == "glyphs" ? 1.0 : 1.4);
      const SetScores out = drawScores(detector, name, true, separation, random);
      put(out);
      const auto cell = [&](const char* setting, const ScoreSet& inSet, const ScoreSet& outSet) {
        addCell(detector.name, setting, name, inSet.scores, outSet.scores, rows, curves);
      };
      cell("clean", in.clean, out.clean);
      cell("in", in.attacked, out.clean);
      cell("out", in.clean, out.attacked);
      cell("in_out", in.attacked, out.attacked);
    }
    store.putLog(run, LogLevel::Info, "pgd on " + detector.name + " finished");
  }
  store.putResults(run, rows, curves);
  store.putLog(run, LogLevel::Warning, "invented figures: this run only exercises the window");
  store.setRunSummary(run,
                      {{"accuracy_clean", 0.88 + 0.02 * random.uniform()},
                       {"accuracy_attacked", {{"pgd", 0.05 + 0.05 * random.uniform()}}},
                       {"results", rows.size()}},
                      {{"train", 21.4}, {"fit", 2.5}, {"evaluate", 38.0}});
  store.setRunState(run, RunState::Done);
  return run;
}

}  // namespace bulwark::samples

namespace bulwark {
using samples::addSampleRun;
}
