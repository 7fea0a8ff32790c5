#include "core/experiment/set_parts.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/base/error.h"
#include "core/data/layout.h"

namespace bulwark {
namespace {

namespace fs = std::filesystem;

bool contains(const std::vector<std::string>& list, const std::string& word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::string imagesOf(const std::string& part) {
  return part == "train" ? "training images" : "test images";
}

/// The images of `role` ("train" or "test") are there.
void requirePart(const DatasetRequest& request, const std::vector<std::string>& parts,
                 const std::string& role, bool otherWillDo, const std::string& path) {
  const bool named = request.split == "train" || request.split == "test";
  const std::string wanted = named ? request.split : role;
  if (parts.empty() || contains(parts, "all") || contains(parts, wanted)) return;
  const std::string other = wanted == "train" ? "test" : "train";
  std::string problem = "'";
  problem += request.displayName() + "' has no " + imagesOf(wanted) + ", only " + imagesOf(other);
  std::string hint = "put the missing files beside the others, or choose another set";
  if (otherWillDo) {
    hint = "set \"split\": \"";
    hint += other + "\" there to take those, or choose another set";
  }
  throw Error::badInput(problem, path, hint);
}

/// Where the images lie; empty where they do not lie on disk.
fs::path placeOf(const DatasetRequest& request, const DatasetCatalogue& catalogue) {
  fs::path place = request.path;
  if (!request.dataset.empty()) place = catalogue.status(request.dataset).folder;
  if (place.empty()) return {};
  std::error_code ignored;
  auto canonical = fs::weakly_canonical(fs::absolute(place, ignored), ignored);
  if (!canonical.has_filename()) canonical = canonical.parent_path();  // "leaves/"
  return canonical.empty() ? place : canonical;
}

}  // namespace

std::vector<std::string> partsOf(const DatasetRequest& request, const DatasetCatalogue& catalogue) {
  if (!request.dataset.empty()) return catalogue.status(request.dataset).splits;
  std::vector<std::string> parts;
  try {
    for (const auto& split : locateData(request.path, request.format).splits) {
      parts.push_back(split.split.empty() ? "all" : split.split);
    }
  } catch (const Error&) {
    // What is wrong with the data is said when they are loaded.
  }
  return parts;
}

void requireParts(const Specification& specification, const DatasetCatalogue& catalogue) {
  const auto& in = specification.in;
  const auto inParts = partsOf(in, catalogue);
  for (const char* role : {"train", "test"}) requirePart(in, inParts, role, false, "data.in");
  for (std::size_t i = 0; i < specification.out.size(); ++i) {
    const auto& out = specification.out[i];
    std::string path = "data.out[";
    path += std::to_string(i) + "]";
    requirePart(out, partsOf(out, catalogue), "test", true, path);
  }
  if (!specification.open) return;
  requirePart(*specification.open, partsOf(*specification.open, catalogue), "train", true,
              "data.open");
}

bool sameSource(const DatasetRequest& a, const DatasetRequest& b,
                const DatasetCatalogue& catalogue) {
  if (!a.dataset.empty() && !b.dataset.empty()) return a.dataset == b.dataset;
  // Sets of several formats may lie side by side in one folder.
  const auto formatOf = [&](const DatasetRequest& set) {
    return set.dataset.empty() ? set.format : catalogue.status(set.dataset).format;
  };
  const std::string one = formatOf(a), other = formatOf(b);
  if (!one.empty() && !other.empty() && one != other) return false;
  const auto place = placeOf(a, catalogue);
  return !place.empty() && place == placeOf(b, catalogue);
}

}  // namespace bulwark
