#include <filesystem>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/data/catalogue.h"
#include "core/params/params.h"

namespace bulwark {

const std::vector<std::string>& datasetFormats() {
  static const std::vector<std::string> formats = {
      "idx", "cifar10", "cifar100", "cifar100-coarse", "folder", "npy"};
  return formats;
}

const OptionSchema& DatasetRequest::schema() {
  static const OptionSchema schema = [] {
    std::vector<std::string> formats = {""};
    formats.insert(formats.end(), datasetFormats().begin(), datasetFormats().end());
    OptionSchema options;
    options.text("dataset", "", "name of a catalogue set; or give path").simple();
    options.text("path", "", "file or folder with your own data; or give dataset");
    options.choice("format", "", formats, "how to read path; empty: guessed from its content");
    options.text("label", "", "name in results; empty: the set's or folder's name");
    options.choice("split", "", {"", "train", "test", "auto"},
                   "files to take; empty: training files for training, test files for testing; "
                   "auto: also divides data without such parts, 80 % of every class for training");
    options.textList("classes", {}, "keep only these classes (names or numbers); empty: all");
    options
        .integer("train_limit", 0,
                 "train on a seeded subset of this many; 0: all, of generated sets 1,000")
        .range(0, 1e9)
        .in("images")
        .simple();
    options
        .integer("test_limit", 0,
                 "test on a seeded subset of this many; 0: all, of generated sets 1,000")
        .range(0, 1e9)
        .in("images")
        .simple();
    options
        .choice("subset", "random", {"random", "first", "balanced"},
                "which images a limit takes: drawn with the seed; the first; drawn with the seed, "
                "equally many of every class")
        .expert();
    options
        .choice("grey", "luminance", {"luminance", "red"},
                "how colour images become grey: weighed as the eye does (ITU-R BT.601), or their "
                "first channel alone")
        .from("red: Alipour and Seyyedsalehi (attractors), on CIFAR-10")
        .expert();
    options
        .boolean("invert", false,
                 "turn black into white, for drawings that are dark on light where the in set is "
                 "light on dark, or the other way round")
        .expert();
    options.integer("channels", 0, "1 grey, 3 colour; 0: as the in set").range(0, 3).expert();
    options.integer("size", 0, "side of the square images; 0: as the in set")
        .range(0, 4096)
        .in("pixels")
        .expert();
    options.boolean("optional", false, "leave the set out where it is not installed");
    return options;
  }();
  return schema;
}

DatasetRequest DatasetRequest::fromJson(const Json& json, const std::string& path) {
  Json given = json;
  // Class numbers may be written as numbers.
  if (given.is_object() && given.contains("classes") && given["classes"].is_array()) {
    for (auto& item : given["classes"]) {
      if (item.is_number_integer()) item = std::to_string(item.get<long long>());
    }
  }
  const Params params(schema(), given, path, {"options"});
  DatasetRequest request;
  request.dataset = params.getText("dataset");
  request.path = params.getText("path");
  request.format = params.getText("format");
  request.label = params.getText("label");
  request.split = params.getText("split");
  request.classes = params.getTextList("classes");
  request.trainLimit = params.getInt("train_limit");
  request.testLimit = params.getInt("test_limit");
  request.channels = static_cast<int>(params.getInt("channels"));
  request.size = static_cast<int>(params.getInt("size"));
  request.subset = params.getText("subset");
  request.grey = params.getText("grey");
  request.invert = params.getBool("invert");
  request.optional = params.getBool("optional");
  if (given.is_object() && given.contains("options")) request.options = given.at("options");
  if (!request.options.is_object()) {
    throw Error::badInput("this is not an object", path + ".options",
                          "expected {\"option\": value, ...}");
  }
  if (request.dataset.empty() == request.path.empty()) {
    throw Error::badInput(request.dataset.empty() ? "names no data" : "names two sources of data",
                          params.pathOf("dataset"),
                          "give either \"dataset\" (a catalogue set) or \"path\" (your own data)");
  }
  if (!request.format.empty() && request.path.empty()) {
    throw Error::badInput("a catalogue set has its own format", params.pathOf("format"),
                          "leave \"format\" out, or give \"path\" instead of \"dataset\"");
  }
  if (request.channels == 2) {
    throw Error::badInput("2 is not allowed", params.pathOf("channels"),
                          "expected 1 (grey), 3 (colour) or 0 (as the in set)");
  }
  return request;
}

Json DatasetRequest::toJson() const {
  Json json = {{"dataset", dataset},
               {"path", path},
               {"format", format},
               {"label", label},
               {"split", split},
               {"classes", classes},
               {"train_limit", trainLimit},
               {"test_limit", testLimit},
               {"channels", channels},
               {"size", size},
               {"optional", optional}};
  // What was added later is written where it is used, so that the specifications before it keep
  // their hash.
  if (subset != "random") json["subset"] = subset;
  if (grey != "luminance") json["grey"] = grey;
  if (invert) json["invert"] = true;
  if (!options.empty()) json["options"] = options;
  return json;
}

void DatasetRequest::completeOptions(const DatasetInfo& info, const std::string& path) {
  if (info.options.options().empty() && !options.empty()) {
    throw Error::badInput("'" + dataset + "' has no options", path + ".options", "leave them out");
  }
  options = Params(info.options, options, path + ".options", {}).values();
}

std::string DatasetRequest::displayName() const {
  if (!label.empty()) return label;
  if (!dataset.empty()) return dataset;
  std::filesystem::path file(path);
  if (!file.has_filename()) file = file.parent_path();
  return file.filename().string();
}

}  // namespace bulwark
