#include <algorithm>
#include <iostream>
#include <utility>
#include <vector>

#include "app/cli/session.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/experiment/network_layers.h"
#include "core/experiment/specification.h"
#include "core/metrics/detection.h"

namespace bulwark::cli {
namespace {

const std::vector<std::string> kKinds = {"datasets", "networks", "recipes", "detectors",
                                         "attacks",  "metrics",  "presets"};

Json entry(const std::string& name, const std::string& summary) {
  return {{"name", name}, {"summary", summary}};
}

Json listing(const std::vector<ComponentInfo>& infos) {
  Json list = Json::array();
  for (const auto& info : infos) {
    Json json = entry(info.name, info.summary);
    json["title"] = info.title;
    json["reference"] = info.reference;
    list.push_back(std::move(json));
  }
  return list;
}

Json listOf(const std::string& kind, Session& session) {
  if (kind == "networks") return listing(session.registries().networks.list());
  if (kind == "recipes") return listing(session.registries().recipes.list());
  if (kind == "detectors") return listing(session.registries().detectors.list());
  if (kind == "attacks") return listing(session.registries().attacks.list());
  Json list = Json::array();
  if (kind == "datasets") {
    for (const auto& info : session.catalogue().sets()) {
      Json json = entry(info.name, info.summary);
      json["installed"] = session.catalogue().status(info.name).installed;
      json["title"] = info.title;
      list.push_back(std::move(json));
    }
  } else if (kind == "metrics") {
    for (const auto& info : metricInfos()) {
      Json json = entry(info.name, info.help);
      json["title"] = info.title;
      list.push_back(std::move(json));
    }
  } else {
    for (const auto& preset : presets()) list.push_back(entry(preset.name, preset.summary));
  }
  return list;
}

Json datasetDescription(const std::string& name, Session& session) {
  const auto& info = session.catalogue().info(name, "describe dataset");
  const auto status = session.catalogue().status(name);
  Json json = entry(info.name, info.summary);
  json["title"] = info.title;
  json["reference"] = info.reference;
  json["homepage"] = info.homepage;
  json["licence"] = info.licence;
  json["shape"] = {info.channels, info.height, info.width};
  json["classes"] = info.classes;
  json["train_count"] = info.trainCount;
  json["test_count"] = info.testCount;
  json["installed"] = status.installed;
  json["folder"] = status.folder.string();
  json["advice"] = status.advice;
  json["options"] = DatasetRequest::schema().toJson();
  for (Json option : info.options.toJson()) {
    option["key"] = "options." + option.at("key").get<std::string>();
    json["options"].push_back(std::move(option));
  }
  return json;
}

/// With the layers that a detector may name, as they are under the default options.
Json networkDescription(const std::string& name, Session& session) {
  const Json options = session.registries().networks.info(name, "describe").toJson();
  Json json = Json::object();
  for (const auto& [key, value] : options.items()) {
    if (key == "options") json["layers"] = networkLayers(name, session.registries());
    json[key] = value;
  }
  return json;
}

/// A part of a specification that is no component.
Json partDescription(const std::string& name) {
  const std::vector<std::pair<std::string, const OptionSchema*>> parts = {
      {"curves", &curveSchema()},
      {"evaluation", &evaluationSchema()},
      {"protocol", &protocolSchema()}};
  std::vector<std::string> names;
  for (const auto& [known, schema] : parts) {
    names.push_back(known);
    if (known != name) continue;
    Json json =
        entry(name, name == "curves" ? "A list of these: AUROC against what the adversary spends"
                                     : "Keys of this object of a specification");
    json["options"] = schema->toJson();
    return json;
  }
  throw Error::badInput("a specification has no part '" + name + "'", "describe",
                        suggestion(name, names) + " known: " + join(names, ", "));
}

Json description(const std::string& kind, const std::string& name, Session& session) {
  const auto& known = session.registries();
  if (kind == "network") return networkDescription(name, session);
  if (kind == "recipe") return known.recipes.info(name, "describe").toJson();
  if (kind == "detector") return known.detectors.info(name, "describe").toJson();
  if (kind == "attack") return known.attacks.info(name, "describe").toJson();
  if (kind == "dataset") return datasetDescription(name, session);
  if (kind == "preset") return preset(name).specification;
  if (kind == "part") return partDescription(name);
  std::vector<std::string> names;
  for (const auto& info : metricInfos()) {
    if (info.name != name) {
      names.push_back(info.name);
      continue;
    }
    Json json = entry(info.name, info.help);
    json["title"] = info.title;
    json["better"] = info.better == Better::Higher  ? "higher"
                     : info.better == Better::Lower ? "lower"
                                                    : "neither";
    return json;
  }
  throw Error::badInput("there is no metric '" + name + "'", "describe",
                        suggestion(name, names) + " known: " + join(names, ", "));
}

std::string inWords(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  const bool words =
      value.is_array() &&
      std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
  return words ? join(value.get<std::vector<std::string>>(), ", ") : value.dump();
}

void printDescription(const Json& json) {
  for (const auto& [key, value] : json.items()) {
    if (key != "options") std::cout << key << ": " << inWords(value) << '\n';
  }
  if (!json.contains("options")) return;
  std::cout << "\noptions:\n";
  for (const auto& option : json.at("options")) {
    std::cout << "  " << option.at("key").get<std::string>() << " = " << option.at("default").dump()
              << "  (" << option.at("allowed").get<std::string>() << ")\n      "
              << option.at("help").get<std::string>();
    if (option.contains("unit")) std::cout << " [" << option.at("unit").get<std::string>() << "]";
    if (option.contains("source")) {
      std::cout << "; default from " << option.at("source").get<std::string>();
    }
    std::cout << '\n';
  }
}

}  // namespace

void addListCommands(CLI::App& program, Session& session) {
  auto* list = program.add_subcommand("list", "What there is of a kind");
  auto kind = std::make_shared<std::string>();
  auto asJson = std::make_shared<bool>(false);
  list->add_option("kind", *kind, join(kKinds, ", "))->required()->check(CLI::IsMember(kKinds));
  list->add_flag("--json", *asJson, "Print JSON");
  addDataOption(*list, session);
  list->callback([&session, kind, asJson] {
    const Json items = listOf(*kind, session);
    if (*asJson) {
      std::cout << items.dump(2) << '\n';
      return;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& item : items) {
      std::vector<std::string> row = {item.at("name").get<std::string>()};
      if (item.contains("installed")) {
        row.push_back(item.at("installed").get<bool>() ? "installed" : "not installed");
      }
      row.push_back(item.at("summary").get<std::string>());
      rows.push_back(std::move(row));
    }
    printColumns(rows);
  });

  auto* describe = program.add_subcommand("describe", "Everything about one component");
  auto what = std::make_shared<std::string>();
  auto name = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  describe
      ->add_option("kind", *what,
                   "network, recipe, detector, attack, dataset, metric, preset, or a part of a "
                   "specification (curves, evaluation, protocol)")
      ->required()
      ->check(CLI::IsMember(
          {"network", "recipe", "detector", "attack", "dataset", "metric", "preset", "part"}));
  describe->add_option("name", *name, "As 'list' prints it")->required();
  describe->add_flag("--json", *json, "Print JSON");
  addDataOption(*describe, session);
  describe->callback([&session, what, name, json] {
    const Json text = description(*what, *name, session);
    if (*json || *what == "preset") {
      std::cout << text.dump(2) << '\n';
    } else {
      printDescription(text);
    }
  });
}

}  // namespace bulwark::cli
