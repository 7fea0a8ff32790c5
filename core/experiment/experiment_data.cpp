#include "core/experiment/experiment_data.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_set>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/split.h"
#include "core/health/other_aim.h"

namespace bulwark {
namespace {

torch::Tensor toIndices(const std::vector<std::int64_t>& kept) {
  return torch::tensor(kept, torch::kInt64);
}

/// Drops the images of `set` whose pixels are in `forbidden`; counts them.
std::shared_ptr<ImageSet> without(const std::shared_ptr<ImageSet>& set,
                                  const std::unordered_set<std::uint64_t>& forbidden,
                                  std::int64_t& dropped, Task& task) {
  const auto hashes = set->imageHashes(task);
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    // Hash 0 stands for any single-colour image, which may be in every set.
    if (hashes[i] == 0 || !forbidden.contains(hashes[i]))
      kept.push_back(static_cast<std::int64_t>(i));
  }
  dropped = set->size() - static_cast<std::int64_t>(kept.size());
  if (dropped == 0) return set;
  return subset(set, toIndices(kept), std::to_string(dropped) + " images of another role left out");
}

std::vector<std::int64_t> knownClasses(const ProtocolRequest& protocol, std::int64_t classes,
                                       Seed seed) {
  std::vector<std::int64_t> known = protocol.known;
  if (known.empty()) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(classes));
    std::iota(all.begin(), all.end(), 0);
    Random random(seed.child("known classes"));
    random.shuffle(all);
    if (protocol.knownCount >= classes) {
      throw Error::badInput("all " + std::to_string(classes) + " classes would be known",
                            "data.protocol.known_count", "leave at least one unknown");
    }
    known.assign(all.begin(), all.begin() + protocol.knownCount);
    std::sort(known.begin(), known.end());
  }
  for (const auto name : known) {
    if (name < 0 || name >= classes) {
      throw Error::badInput("there is no class " + std::to_string(name), "data.protocol.known",
                            "the in set has classes 0 to " + std::to_string(classes - 1));
    }
  }
  if (static_cast<std::int64_t>(known.size()) >= classes) {
    throw Error::badInput("every class is known", "data.protocol.known",
                          "leave at least one unknown");
  }
  return known;
}

void requireImages(const std::shared_ptr<ImageSet>& set, const std::string& path) {
  if (set->size() == 0) {
    throw Error::badInput("the set '" + set->name() + "' is empty", path,
                          "check its classes and limits");
  }
}

void requireLabels(const ImageSet& set, const std::string& path) {
  if (set.labels().min().item<std::int64_t>() < 0) {
    throw Error::badInput("the set '" + set.name() + "' has no labels", path,
                          "a classifier needs them; add a labels file or class folders");
  }
}

std::int64_t classCount(const ImageSet& train, const ImageSet& test) {
  const auto largest =
      std::max(train.labels().max().item<std::int64_t>(), test.labels().max().item<std::int64_t>());
  return std::max<std::int64_t>(largest + 1, static_cast<std::int64_t>(train.classNames().size()));
}

/// A set beside the in set, in the shape of the experiment.
std::shared_ptr<ImageSet> loadBeside(DatasetRequest request, const std::string& split,
                                     const std::string& path, const DatasetCatalogue& catalogue,
                                     const ConversionRule& rule, Seed seed, Task& task) {
  // Generated sets are drawn in the shape of the experiment at once. A request names squares only:
  // for other shapes files keep their size until the one conversion below, and generated images
  // are drawn in the square around the shape.
  const bool generated = !request.dataset.empty() && catalogue.info(request.dataset).generated;
  const auto [channels, height, width] = rule.shape;
  if (request.channels == 0) request.channels = static_cast<int>(channels);
  if (request.size == 0 && (generated || height == width)) {
    request.size = static_cast<int>(std::max(height, width));
  }
  auto set = loadDataset(catalogue, request, split, seed, task);
  requireImages(set, path);
  if (generated && height != width && (set->labels() < 0).all().item<bool>()) {
    // Noise: every pixel is drawn by itself, so a part of it is what a resampled whole is not.
    const auto pixels = set->range(0, set->size()).narrow(2, 0, height).narrow(3, 0, width);
    set = std::make_shared<TensorImageSet>(set->name(), pixels, set->labels(), set->classNames(),
                                           set->details());
  }
  return convert(set, rule, task);
}

std::shared_ptr<ImageSet> loadOut(const Specification& spec, std::size_t index,
                                  const DatasetCatalogue& catalogue, const ConversionRule& rule,
                                  Seed seed, Task& task) {
  const DatasetRequest& request = spec.out[index];
  if (!request.dataset.empty() && request.optional &&
      !catalogue.status(request.dataset).installed) {
    task.log(LogLevel::Warning,
             "The optional out set '" + request.displayName() + "' is not installed and left out.");
    return nullptr;
  }
  return loadBeside(request, "test", "data.out[" + std::to_string(index) + "]", catalogue, rule,
                    seed.child(request.displayName()), task);
}

/// Takes the validation images out of `data.train`, and what the limit leaves out.
void splitValidation(const Specification& spec, Seed seed, Task& task, ExperimentData& data) {
  const auto whole = data.train;
  const auto& labels = whole->labels();
  std::pair<torch::Tensor, torch::Tensor> parts;
  if (spec.validationLimit > 0) {
    parts = splitCount(labels, spec.validationLimit, seed.child("validation"));
  } else if (spec.validationShare > 0) {
    parts = splitIndices(labels, spec.validationShare, seed.child("validation"));
  } else {
    return;
  }
  auto& [kept, held] = parts;
  if (held.numel() == 0) return;
  std::string note = "training part";
  const std::int64_t limit = spec.in.trainLimit;
  if (spec.validationLimit > 0 && limit > 0 && limit < kept.numel()) {
    kept = kept.index_select(0, subsetIndices(labels.index_select(0, kept), limit, spec.in.subset,
                                              seed.child("train limit")));
    note += ", " + std::to_string(limit) + " of it: " + subsetRule(spec.in.subset);
  }
  data.train = subset(whole, kept, note);
  data.validation = subset(whole, held, "validation part");
  // Copies of one image may have fallen on both sides.
  std::unordered_set<std::uint64_t> validationImages;
  for (const auto hash : data.validation->imageHashes(task)) validationImages.insert(hash);
  std::int64_t dropped = 0;
  data.train = without(data.train, validationImages, dropped, task);
}

/// The open set, without any image that the in set has (`inImages`) or that is tested on.
NamedSet loadOpen(const Specification& spec, const DatasetCatalogue& catalogue, Seed seed,
                  Task& task, const ExperimentData& data,
                  const std::unordered_set<std::uint64_t>& inImages) {
  NamedSet open{spec.open->displayName(), loadBeside(*spec.open, "train", "data.open", catalogue,
                                                     data.conversion, seed.child("open"), task)};
  const std::int64_t before = open.set->size();
  const auto leaveOut = [&](const std::unordered_set<std::uint64_t>& images,
                            const std::string& what) {
    std::int64_t dropped = 0;
    open.set = without(open.set, images, dropped, task);
    if (dropped > 0) {
      task.log(LogLevel::Warning, std::to_string(dropped) + " of the " + std::to_string(before) +
                                      " images of the open set '" + open.name + "' are also " +
                                      what + "; they are left out of it.");
    }
    if (open.set->size() == 0) {
      throw Error::badInput("every image of the open set '" + open.name + "' is also among " + what,
                            "data.open", "choose another set or disjoint classes");
    }
    return dropped;
  };
  leaveOut(inImages, "in images");
  for (const auto& out : data.outs) {
    const auto hashes = out.set->imageHashes(task);
    const auto shared =
        leaveOut({hashes.begin(), hashes.end()}, "test images of '" + out.name + "'");
    // So many are no accident: the two are of one source, and what is tested on is trained with.
    if (shared * 100 > std::min(before, out.set->size())) {
      throw Error::badInput("the open set '" + open.name + "' shares " + std::to_string(shared) +
                                " images with the out set '" + out.name + "'",
                            "data.open", "choose another set or disjoint classes");
    }
  }
  return open;
}

}  // namespace

bool isMadeLater(const DatasetRequest& request, const DatasetCatalogue& catalogue) {
  if (request.dataset.empty()) return false;
  const auto& format = catalogue.info(request.dataset).format;
  return format == kEvolvedFormat || format == kCraftedFormat;
}

ExperimentData loadExperimentData(const Specification& spec, const DatasetCatalogue& catalogue,
                                  Seed seed, Task& task) {
  task.begin("load data", 0, "sets");
  ExperimentData data;
  DatasetRequest trainRequest = spec.in;
  if (spec.validationLimit > 0) {
    // The limit takes from what validation leaves; images that are made are made for both.
    const bool generated = !spec.in.dataset.empty() && catalogue.info(spec.in.dataset).generated;
    const std::int64_t limit = spec.in.trainLimit;
    trainRequest.trainLimit = generated && limit > 0 ? limit + spec.validationLimit : 0;
  }
  auto train = loadDataset(catalogue, trainRequest, "train", seed.child("train"), task);
  auto test = loadDataset(catalogue, spec.in, "test", seed.child("test"), task);
  requireImages(train, "data.in");
  requireImages(test, "data.in");
  requireLabels(*train, "data.in");

  data.conversion.shape = train->shape();
  if (spec.in.channels > 0) data.conversion.shape.channels = spec.in.channels;
  if (spec.in.size > 0) {
    data.conversion.shape.height = spec.in.size;
    data.conversion.shape.width = spec.in.size;
  }
  train = convert(train, data.conversion, task);
  test = convert(test, data.conversion, task);
  data.classes = classCount(*train, *test);

  if (spec.protocol.type == "open-split") {
    const auto known = knownClasses(spec.protocol, data.classes, seed);
    // Only classes that have test images: a small limit may leave some without any.
    std::set<std::int64_t> present;
    const auto* label = test->labels().data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < test->size(); ++i) present.insert(label[i]);
    std::vector<std::int64_t> unknown;
    for (const auto name : present) {
      if (std::find(known.begin(), known.end(), name) == known.end()) unknown.push_back(name);
    }
    if (unknown.empty()) {
      throw Error::badInput("no test image is of an unknown class", "data.protocol.known",
                            "raise the in set's test_limit or know fewer classes");
    }
    data.outs.push_back({kUnknownClasses, keepClasses(test, unknown)});
    requireImages(data.outs.back().set, "data.protocol");
    train = keepClasses(train, known);
    test = keepClasses(test, known);
    requireImages(train, "data.protocol");
    requireImages(test, "data.protocol");
    data.classes = static_cast<std::int64_t>(known.size());
  }
  bool later = false;
  for (std::size_t i = 0; i < spec.out.size(); ++i) {
    const auto& request = spec.out[i];
    if (isMadeLater(request, catalogue)) {
      if (spec.network.type.empty()) {
        throw Error::badInput("'" + request.dataset + "' is made against a classifier",
                              "data.out[" + std::to_string(i) + "]",
                              "name a network under classifier, or leave the set out");
      }
      later = true;
      task.advance();
      continue;
    }
    auto set = loadOut(spec, i, catalogue, data.conversion, seed, task);
    if (set) data.outs.push_back({spec.out[i].displayName(), std::move(set)});
    task.advance();
  }
  if (data.outs.empty() && !later) {
    throw Error::badInput("no out set is installed", "data.out",
                          "see 'bulwark-cli data where' for what to put where");
  }

  // Roles may not overlap: test images are taken out of training, in images out of the out sets.
  const auto testHashes = test->imageHashes(task);
  const std::unordered_set<std::uint64_t> testImages(testHashes.begin(), testHashes.end());
  std::int64_t dropped = 0;
  train = without(train, testImages, dropped, task);
  if (dropped > 0) {
    task.log(LogLevel::Warning, std::to_string(dropped) +
                                    " training images are also test images; they are left out "
                                    "of training.");
  }
  if (train->size() == 0) {
    throw Error::badInput("every training image of '" + train->name() + "' is also a test image",
                          "data.in",
                          "\"split\": \"auto\" divides data without training and test parts");
  }
  auto inImages = testImages;
  for (const auto hash : train->imageHashes(task)) inImages.insert(hash);
  for (auto& out : data.outs) {
    const std::int64_t before = out.set->size();
    out.set = without(out.set, inImages, dropped, task);
    if (dropped * 100 > before) {
      throw Error::badInput("the out set '" + out.name + "' shares " + std::to_string(dropped) +
                                " of its " + std::to_string(before) + " images with the in set",
                            "data.out", "choose another set or disjoint classes");
    }
    if (dropped > 0) {
      task.log(LogLevel::Warning, std::to_string(dropped) + " images of the out set '" + out.name +
                                      "' are also in images; they are left out.");
    }
  }

  if (spec.open) data.open = loadOpen(spec, catalogue, seed, task, data, inImages);
  data.train = train;
  splitValidation(spec, seed, task, data);
  data.in = {spec.in.displayName(), test};
  task.end();
  return data;
}

void requireOwnLabels(const Specification& spec, const ExperimentData& data) {
  for (std::size_t i = 0; i < spec.attacks.size(); ++i) {
    const auto& [type, label, options] = spec.attacks[i];
    if (!followsCost(type, options) || options.value("out_label", Json()) != "own") continue;
    for (const auto& out : data.outs) {
      const auto& labels = out.set->labels();
      const bool known =
          labels.ge(0).all().item<bool>() && labels.lt(data.classes).all().item<bool>();
      if (known) continue;
      throw Error::badInput("the images of '" + out.name +
                                "' have no labels that are classes of '" + data.in.name + "'",
                            "attacks[" + std::to_string(i) + "].out_label",
                            "set it to 'predicted', or leave the set out");
    }
  }
}

std::vector<DatasetRecord> describe(const ExperimentData& data, Task& task) {
  std::vector<DatasetRecord> records;
  const auto add = [&](const std::string& role, const std::string& name, const ImageSet& set) {
    DatasetRecord record{role, name, set.size(), set.fingerprint(task), set.details()};
    const auto shape = set.shape();
    record.details["shape"] = {shape.channels, shape.height, shape.width};
    record.details["resize_rule"] = data.conversion.resize;
    records.push_back(std::move(record));
  };
  add("train", data.in.name, *data.train);
  if (data.validation) add("validation", data.in.name, *data.validation);
  if (data.open.set) add("open", data.open.name, *data.open.set);
  add("in", data.in.name, *data.in.set);
  for (const auto& out : data.outs) add("out", out.name, *out.set);
  return records;
}

}  // namespace bulwark
