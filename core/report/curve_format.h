#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/report/curves.h"

namespace bulwark {

/// What makes each form of some curves; only the one asked for is called.
struct CurveWriters {
  std::function<std::string()> csv, json;
  std::function<std::vector<Figure>()> figures;  ///< of SVG and PDF
};
std::string writeAs(CurveFormat format, const CurveWriters& writers);

}  // namespace bulwark
