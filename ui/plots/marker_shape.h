#pragma once

#include <qcustomplot.h>

namespace bulwark {

/// The shape of `SeriesStyle::marker`: colour is never the only difference.
inline QCPScatterStyle::ScatterShape markerShape(int index) {
  static constexpr QCPScatterStyle::ScatterShape shapes[] = {
      QCPScatterStyle::ssDisc, QCPScatterStyle::ssSquare, QCPScatterStyle::ssTriangle,
      QCPScatterStyle::ssDiamond};
  return shapes[index % 4];
}

}  // namespace bulwark
