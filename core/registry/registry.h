#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/params/params.h"
#include "core/registry/component.h"

namespace bulwark {

/// Name -> factory + options + literature reference, for one kind of component.
///
/// `Arguments` are what a factory needs beside its options (a network needs the image shape).
template <class Component, class... Arguments>
class Registry {
 public:
  using Factory = std::function<std::unique_ptr<Component>(const Params&, Arguments...)>;

  /// `kind` is the word in messages: "detector".
  explicit Registry(std::string kind) : kind_(std::move(kind)) {}

  void add(ComponentInfo info, Factory factory) {
    entries_.push_back({std::move(info), std::move(factory)});
  }

  const std::string& kind() const { return kind_; }

  std::vector<ComponentInfo> list() const {
    std::vector<ComponentInfo> infos;
    for (const auto& entry : entries_) infos.push_back(entry.info);
    return infos;
  }

  bool contains(const std::string& name) const { return find(name) != nullptr; }

  /// Throws `Error` (BadInput) at `path` with the nearest known name.
  const ComponentInfo& info(const std::string& name, const std::string& path = {}) const {
    return require(name, path).info;
  }

  /// Checks `options` (a JSON object, "type" and "label" ignored) and builds the component.
  std::unique_ptr<Component> make(const std::string& name, const Json& options,
                                  const std::string& path, Arguments... arguments) const {
    const Entry& entry = require(name, path);
    const Params params(entry.info.options, options, path, {"type", "label"});
    auto component = entry.factory(params, arguments...);
    params.requireAllRead();
    return component;
  }

 private:
  struct Entry {
    ComponentInfo info;
    Factory factory;
  };

  const Entry* find(const std::string& name) const {
    for (const auto& entry : entries_) {
      if (entry.info.name == name) return &entry;
    }
    return nullptr;
  }

  const Entry& require(const std::string& name, const std::string& path) const {
    if (const Entry* entry = find(name)) return *entry;
    std::vector<std::string> names;
    for (const auto& entry : entries_) names.push_back(entry.info.name);
    const std::string typo = suggestion(name, names);
    throw Error::badInput("there is no " + kind_ + " '" + name + "'", path,
                          (typo.empty() ? "" : typo + " ") + "known: " + join(names, ", "));
  }

  std::string kind_;
  std::vector<Entry> entries_;
};

}  // namespace bulwark
