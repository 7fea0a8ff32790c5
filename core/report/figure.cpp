#include "core/report/figure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/escape.h"

namespace bulwark {
namespace {

constexpr double leftMargin = 56;
constexpr double rightMargin = 14;
constexpr double topMargin = 28;
constexpr double axisSpace = 42;   // tick labels and axis title below the frame
constexpr double legendLine = 14;  // height of one legend row
constexpr double frameHeight = 230;
constexpr double labelSize = 10;
const std::string ink = "#30363d";
const std::string gridColour = "#dfe3e8";

int legendColumns(const Figure& figure) {
  int longest = 0;
  for (const auto& series : figure.series) longest = std::max(longest, textWidth(series.name));
  return longest > 30 ? 1 : 2;
}

int legendRows(const Figure& figure) {
  const int columns = legendColumns(figure);
  return (static_cast<int>(figure.series.size()) + columns - 1) / columns;
}

struct Range {
  double low = 0.0;
  double high = 1.0;
};

Range rangeOf(const Figure& figure, bool vertical) {
  if (figure.unitSquare) return {0.0, 1.0};
  Range range{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const auto& series : figure.series) {
    for (double value : vertical ? series.y : series.x) {
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }
  if (vertical && figure.yFromZero) range.low = std::min(range.low, 0.0);
  if (range.high <= range.low) {
    // One value only: show it in the middle.
    const double half = std::max(0.5, std::abs(range.low) * 0.05);
    return {range.low - half, range.high + half};
  }
  if (vertical) {
    const double room = 0.04 * (range.high - range.low);
    range.high += room;
    if (!figure.yFromZero || range.low < 0.0) range.low -= room;
  }
  return range;
}

void checkFigure(const Figure& figure) {
  bool any = false;
  for (const auto& series : figure.series) {
    if (series.x.size() != series.y.size()) {
      throw Error::badInput("the curve '" + series.name + "' has unequal numbers of x and y",
                            "report");
    }
    for (std::size_t k = 0; k < series.x.size(); ++k) {
      if (!std::isfinite(series.x[k]) || !std::isfinite(series.y[k])) {
        throw Error::badInput("the curve '" + series.name + "' holds a value that is not finite",
                              "report");
      }
    }
    any = any || !series.x.empty();
  }
  if (!any) throw Error::badInput("there is nothing to draw in '" + figure.title + "'", "report");
}

/// Drops points that lie on the straight piece between their neighbours.
std::vector<Canvas::Point> withoutCollinear(const std::vector<Canvas::Point>& points) {
  std::vector<Canvas::Point> kept;
  for (const Canvas::Point& point : points) {
    while (kept.size() >= 2) {
      const Canvas::Point& a = kept[kept.size() - 2];
      const Canvas::Point& b = kept.back();
      const double cross = (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x);
      const double along = (b.x - a.x) * (point.x - b.x) + (b.y - a.y) * (point.y - b.y);
      if (std::abs(cross) > 1e-6 || along < 0.0) break;
      kept.pop_back();
    }
    kept.push_back(point);
  }
  return kept;
}

std::string tickText(double value, double step) {
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 8);
  if (std::abs(value) >= 1e6 || (step < 1e-6)) return formatNumber(value);
  return formatFixed(std::abs(value) < step * 1e-9 ? 0.0 : value, decimals);
}

}  // namespace

const std::vector<std::string>& figurePalette() {
  static const std::vector<std::string> palette = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                   "#e69f00", "#56b4e9", "#5b5b5b", "#8f7a00"};
  return palette;
}

std::vector<double> axisTicks(double low, double high, int count) {
  std::vector<double> ticks;
  if (!(high > low) || count < 1) return {low};
  const double raw = (high - low) / count;
  const double magnitude = std::pow(10.0, std::floor(std::log10(raw)));
  double step = 10.0 * magnitude;
  for (double factor : {1.0, 2.0, 5.0}) {
    if (factor * magnitude >= raw * (1.0 - 1e-9)) {
      step = factor * magnitude;
      break;
    }
  }
  const auto first = static_cast<long long>(std::ceil(low / step - 1e-9));
  const auto last = static_cast<long long>(std::floor(high / step + 1e-9));
  for (long long k = first; k <= last; ++k) ticks.push_back(static_cast<double>(k) * step);
  return ticks;
}

FigureSize figureSize(const Figure& figure) {
  FigureSize size;
  if (figure.unitSquare) size.width = leftMargin + frameHeight + 60 + rightMargin + 40;
  size.height = topMargin + frameHeight + axisSpace + legendLine * legendRows(figure) + 8;
  return size;
}

void drawFigure(const Figure& figure, Canvas& canvas, FigureSize size) {
  checkFigure(figure);
  const Range x = rangeOf(figure, false);
  const Range y = rangeOf(figure, true);
  const double width = size.width - leftMargin - rightMargin;
  const double height = size.height - topMargin - axisSpace - legendLine * legendRows(figure) - 8;
  const double bottom = topMargin + height;
  const auto place = [&](double px, double py) {
    return Canvas::Point{leftMargin + (px - x.low) / (x.high - x.low) * width,
                         bottom - (py - y.low) / (y.high - y.low) * height};
  };
  using Anchor = Canvas::Anchor;
  canvas.text({leftMargin, 16}, figure.title, 12, Anchor::Start, false, true);

  const std::vector<double> xTicks = axisTicks(x.low, x.high, 5);
  const std::vector<double> yTicks = axisTicks(y.low, y.high, 5);
  const auto stepOf = [](const std::vector<double>& ticks) {
    return ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0;
  };
  for (double tick : xTicks) {
    const Canvas::Point at = place(tick, y.low);
    canvas.polyline({at, {at.x, topMargin}}, {gridColour, 0.6, false});
    canvas.text({at.x, bottom + 13}, tickText(tick, stepOf(xTicks)), labelSize, Anchor::Middle,
                false, false);
  }
  for (double tick : yTicks) {
    const Canvas::Point at = place(x.low, tick);
    canvas.polyline({at, {leftMargin + width, at.y}}, {gridColour, 0.6, false});
    canvas.text({leftMargin - 5, at.y + 3.5}, tickText(tick, stepOf(yTicks)), labelSize,
                Anchor::End, false, false);
  }
  if (figure.diagonal) {
    canvas.polyline({place(x.low, y.low), place(x.high, y.high)}, {"#9aa5b3", 0.8, true});
  }
  for (const FigureSeries& series : figure.series) {
    std::vector<Canvas::Point> points;
    for (std::size_t k = 0; k < series.x.size(); ++k) {
      points.push_back(place(series.x[k], series.y[k]));
    }
    if (points.size() == 1) {  // a mark of one point, so that a single epoch shows
      points = {{points[0].x - 3, points[0].y}, {points[0].x + 3, points[0].y}};
    }
    const auto& palette = figurePalette();
    const auto colour = static_cast<std::size_t>(std::max(series.colour, 0)) % palette.size();
    canvas.polyline(withoutCollinear(points), {palette[colour], 1.6, series.dashed});
  }
  canvas.rectangle({leftMargin, topMargin}, width, height, {ink, 0.8, false});
  canvas.text({leftMargin + width / 2, bottom + 29}, figure.xLabel, labelSize, Anchor::Middle,
              false, false);
  canvas.text({14, topMargin + height / 2}, figure.yLabel, labelSize, Anchor::Middle, true, false);

  const int columns = legendColumns(figure);
  const double columnWidth = (size.width - 20) / columns;
  for (std::size_t k = 0; k < figure.series.size(); ++k) {
    const FigureSeries& series = figure.series[k];
    const auto& palette = figurePalette();
    const auto colour = static_cast<std::size_t>(std::max(series.colour, 0)) % palette.size();
    const auto column = static_cast<double>(k % static_cast<std::size_t>(columns));
    const auto row = static_cast<double>(k / static_cast<std::size_t>(columns));
    const double left = 14 + column * columnWidth;
    const double base = bottom + axisSpace + 4 + row * legendLine;
    canvas.polyline({{left, base - 3}, {left + 20, base - 3}},
                    {palette[colour], 1.8, series.dashed});
    canvas.text({left + 25, base}, series.name, labelSize, Anchor::Start, false, false);
  }
}

}  // namespace bulwark
