#include "core/report/curve_format.h"

#include "core/report/pdf_plot.h"
#include "core/report/svg_plot.h"

namespace bulwark {

std::string writeAs(CurveFormat format, const CurveWriters& writers) {
  switch (format) {
    case CurveFormat::Csv:
      return writers.csv();
    case CurveFormat::Json:
      return writers.json();
    case CurveFormat::Svg:
      return writeSvg(writers.figures());
    case CurveFormat::Pdf:
      break;
  }
  return writePdf(writers.figures());
}

}  // namespace bulwark
