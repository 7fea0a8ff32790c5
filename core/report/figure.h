#pragma once

#include <string>
#include <vector>

namespace bulwark {

/// One line of a figure; x and y of equal length, finite values.
struct FigureSeries {
  std::string name;
  std::vector<double> x, y;
  int colour = 0;  ///< index into the palette, taken modulo its size
  bool dashed = false;
};

/// A line plot as reports draw it: ROC, precision-recall, histogram outlines, training curves.
struct Figure {
  std::string title, xLabel, yLabel;
  std::vector<FigureSeries> series;
  bool unitSquare = false;  ///< both axes exactly [0, 1]
  bool diagonal = false;    ///< the chance line of a ROC plot
  bool yFromZero = false;
};

/// What figures are drawn on. Coordinates in points (1/72 inch), y downwards.
class Canvas {
 public:
  struct Point {
    double x = 0.0;
    double y = 0.0;
  };
  struct Stroke {
    std::string colour = "#000000";  ///< "#rrggbb"
    double width = 1.0;
    bool dashed = false;
  };
  enum class Anchor { Start, Middle, End };

  virtual ~Canvas() = default;
  virtual void polyline(const std::vector<Point>& points, const Stroke& stroke) = 0;
  virtual void rectangle(Point corner, double width, double height, const Stroke& stroke) = 0;
  /// `at` is on the base line; `upwards` turns the text by 90 degrees counter-clockwise.
  virtual void text(Point at, const std::string& text, double size, Anchor anchor, bool upwards,
                    bool bold) = 0;
};

struct FigureSize {
  double width = 420;  ///< points
  double height = 300;
};

/// Height that `drawFigure` needs for a figure of this width: longer legends need more.
FigureSize figureSize(const Figure& figure);

/// Axes, grid, lines and a legend below. Lines are drawn completely; points on a straight piece
/// are merged, which moves nothing. Throws `Error` (BadInput) when there is nothing to draw.
void drawFigure(const Figure& figure, Canvas& canvas, FigureSize size);

/// Round axis marks covering [low, high], about `count` of them.
std::vector<double> axisTicks(double low, double high, int count);

/// Colours that remain distinct for colour-blind readers (Okabe and Ito 2008).
const std::vector<std::string>& figurePalette();

}  // namespace bulwark
