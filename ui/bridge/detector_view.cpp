#include "ui/bridge/detector_view.h"

#include <QCoreApplication>

#include "core/metrics/precision_recall.h"
#include "core/metrics/roc.h"

namespace bulwark {

namespace {

QString text(const char* source) {
  return QCoreApplication::translate("DetectorView", source);
}

// Name of the in set whose scores the detector has.
std::string inSetOf(const RunStore& store, std::int64_t run) {
  for (const DatasetRecord& dataset : store.datasets(run)) {
    if (dataset.role == "in") return dataset.name;
  }
  return {};
}

struct FourSets {
  std::optional<ScoreSet> cleanIn, cleanOut, attackedIn, attackedOut;
};

FourSets loadSets(const RunStore& store, std::int64_t run, const std::string& detector,
                  const std::string& attack, const std::string& out) {
  const std::string in = inSetOf(store, run);
  FourSets sets;
  sets.cleanIn = store.scores(run, detector, {}, in, false);
  sets.cleanOut = store.scores(run, detector, {}, out, true);
  if (attack.empty()) return sets;
  sets.attackedIn = store.scores(run, detector, attack, in, false);
  sets.attackedOut = store.scores(run, detector, attack, out, true);
  return sets;
}

bool usable(const std::optional<ScoreSet>& set) {
  return set && !set->scores.empty();
}

ThresholdCurve rocOf(const QString& name, const ScoreSet& in, const ScoreSet& out) {
  const ScoreLevels levels = scoreLevels(in.scores, out.scores);
  RocCurve curve = rocCurve(levels);
  return {name, std::move(curve.fpr), std::move(curve.tpr), std::move(curve.thresholds),
          auroc(levels)};
}

ThresholdCurve prOf(const QString& name, const ScoreSet& in, const ScoreSet& out) {
  const ScoreLevels levels = scoreLevels(in.scores, out.scores);
  PrCurve curve = precisionRecallCurve(levels);
  return {name, std::move(curve.recall), std::move(curve.precision), std::move(curve.thresholds),
          averagePrecision(levels, Positive::Out)};
}

}  // namespace

DetectorView loadDetectorView(const RunStore& store, std::int64_t run, const std::string& detector,
                              const std::string& attack, const std::string& out) {
  DetectorView view;
  view.detector = detector;
  view.attack = attack;
  view.out = out;
  const FourSets sets = loadSets(store, run, detector, attack, out);
  const auto bars = [&](const std::optional<ScoreSet>& set, const QString& name, SortedScores& to) {
    if (!usable(set)) return;
    to = SortedScores(set->scores);
    view.histogram.append({name,
                           {QString::fromStdString(set->dataset), set->out},
                           !set->attack.empty(),
                           set->scores,
                           set->saturated});
  };
  bars(sets.cleanIn, text("in"), view.scores.cleanIn);
  bars(sets.cleanOut, text("out"), view.scores.cleanOut);
  bars(sets.attackedIn, text("in, attacked"), view.scores.attackedIn);
  bars(sets.attackedOut, text("out, attacked"), view.scores.attackedOut);
  for (const auto& set : {sets.attackedIn, sets.attackedOut}) {
    if (!usable(set) || set->trajectory.size() < 2) continue;
    TrendSeries path;
    path.name = QString::fromStdString(set->dataset);
    for (std::size_t step = 0; step < set->trajectory.size(); ++step) {
      path.x.append(double(step));
      path.y.append(set->trajectory[step]);
    }
    view.paths.append(path);
  }

  const auto curves = [&](const QString& name, const std::optional<ScoreSet>& in,
                          const std::optional<ScoreSet>& outSet) {
    if (!usable(in) || !usable(outSet)) return;
    view.roc.append(rocOf(name, *in, *outSet));
    view.pr.append(prOf(name, *in, *outSet));
  };
  curves(QStringLiteral("clean"), sets.cleanIn, sets.cleanOut);
  curves(QStringLiteral("in"), sets.attackedIn, sets.cleanOut);
  curves(QStringLiteral("out"), sets.cleanIn, sets.attackedOut);
  curves(QStringLiteral("in_out"), sets.attackedIn, sets.attackedOut);
  const double all = double(view.scores.cleanIn.size() + view.scores.cleanOut.size());
  if (all > 0) view.outShare = double(view.scores.cleanOut.size()) / all;
  return view;
}

std::vector<CurveRecord> loadTrends(const RunStore& store, std::int64_t run) {
  std::vector<CurveRecord> trends;
  for (CurveRecord& curve : store.curves(run)) {
    if (curve.kind.starts_with("auroc-")) trends.push_back(std::move(curve));
  }
  return trends;
}

ThresholdCurve loadRoc(const RunStore& store, std::int64_t run, const std::string& detector,
                       const std::string& attack, const std::string& setting,
                       const std::string& out) {
  const std::string in = inSetOf(store, run);
  const bool inAttacked = setting == "in" || setting == "in_out";
  const bool outAttacked = setting == "out" || setting == "in_out";
  const auto inScores = store.scores(run, detector, inAttacked ? attack : "", in, false);
  const auto outScores = store.scores(run, detector, outAttacked ? attack : "", out, true);
  if (!usable(inScores) || !usable(outScores)) return {};
  return rocOf({}, *inScores, *outScores);
}

namespace {

/// A text of an object; empty where it has none.
QString textOf(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? QString::fromStdString(found->get<std::string>())
             : QString();
}

/// The list of that name; an empty one where there is none.
Json listOf(const Json& object, const char* key) {
  const Json list = object.is_object() ? object.value(key, Json()) : Json();
  return list.is_array() ? list : Json::array();
}

}  // namespace

QString typeOfDetector(const Json& specification, const QString& label) {
  for (const Json& detector : listOf(specification, "detectors")) {
    if (!detector.is_object()) continue;
    const QString type = textOf(detector, "type"), name = textOf(detector, "label");
    if (label == (name.isEmpty() ? type : name)) return type;
  }
  return {};
}

std::optional<double> ownThreshold(const Json& summary, const QString& detector) {
  for (const Json& decision : listOf(summary, "own_decisions")) {
    if (!decision.is_object() || textOf(decision, "detector") != detector) continue;
    const Json threshold = decision.value("threshold", Json());
    if (threshold.is_number()) return threshold.get<double>();
  }
  return std::nullopt;
}

}  // namespace bulwark
