#include "core/experiment/strip_file.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/nn/safetensors.h"
#include "core/nn/tensor_vectors.h"

namespace bulwark {
namespace {

constexpr const char* kAbout = "strips";
constexpr const char* kRemedy = "remove the file and retry the run, which then records it again";

void readAbout(const Json& about, IterationStrips& strips) {
  strips.detector = about.at("detector");
  strips.leastSimilarity = about.at("least_similarity");
  strips.passes = about.at("passes");
  strips.reconstructionWeight = about.at("reconstruction_weight");
  strips.classWeight = about.at("class_weight");
  strips.radii = about.at("radii").get<std::vector<std::string>>();
  for (const auto& set : about.at("sets")) strips.sets.push_back({set.at("role"), set.at("name")});
}

}  // namespace

void IterationStrips::save(const std::filesystem::path& path) const {
  Json about = {{"detector", detector},
                {"least_similarity", leastSimilarity},
                {"passes", passes},
                {"reconstruction_weight", reconstructionWeight},
                {"class_weight", classWeight},
                {"radii", radii},
                {"sets", Json::array()}};
  for (const auto& set : sets) about["sets"].push_back({{"role", set.role}, {"name", set.name}});
  std::vector<std::int64_t> setOf, indices, labels;
  for (const auto& sample : samples) {
    setOf.push_back(static_cast<std::int64_t>(sample.set));
    indices.push_back(sample.index);
    labels.push_back(sample.label);
  }
  const auto count = static_cast<std::int64_t>(samples.size());
  const std::vector<std::int64_t> table = {count, static_cast<std::int64_t>(radii.size()),
                                           iterations + 1};
  auto pictures = table;
  pictures.insert(pictures.end(), {channels, height, width});
  TensorFile file;
  file.metadata[kAbout] = about.dump();
  file.tensors["pixels"] = tensorOf(pixels, pictures);
  file.tensors["class"] = tensorOf(classes, table);
  file.tensors["similarity_to_input"] = tensorOf(toInput, table);
  file.tensors["similarity_to_clean"] = tensorOf(toClean, table);
  file.tensors["sample.set"] = tensorOf(setOf, {count});
  file.tensors["sample.index"] = tensorOf(indices, {count});
  file.tensors["sample.label"] = tensorOf(labels, {count});
  file.save(path);
}

IterationStrips IterationStrips::load(const std::filesystem::path& path) {
  const std::string where = path.string();
  const TensorFile file = TensorFile::load(path);
  IterationStrips strips;
  const auto about = file.metadata.find(kAbout);
  if (about == file.metadata.end()) {
    throw Error::badInput("the file holds no iteration strips", where, kRemedy);
  }
  try {
    readAbout(Json::parse(about->second), strips);
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("what the strips are of cannot be read: ") + error.what(),
                          where, kRemedy);
  }
  const auto shape = file.require("pixels", {-1, -1, -1, -1, -1, -1}, where).sizes().vec();
  if (std::find(shape.begin(), shape.end(), 0) != shape.end() ||
      *std::max_element(shape.begin(), shape.end()) > 1'000'000 ||
      shape[1] != static_cast<std::int64_t>(strips.radii.size())) {
    throw Error::badInput(
        "the strips' pictures do not fit their " + std::to_string(strips.radii.size()) + " radii",
        where, kRemedy);
  }
  strips.iterations = shape[2] - 1;
  strips.channels = static_cast<int>(shape[3]);
  strips.height = static_cast<int>(shape[4]);
  strips.width = static_cast<int>(shape[5]);
  const std::vector<std::int64_t> table = {shape[0], shape[1], shape[2]}, one = {shape[0]};
  strips.pixels = valuesOf<std::uint8_t>(file, "pixels", shape, where, kRemedy);
  strips.classes = valuesOf<std::int64_t>(file, "class", table, where, kRemedy);
  strips.toInput = valuesOf<double>(file, "similarity_to_input", table, where, kRemedy);
  strips.toClean = valuesOf<double>(file, "similarity_to_clean", table, where, kRemedy);
  const auto setOf = valuesOf<std::int64_t>(file, "sample.set", one, where, kRemedy);
  const auto indices = valuesOf<std::int64_t>(file, "sample.index", one, where, kRemedy);
  const auto labels = valuesOf<std::int64_t>(file, "sample.label", one, where, kRemedy);
  for (std::size_t i = 0; i < setOf.size(); ++i) {
    if (setOf[i] < 0 || setOf[i] >= static_cast<std::int64_t>(strips.sets.size())) {
      throw Error::badInput("a strip belongs to none of the sets", where, kRemedy);
    }
    strips.samples.push_back({static_cast<std::size_t>(setOf[i]), indices[i], labels[i]});
  }
  return strips;
}

}  // namespace bulwark
