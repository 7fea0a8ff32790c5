#include "core/experiment/cell_audit.h"

#include <limits>

#include "core/base/error.h"

namespace bulwark {

Json CellAudit::toJson() const {
  return {{"detector", detector},
          {"attack", attack},
          {"dataset", dataset},
          {"out", out},
          {"rescoring", rescoring},
          {"excess", excess},  // +inf is written as null
          {"zero_gradient", zeroGradient},
          {"clean", clean},
          {"attacked", attacked},
          {"rounded", rounded}};
}

CellAudit CellAudit::fromJson(const Json& json) {
  try {
    CellAudit audit;
    audit.detector = json.at("detector");
    audit.attack = json.at("attack");
    audit.dataset = json.at("dataset");
    audit.out = json.at("out");
    audit.rescoring = json.at("rescoring");
    const Json& excess = json.at("excess");
    audit.excess =
        excess.is_null() ? std::numeric_limits<double>::infinity() : excess.get<double>();
    audit.zeroGradient = json.at("zero_gradient");
    audit.clean = json.at("clean").get<std::vector<double>>();
    audit.attacked = json.at("attacked").get<std::vector<double>>();
    audit.rounded = json.at("rounded").get<std::vector<double>>();
    return audit;
  } catch (const Json::exception& error) {
    throw Error::badInput(std::string("this is no audit of an attacked set: ") + error.what(),
                          "parts", "queue the specification as a new run");
  }
}

}  // namespace bulwark
