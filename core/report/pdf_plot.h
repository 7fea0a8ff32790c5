#pragma once

#include <string>
#include <vector>

#include "core/report/figure.h"

namespace bulwark {

/// A vector PDF (1.4), one page per figure, in Helvetica, cut to the figure so that LaTeX can
/// include it. Characters outside Latin-1 print as "?". The bytes depend on the figures only.
/// Throws `Error` (BadInput) on an empty list, and like `drawFigure`.
std::string writePdf(const std::vector<Figure>& figures);

}  // namespace bulwark
