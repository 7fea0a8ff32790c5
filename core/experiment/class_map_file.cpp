#include "core/experiment/class_map_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/nn/safetensors.h"
#include "core/nn/tensor_vectors.h"

namespace bulwark {
namespace {

constexpr const char* kAbout = "class_map";
constexpr const char* kRemedy = "remove the file and retry the run, which then records it again";

void readAbout(const Json& about, ClassMap& map) {
  map.detector = about.at("detector");
  map.classNames = about.at("class_names").get<std::vector<std::string>>();
  map.neighbours = about.at("neighbours");
  map.minDist = about.at("min_dist");
  for (const auto& set : about.at("sets")) map.sets.push_back({set.at("role"), set.at("name")});
  for (const auto& part : about.at("parts")) map.parts.push_back({part.at("name"), part.at("tap")});
}

void readSamples(const TensorFile& file, const std::string& where, ClassMap& map) {
  const auto read = [&](const char* name) {
    return valuesOf<std::int64_t>(file, name, {-1}, where, kRemedy);
  };
  const auto sets = read("sample.set");
  const auto count = static_cast<std::int64_t>(sets.size());
  const auto column = [&](const char* name) {
    return valuesOf<std::int64_t>(file, name, {count}, where, kRemedy);
  };
  const auto indices = column("sample.index"), predicted = column("sample.predicted"),
             labels = column("sample.label");
  const auto scores = valuesOf<double>(file, "sample.score", {count}, where, kRemedy);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    if (sets[i] < 0 || sets[i] >= static_cast<std::int64_t>(map.sets.size())) {
      throw Error::badInput("a sample of the class map belongs to none of its sets", where,
                            kRemedy);
    }
    if (predicted[i] < 0) {
      throw Error::badInput("a sample of the class map is predicted as no class", where, kRemedy);
    }
    map.samples.push_back(
        {static_cast<std::size_t>(sets[i]), indices[i], predicted[i], labels[i], scores[i]});
  }
  map.normality =
      valuesOf<double>(file, "sample.normality",
                       {count, static_cast<std::int64_t>(map.parts.size())}, where, kRemedy);
}

void checkLayout(const ClassMap& map, const ClassMap::Layout& layout, const std::string& where) {
  const auto refuse = [&](const std::string& problem) {
    throw Error::badInput("a layout of the class map " + problem, where, kRemedy);
  };
  if (layout.part >= map.parts.size()) refuse("belongs to none of its parts");
  if (layout.predicted < ClassMap::pooled) refuse("belongs to no class");
  for (std::size_t i = 0; i < layout.samples.size(); ++i) {
    const std::size_t sample = layout.samples[i];
    if (sample >= map.samples.size() || (i > 0 && sample <= layout.samples[i - 1])) {
      refuse("names samples that are not there, or not in their order");
    }
    if (layout.predicted != ClassMap::pooled && map.samples[sample].predicted != layout.predicted) {
      refuse("holds a sample that is predicted as another class");
    }
    if (!std::isfinite(layout.x[i]) || !std::isfinite(layout.y[i])) {
      refuse("has positions that are not finite");
    }
  }
}

void readLayouts(const TensorFile& file, const std::string& where, ClassMap& map) {
  const auto parts = valuesOf<std::int64_t>(file, "layout.part", {-1}, where, kRemedy);
  const auto count = static_cast<std::int64_t>(parts.size());
  const auto predicted = valuesOf<std::int64_t>(file, "layout.predicted", {count}, where, kRemedy);
  const auto sizes = valuesOf<std::int64_t>(file, "layout.size", {count}, where, kRemedy);
  const auto trust = valuesOf<double>(file, "layout.trustworthiness", {count}, where, kRemedy);
  const auto points = valuesOf<std::int64_t>(file, "layout.sample", {-1}, where, kRemedy);
  const auto total = static_cast<std::int64_t>(points.size());
  const auto x = valuesOf<float>(file, "layout.x", {total}, where, kRemedy);
  const auto y = valuesOf<float>(file, "layout.y", {total}, where, kRemedy);
  std::size_t at = 0;
  for (std::size_t l = 0; l < parts.size(); ++l) {
    if (sizes[l] < 0 || static_cast<std::size_t>(sizes[l]) > points.size() - at) {
      throw Error::badInput("the layouts of the class map have more points than there are", where,
                            kRemedy);
    }
    ClassMap::Layout layout;
    layout.part = static_cast<std::size_t>(parts[l]);
    layout.predicted = predicted[l];
    layout.trustworthiness = trust[l];
    for (const std::size_t end = at + static_cast<std::size_t>(sizes[l]); at < end; ++at) {
      layout.samples.push_back(static_cast<std::size_t>(points[at]));
      layout.x.push_back(x[at]);
      layout.y.push_back(y[at]);
    }
    checkLayout(map, layout, where);
    map.layouts.push_back(std::move(layout));
  }
}

void readPictures(const TensorFile& file, const std::string& where, ClassMap& map) {
  if (!file.tensors.contains("pixels")) return;
  const auto count = static_cast<std::int64_t>(map.samples.size());
  const auto shape = file.require("pixels", {count, -1, -1, -1}, where).sizes().vec();
  if (*std::max_element(shape.begin() + 1, shape.end()) > 1'000'000 ||
      *std::min_element(shape.begin() + 1, shape.end()) < 1) {
    throw Error::badInput("the class map's pictures have no sizes of pictures", where, kRemedy);
  }
  map.channels = static_cast<int>(shape[1]);
  map.height = static_cast<int>(shape[2]);
  map.width = static_cast<int>(shape[3]);
  map.pixels = valuesOf<std::uint8_t>(file, "pixels", shape, where, kRemedy);
}

}  // namespace

bool ClassMap::Layout::operator==(const Layout& other) const {
  const bool sameTrust = trustworthiness == other.trustworthiness ||
                         (std::isnan(trustworthiness) && std::isnan(other.trustworthiness));
  return part == other.part && predicted == other.predicted && samples == other.samples &&
         x == other.x && y == other.y && sameTrust;
}

const ClassMap::Layout* ClassMap::layout(std::size_t part, std::int64_t predicted) const {
  const auto found = std::find_if(layouts.begin(), layouts.end(), [&](const Layout& one) {
    return one.part == part && one.predicted == predicted;
  });
  return found == layouts.end() ? nullptr : &*found;
}

std::vector<std::int64_t> ClassMap::classesSeen() const {
  std::set<std::int64_t> seen;
  for (const auto& sample : samples) seen.insert(sample.predicted);
  return {seen.begin(), seen.end()};
}

std::span<const std::uint8_t> ClassMap::picture(std::size_t sample) const {
  if (pixels.empty()) return {};
  const std::size_t size = pixels.size() / samples.size();
  return std::span(pixels).subspan(sample * size, size);
}

void ClassMap::save(const std::filesystem::path& path) const {
  Json about = {{"detector", detector}, {"class_names", classNames}, {"neighbours", neighbours},
                {"min_dist", minDist},  {"sets", Json::array()},     {"parts", Json::array()}};
  for (const auto& set : sets) about["sets"].push_back({{"role", set.role}, {"name", set.name}});
  for (const auto& part : parts) about["parts"].push_back({{"name", part.name}, {"tap", part.tap}});
  std::vector<std::int64_t> setOf, indices, predicted, labels;
  std::vector<double> scores;
  for (const auto& sample : samples) {
    setOf.push_back(static_cast<std::int64_t>(sample.set));
    indices.push_back(sample.index);
    predicted.push_back(sample.predicted);
    labels.push_back(sample.label);
    scores.push_back(sample.score);
  }
  std::vector<std::int64_t> partOf, classOf, sizes, points;
  std::vector<double> trust;
  std::vector<float> x, y;
  for (const auto& layout : layouts) {
    partOf.push_back(static_cast<std::int64_t>(layout.part));
    classOf.push_back(layout.predicted);
    sizes.push_back(static_cast<std::int64_t>(layout.samples.size()));
    trust.push_back(layout.trustworthiness);
    points.insert(points.end(), layout.samples.begin(), layout.samples.end());
    x.insert(x.end(), layout.x.begin(), layout.x.end());
    y.insert(y.end(), layout.y.begin(), layout.y.end());
  }
  const auto count = static_cast<std::int64_t>(samples.size());
  const auto layoutCount = static_cast<std::int64_t>(layouts.size());
  const auto total = static_cast<std::int64_t>(points.size());
  TensorFile file;
  file.metadata[kAbout] = about.dump();
  file.tensors["sample.set"] = tensorOf(setOf, {count});
  file.tensors["sample.index"] = tensorOf(indices, {count});
  file.tensors["sample.predicted"] = tensorOf(predicted, {count});
  file.tensors["sample.label"] = tensorOf(labels, {count});
  file.tensors["sample.score"] = tensorOf(scores, {count});
  file.tensors["sample.normality"] =
      tensorOf(normality, {count, static_cast<std::int64_t>(parts.size())});
  file.tensors["layout.part"] = tensorOf(partOf, {layoutCount});
  file.tensors["layout.predicted"] = tensorOf(classOf, {layoutCount});
  file.tensors["layout.size"] = tensorOf(sizes, {layoutCount});
  file.tensors["layout.trustworthiness"] = tensorOf(trust, {layoutCount});
  file.tensors["layout.sample"] = tensorOf(points, {total});
  file.tensors["layout.x"] = tensorOf(x, {total});
  file.tensors["layout.y"] = tensorOf(y, {total});
  if (hasPictures()) file.tensors["pixels"] = tensorOf(pixels, {count, channels, height, width});
  file.save(path);
}

ClassMap ClassMap::load(const std::filesystem::path& path) {
  const std::string where = path.string();
  const TensorFile file = TensorFile::load(path);
  ClassMap map;
  const auto about = file.metadata.find(kAbout);
  if (about == file.metadata.end()) {
    throw Error::badInput("the file holds no class map", where, kRemedy);
  }
  try {
    readAbout(Json::parse(about->second), map);
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("what the class map is of cannot be read: ") + error.what(),
                          where, kRemedy);
  }
  readSamples(file, where, map);
  readLayouts(file, where, map);
  readPictures(file, where, map);
  return map;
}

}  // namespace bulwark
