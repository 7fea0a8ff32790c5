#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/generated.h"
#include "core/data/image_set.h"
#include "core/data/open_split.h"
#include "core/data/split.h"

namespace bulwark {
namespace {

/// What is to be loaded, before any pixel is read.
struct Opened {
  RawImages raw;
  Json origin;
  std::vector<std::int64_t> overlapKept = {};  // classes, when a set leaves some out
  bool undivided = false;                      // without training and test parts
};

Opened openGenerated(const DatasetInfo& info, const DatasetRequest& request,
                     const std::string& split, std::int64_t limit, Seed seed) {
  if (info.format == "evolved" || info.format == "crafted") {
    throw Error::badInput(
        "the images of '" + info.name + "' are made by a run, from its classifier", "dataset",
        "name it among the out sets of an experiment");
  }
  GeneratedRequest generated;
  generated.count = limit > 0 ? limit : 1000;
  generated.channels = request.channels > 0 ? request.channels : info.channels;
  generated.size = request.size > 0 ? request.size : info.width;
  generated.seed = seed.child("generated/" + info.name).child(split);
  Opened opened;
  if (info.name == "noise-uniform") {
    opened.raw = uniformNoise(generated);
  } else if (info.name == "noise-gaussian") {
    opened.raw = gaussianNoise(generated);
  } else {
    opened.raw = glyphs(generated);
  }
  opened.origin = {{"dataset", info.name},
                   {"generated", info.summary},
                   {"seed", generated.seed.value()},
                   {"split", split}};
  return opened;
}

Opened openFiles(const DatasetCatalogue& catalogue, const DatasetRequest& request,
                 const std::string& split, int mixedSize, Task& task) {
  Layout layout;
  int overlapFlag = -1;
  Json origin = Json::object();
  if (request.dataset.empty()) {
    layout = locateData(request.path, request.format);
    origin["path"] = request.path;
  } else {
    const DatasetInfo& info = catalogue.info(request.dataset);
    Found found = findSet(info, catalogue.folders());
    if (found.layout.splits.empty()) {
      const DatasetStatus status = catalogue.status(info.name);
      std::string problem = "the data set '" + info.name + "' is not installed";
      if (!status.problems.empty()) problem += " (" + join(status.problems, "; ") + ")";
      std::string hint = status.advice;  // sentences
      if (!hint.empty()) hint.replace(0, 1, lower(hint.substr(0, 1)));
      throw Error::badInput(problem, info.name, hint);
    }
    layout = std::move(found.layout);
    overlapFlag = info.overlapFlag;
    origin["dataset"] = info.name;
  }
  const SplitLayout& chosen = splitFor(layout, split, request.displayName());
  const FolderOptions options{.size = request.size, .fallbackSize = mixedSize};
  Opened opened{.raw = openSplit(layout, chosen, options, task), .origin = {}};
  opened.undivided = chosen.split.empty();
  if (layout.format == "folder" && request.size > 0) {
    origin["decoded_to"] = std::to_string(request.size) + " x " + std::to_string(request.size) +
                           ", " + ConversionRule().resize + ", aspect ratio not kept, 8 bits";
  }
  origin["format"] = layout.format;
  origin["split"] = chosen.split.empty() ? "all" : chosen.split;
  for (std::size_t k = 0; overlapFlag >= 0 && k < layout.overlapFlags.size(); ++k) {
    if (layout.overlapFlags[k] == overlapFlag) {
      opened.overlapKept.push_back(static_cast<std::int64_t>(k));
    }
  }
  if (overlapFlag >= 0 && opened.overlapKept.empty()) {
    throw Error::badInput("classes.txt does not flag any class as free of overlap",
                          request.displayName(), "put the flagged classes.txt beside the images");
  }
  opened.origin = std::move(origin);
  return opened;
}

std::int64_t classNumber(const std::string& word, const RawImages& raw, const std::string& where) {
  const auto name = std::find(raw.classNames.begin(), raw.classNames.end(), word);
  if (name != raw.classNames.end()) return name - raw.classNames.begin();
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc() && end == word.data() + word.size();
  if (whole && number >= 0 && number < static_cast<std::int64_t>(raw.classNames.size())) {
    return number;
  }
  const std::string typo = suggestion(word, raw.classNames);
  const std::string all = raw.classNames.empty()
                              ? "the images have no labels"
                              : "classes: " + join(raw.classNames, ", ").substr(0, 400);
  throw Error::badInput("there is no class '" + word + "'", where,
                        (typo.empty() ? "" : typo + " ") + all);
}

/// Keeps `classes` of the opened images: returns their ascending indices and renumbers labels.
torch::Tensor chooseClasses(Opened& opened, const DatasetRequest& request, Json& details) {
  std::vector<std::int64_t> numbers;
  for (const auto& word : request.classes) {
    const auto number = classNumber(word, opened.raw, request.displayName());
    if (std::find(numbers.begin(), numbers.end(), number) != numbers.end()) {
      throw Error::badInput("class '" + word + "' is named twice", request.displayName(),
                            "name every class once");
    }
    numbers.push_back(number);
  }
  if (numbers.empty()) numbers = opened.overlapKept;
  if (numbers.empty()) return torch::arange(opened.raw.count(), torch::kInt64);
  torch::Tensor renumbered = torch::full_like(opened.raw.labels, -1);
  std::vector<std::string> names;
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    const torch::Tensor mask = opened.raw.labels == numbers[k];
    names.push_back(opened.raw.classNames.at(static_cast<std::size_t>(numbers[k])));
    if (!mask.any().item<bool>()) {
      throw Error::badInput("this split has no image of class '" + names.back() + "'",
                            request.displayName(), "choose other classes");
    }
    renumbered.masked_fill_(mask, static_cast<std::int64_t>(k));
  }
  details["classes"] = {{"kept", names}, {"original_numbers", numbers}};
  opened.raw.labels = renumbered;
  opened.raw.classNames = std::move(names);
  return torch::nonzero(renumbered >= 0).flatten();
}

/// The part of undivided data that `role` gets under "split": "auto". The division is a property of
/// the data, the same for every run.
torch::Tensor chooseRole(const Opened& opened, const torch::Tensor& indices,
                         const std::string& role, Json& details) {
  const auto [train, test] =
      splitIndices(opened.raw.labels.index_select(0, indices), 0.2, Seed(0).child("auto split"));
  details["divided"] = "80 % of every class for training, 20 % for testing";
  return indices.index_select(0, role == "train" ? train : test);
}

std::shared_ptr<TensorImageSet> readPixels(const DatasetRequest& request, Opened& opened,
                                           const torch::Tensor& indices, Json details, Task& task) {
  task.begin("load " + request.displayName(), indices.size(0), "images");
  const torch::Tensor pixels = opened.raw.pixels(indices, task);
  task.end();
  const torch::Tensor labels = indices.size(0) == opened.raw.count()
                                   ? opened.raw.labels
                                   : opened.raw.labels.index_select(0, indices);
  return std::make_shared<TensorImageSet>(request.displayName(), pixels, labels,
                                          opened.raw.classNames, std::move(details));
}

}  // namespace

std::shared_ptr<ImageSet> loadWithMixedSizes(const DatasetCatalogue& catalogue,
                                             const DatasetRequest& request, const std::string& role,
                                             Seed seed, int mixedSize, Task& task) {
  const std::string where = request.displayName();
  if (role != "train" && role != "test") {
    throw Error::badInput("'" + role + "' is not a role", where, "expected train or test");
  }
  const bool automatic = request.split == "auto";
  const std::string split = request.split.empty() || automatic ? role : request.split;
  const std::int64_t limit = role == "train" ? request.trainLimit : request.testLimit;
  if (request.dataset.empty() == request.path.empty()) {
    throw Error::badInput("names no single source of data", where,
                          "give either \"dataset\" or \"path\"");
  }
  const bool generated = !request.dataset.empty() && catalogue.info(request.dataset).generated;
  Opened opened = generated
                      ? openGenerated(catalogue.info(request.dataset), request, split, limit, seed)
                      : openFiles(catalogue, request, split, mixedSize, task);
  Json details = {{"origin", opened.origin}, {"found", opened.raw.count()}};
  torch::Tensor indices = chooseClasses(opened, request, details);
  if (automatic && opened.undivided) indices = chooseRole(opened, indices, role, details);
  if (indices.size(0) == 0) {
    throw Error::badInput("no image is left", where, "check split and classes");
  }
  if (!generated && limit > 0 && limit < indices.size(0)) {
    details["subset"] = {
        {"count", limit}, {"of", indices.size(0)}, {"rule", subsetRule(request.subset)}};
    indices =
        indices.index_select(0, subsetIndices(opened.raw.labels.index_select(0, indices), limit,
                                              request.subset, seed.child("subset").child(split)));
  } else if (!generated && limit > indices.size(0)) {
    task.log(LogLevel::Warning, where + ": " + std::to_string(limit) + " images were asked for, " +
                                    std::to_string(indices.size(0)) + " are there");
  }
  std::shared_ptr<ImageSet> set = readPixels(request, opened, indices, std::move(details), task);
  ConversionRule rule{
      .shape = set->shape(), .redIsGrey = request.grey == "red", .invert = request.invert};
  if (request.channels > 0) rule.shape.channels = request.channels;
  if (request.size > 0) rule.shape.height = rule.shape.width = request.size;
  return convert(set, rule, task);
}

std::shared_ptr<ImageSet> loadDataset(const DatasetCatalogue& catalogue,
                                      const DatasetRequest& request, const std::string& role,
                                      Seed seed, Task& task) {
  return loadWithMixedSizes(catalogue, request, role, seed, 0, task);
}

}  // namespace bulwark
