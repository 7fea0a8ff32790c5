#pragma once

#include <string>
#include <vector>

#include "core/report/figure.h"

namespace bulwark {

/// One SVG element holding the figure, to stand alone or inside HTML. Throws like `drawFigure`.
std::string figureSvg(const Figure& figure);
/// A stand-alone SVG file with the figures one below the other. Throws on an empty list.
std::string writeSvg(const std::vector<Figure>& figures);

}  // namespace bulwark
