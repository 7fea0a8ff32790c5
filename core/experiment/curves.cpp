#include "core/experiment/curves.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include "core/attacks/ball.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/text.h"
#include "core/detectors/declarations.h"
#include "core/detectors/detector_objective.h"
#include "core/detectors/score_set.h"
#include "core/experiment/curve_request.h"
#include "core/experiment/file_progress.h"
#include "core/experiment/source_models.h"
#include "core/experiment/thresholds.h"
#include "core/metrics/roc.h"
#include "core/nn/device.h"
#include "core/nn/safetensors.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

constexpr double kNever = std::numeric_limits<double>::infinity();
/// Points of a curve over propagations; a longer attack shows evenly growing numbers of steps.
constexpr std::int64_t kMostPoints = 100;
const std::vector<std::string> kAttackedSettings = {"in", "out", "in_out"};

std::vector<double> toVector(const torch::Tensor& values) {
  const auto flat = values.to(torch::kCPU, torch::kFloat64).contiguous();
  const auto* data = flat.data_ptr<double>();
  return {data, data + flat.numel()};
}

std::string fileOf(const std::vector<std::size_t>& numbers) {
  std::vector<std::string> parts;
  for (const auto number : numbers) parts.push_back(std::to_string(number));
  return join(parts, "-");
}

/// Times 0, 1, ..., `last`; where there are too many, growing by a constant factor.
std::vector<std::int64_t> timesToShow(std::int64_t last) {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i <= std::min(last, kMostPoints); ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(std::min(last, kMostPoints));
    const auto time = last <= kMostPoints
                          ? i
                          : std::lround(std::pow(static_cast<double>(last) + 1.0, share) - 1.0);
    if (times.empty() || time > times.back()) times.push_back(time);
  }
  return times;
}

/// A finished curve of one detector.
struct Finished {
  std::vector<CurveRecord> records;
  std::int64_t forwards = 0, backwards = 0;
};

void write(const Finished& curve, const fs::path& path) {
  Json json = Json::array();
  for (const auto& record : curve.records) {
    json.push_back({record.detector, record.attack, record.setting, record.out, record.kind,
                    record.x, record.y});
  }
  const Json whole = {
      {"forwards", curve.forwards}, {"backwards", curve.backwards}, {"records", json}};
  writeFileAtomically(path, whole.dump());
}

Finished read(const fs::path& path) {
  Finished curve;
  try {
    const Json whole = Json::parse(readFile(path));
    curve.forwards = whole.at("forwards");
    curve.backwards = whole.at("backwards");
    for (const auto& json : whole.at("records")) {
      curve.records.push_back({json.at(0), json.at(1), json.at(2), json.at(3), json.at(4),
                               json.at(5).get<std::vector<double>>(),
                               json.at(6).get<std::vector<double>>()});
    }
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("this is no stored curve: ") + error.what(), path.string(),
                          "remove the file; the curve is then evaluated again");
  }
  return curve;
}

}  // namespace

CurveEvaluator::CurveEvaluator(const Specification& specification, const Registries& registries,
                               const ExperimentData& data, const torch::Device& device, Seed seed,
                               Journal& journal, Task& task)
    : spec_(specification),
      registries_(registries),
      data_(data),
      device_(device),
      seed_(seed),
      journal_(journal),
      task_(task) {}

const NamedSet& CurveEvaluator::named(std::size_t set) const {
  return set == 0 ? data_.in : data_.outs[set - 1];
}

void CurveEvaluator::evaluate(const FittedDetector& detector, std::size_t position,
                              const ScoreTable& scores) {
  for (std::size_t c = 0; c < spec_.curves.size(); ++c) {
    const fs::path folder = journal_.folder() / "curves";
    const std::string file = fileOf({c, position});
    const fs::path done = folder / (file + ".json");
    Finished curve;
    if (fs::exists(done)) {
      curve = read(done);
    } else {
      fs::create_directories(folder / file);
      Job job = begin(spec_.curves[c], detector, scores);
      job.file = file;
      job.request->over == "epsilon" ? overEpsilon(job) : overEffort(job);
      for (auto& record : job.records) {
        if (!record.x.empty()) curve.records.push_back(std::move(record));
      }
      curve.forwards = job.forwards;
      curve.backwards = job.backwards;
      write(curve, done);
    }
    fs::remove_all(folder / file);
    curves_.insert(curves_.end(), curve.records.begin(), curve.records.end());
    forwards_ += curve.forwards;
    backwards_ += curve.backwards;
  }
}

CurveEvaluator::Job CurveEvaluator::begin(const CurveRequest& request,
                                          const FittedDetector& detector,
                                          const ScoreTable& scores) const {
  Job job;
  job.request = &request;
  job.detector = detector.detector.get();
  job.label = detector.label;
  const auto& settings = spec_.evaluation.settings;
  for (std::size_t set = 0; set <= data_.outs.size(); ++set) {
    job.clean.push_back(scores.at(detector.label, "", named(set).name, set > 0).scores);
    for (const auto& setting : kAttackedSettings) {
      if (set > 0) {
        job.records.push_back({detector.label,
                               request.attack,
                               setting,
                               named(set).name,
                               "auroc-" + request.over,
                               {},
                               {}});
      }
      if (std::find(settings.begin(), settings.end(), setting) == settings.end()) continue;
      job.attackIn = job.attackIn || setting != "out";
      job.attackOut = job.attackOut || setting != "in";
    }
  }
  return job;
}

std::unique_ptr<Attack> CurveEvaluator::make(const Job& job, std::size_t value) const {
  const auto& request = attackOf(*job.request, spec_);
  return registries_.attacks.make(request.type, optionsAt(*job.request, request, value), "curves");
}

/// Adds the AUROC of every evaluated setting to the curves of out set `set`; returns the least.
double CurveEvaluator::addPoint(Job& job, std::size_t set, double x, const std::vector<double>& in,
                                const std::vector<double>& out) const {
  double least = 1.0;
  for (std::size_t s = 0; s < kAttackedSettings.size(); ++s) {
    const std::string& setting = kAttackedSettings[s];
    const auto& wanted = spec_.evaluation.settings;
    if (std::find(wanted.begin(), wanted.end(), setting) == wanted.end()) continue;
    auto& record = job.records[(set - 1) * kAttackedSettings.size() + s];
    record.x.push_back(x);
    record.y.push_back(
        auroc(setting == "out" ? job.clean[0] : in, setting == "in" ? job.clean[set] : out));
    least = std::min(least, record.y.back());
  }
  return least;
}

void CurveEvaluator::overEpsilon(Job& job) {
  std::vector<AttackedSet> smaller(job.clean.size());
  std::vector<bool> active(job.clean.size(), true);
  const auto radii = numbersOf(*job.request);
  for (std::size_t value = 0; value < radii.size(); ++value) {
    const Picks end = [&](const AttackResult&) {
      return std::vector<std::pair<double, std::int64_t>>{{radii[value], -1}};
    };
    const auto scores = [&](std::size_t set) -> const std::vector<double>& {
      if (!(set == 0 ? job.attackIn : job.attackOut)) return job.clean[set];
      smaller[set] = attack(job, set, value, value > 0 ? &smaller[set] : nullptr, end);
      return smaller[set].scores[0];
    };
    if (std::none_of(active.begin() + 1, active.end(), [](bool one) { return one; })) return;
    const auto& in = scores(0);
    for (std::size_t set = 1; set < active.size(); ++set) {
      if (!active[set]) continue;
      active[set] = addPoint(job, set, radii[value], in, scores(set)) > job.request->until;
    }
  }
}

void CurveEvaluator::overEffort(Job& job) {
  const AttackedSet in = job.attackIn ? efforts(job, 0) : AttackedSet{};
  if (job.attackIn && in.x.empty()) return;
  for (std::size_t set = 1; set < job.clean.size(); ++set) {
    const AttackedSet out = job.attackOut ? efforts(job, set) : AttackedSet{};
    const auto& x = job.attackIn ? in.x : out.x;
    for (std::size_t k = 0; k < x.size(); ++k) {
      addPoint(job, set, x[k], job.attackIn ? in.scores[k] : job.clean[0],
               job.attackOut ? out.scores[k] : job.clean[set]);
    }
  }
}

/// A set at every value of steps or restarts, or along the propagations of one run. One run of the
/// largest value gives all of them where the attack allows it.
CurveEvaluator::AttackedSet CurveEvaluator::efforts(Job& job, std::size_t set) {
  if (job.request->over == "propagations") {
    AttackedSet found = attack(job, set, 0, nullptr, [&](const AttackResult& result) {
      std::vector<std::pair<double, std::int64_t>> picks;
      if (result.improvements.empty()) return picks;
      for (const auto time :
           timesToShow(static_cast<std::int64_t>(result.propagations.size()) - 1)) {
        picks.emplace_back(result.propagations[static_cast<std::size_t>(time)], time);
      }
      return picks;
    });
    if (found.x.empty()) {
      // The specification is refused where this is known beforehand.
      task_.log(LogLevel::Warning, "no curve over propagations: the attack '" +
                                       job.request->attack +
                                       "' does not record what it had found after each");
      return found;
    }
    found.x.insert(found.x.begin(), 0.0);
    found.scores.insert(found.scores.begin(), job.clean[set]);
    return found;
  }
  const auto values = numbersOf(*job.request);
  const bool steps = job.request->over == "steps";
  const std::size_t largest = values.size() - 1;
  const bool nested = steps && make(job, largest)->stepsAreNested();
  const auto allOf = [&](const AttackResult& result) {
    std::vector<std::pair<double, std::int64_t>> picks;
    const auto& ends = result.restartEnds;
    const bool whole = steps ? nested && !result.improvements.empty()
                             : static_cast<double>(ends.size()) == values[largest];
    for (const double value : values) {
      if (!whole && value != values[largest]) continue;
      const auto number = static_cast<std::int64_t>(value);
      const auto time = steps ? number : whole ? ends[static_cast<std::size_t>(number) - 1] : -1;
      picks.emplace_back(value, whole ? time : -1);
    }
    return picks;
  };
  AttackedSet last = attack(job, set, largest, nullptr, allOf);
  if (last.x.size() == values.size()) return last;
  AttackedSet found;
  for (std::size_t value = 0; value < largest; ++value) {
    const AttackedSet one = attack(job, set, value, nullptr, [&](const AttackResult&) {
      return std::vector<std::pair<double, std::int64_t>>{{values[value], -1}};
    });
    found.x.push_back(one.x[0]);
    found.scores.push_back(one.scores[0]);
  }
  found.x.push_back(last.x[0]);
  found.scores.push_back(last.scores[0]);
  return found;
}

/// What an earlier execution has put into the run's folder.
CurveEvaluator::AttackedSet CurveEvaluator::stored(const fs::path& path, std::int64_t size) const {
  const TensorFile file = TensorFile::load(path);
  AttackedSet found;
  found.x = toVector(file.require("x", {-1}, path.string()));
  const auto count = static_cast<std::int64_t>(found.x.size());
  const auto& scores = file.require("scores", {count, size}, path.string());
  for (std::int64_t k = 0; k < count; ++k) found.scores.push_back(toVector(scores[k]));
  if (file.tensors.count("images") > 0) found.images = file.tensors.at("images");
  const auto& passes = file.require("passes", {2}, path.string());
  found.forwards = passes[0].item<std::int64_t>();
  found.backwards = passes[1].item<std::int64_t>();
  return found;
}

void CurveEvaluator::keep(const AttackedSet& found, const fs::path& path) {
  TensorFile file;
  file.tensors["x"] = torch::tensor(found.x, torch::kFloat64);
  std::vector<torch::Tensor> rows;
  for (const auto& scores : found.scores) rows.push_back(torch::tensor(scores, torch::kFloat64));
  file.tensors["scores"] = torch::stack(rows);
  file.tensors["passes"] = torch::tensor({found.forwards, found.backwards}, torch::kInt64);
  if (found.images.defined()) file.tensors["images"] = found.images;
  file.save(path);
}

/// Takes the attacked set from the run's folder, or attacks it and puts it there.
CurveEvaluator::AttackedSet CurveEvaluator::attack(Job& job, std::size_t set, std::size_t value,
                                                   const AttackedSet* smaller, const Picks& picks) {
  const fs::path folder = journal_.folder() / "curves" / job.file;
  const std::string name = fileOf({value, set});
  const fs::path path = folder / (name + ".safetensors");
  AttackedSet found;
  if (fs::exists(path)) {
    found = stored(path, named(set).set->size());
  } else {
    found = attackAfresh(job, set, *make(job, value), name, smaller, picks);
    if (!found.scores.empty()) keep(found, path);
  }
  FileProgress(folder / name).discard();
  job.forwards += found.forwards;
  job.backwards += found.backwards;
  return found;
}

CurveEvaluator::AttackedSet CurveEvaluator::attackAfresh(const Job& job, std::size_t set,
                                                         const Attack& attack,
                                                         const std::string& file,
                                                         const AttackedSet* smaller,
                                                         const Picks& picks) {
  const NamedSet& target = named(set);
  const std::int64_t size = target.set->size();
  const bool out = set > 0;
  const double direction = out ? -1.0 : 1.0;
  task_.begin("curve over " + job.request->over + ": " + job.request->attack + " on " + job.label +
                  ": " + target.name + (out ? " (out)" : " (in)"),
              size, "images");
  const auto images = target.set->range(0, size);
  // S1: beyond every clean score of the other side the rank is final.
  double bound = kNever;
  // A random score gives no rank that could be final, and draws that were cut short do not come
  // back.
  const bool random = job.detector->traits().randomised;
  if (spec_.evaluation.rankSaturation && !random) {
    bound = -*std::min_element(job.clean[0].begin(), job.clean[0].end());
    if (!out) {
      for (std::size_t other = 1; other < job.clean.size(); ++other) {
        const double most = *std::max_element(job.clean[other].begin(), job.clean[other].end());
        bound = other == 1 ? most : std::max(bound, most);
      }
    }
  }
  FileProgress progress(journal_.folder() / "curves" / job.file / file,
                        FileProgress::Seconds(journal_.secondsWorthKeeping()));
  AttackContext context{
      .device = device_,
      .batchSize = spec_.evaluation.batchSize,
      .seed = seed_.child("attack").child(job.request->attack).child(target.name),
      .task = task_,
      .clean = torch::tensor(job.clean[set], torch::kFloat64) * direction,
      .saturation = bound,
  };
  if (!random) context.progress = &progress;
  AttackResources resources;
  if (sources_) {
    resources = sources_->resources(out ? torch::Tensor() : target.set->labels(), out ? -1 : 1);
    resources.ownLabels = target.set->labels();
    context.resources = &resources;
  }
  if (smaller) {
    context.warm = smaller->images;
    // What an attack is told as clean is the value it must exceed.
    const auto before = torch::tensor(smaller->scores[0], torch::kFloat64) * direction;
    context.clean = torch::maximum(context.clean, before);
  }
  context.thresholds = rankThresholds(job.clean, direction);
  reseed(*job.detector, seed_.child("draws").child(job.request->attack).child(target.name));
  DetectorObjective objective(*job.detector, direction);
  AttackResult result =
      withMemoryAdvice(device_, passSize(size, context.batchSize), "evaluation.batch_size",
                       [&] { return attack.perturb(objective, images, context); });
  task_.end();

  AttackedSet found;
  found.forwards = result.forwards;
  found.backwards = result.backwards;
  if (job.request->over == "epsilon") {
    found.images = result.images;
    if (smaller) {
      const auto better = result.values > context.clean;
      found.images = torch::where(perRow(better), result.images, smaller->images);
      result.values = torch::where(better, result.values, context.clean);
    }
  }
  if (random) {
    // The best of many draws is luck: what counts at the end is a fresh one, as in the results.
    const TensorImageSet attacked(target.name,
                                  found.images.defined() ? found.images : result.images,
                                  target.set->labels(), target.set->classNames());
    const auto again = withMemoryAdvice(
        device_, std::min(context.batchSize, size), "evaluation.batch_size",
        [&] { return scoreSet(*job.detector, attacked, device_, context.batchSize, task_); });
    result.values = again.to(torch::kFloat64) * direction;
  }
  const auto last = static_cast<std::int64_t>(result.trajectory.size()) - 1;
  for (const auto& [x, time] : picks(result)) {
    found.x.push_back(x);
    const bool end = time < 0 || (random && time >= last);
    auto values = end ? toVector(result.values) : valuesAt(result.improvements, time);
    for (double& value : values) value *= direction;
    found.scores.push_back(std::move(values));
  }
  return found;
}

}  // namespace bulwark
