#include "core/registry/component.h"

namespace bulwark {

Json ComponentInfo::toJson() const {
  Json json;
  json["name"] = name;
  json["title"] = title;
  json["summary"] = summary;
  if (!reference.empty()) json["reference"] = reference;
  json["traits"] = traits;
  json["options"] = options.toJson();
  return json;
}

}  // namespace bulwark
