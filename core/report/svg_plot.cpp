#include "core/report/svg_plot.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/escape.h"

namespace bulwark {
namespace {

std::string coordinate(double value) {
  std::string text = formatFixed(value, 2);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

class SvgCanvas : public Canvas {
 public:
  void polyline(const std::vector<Point>& points, const Stroke& stroke) override {
    body_ += "<polyline points=\"";
    for (std::size_t k = 0; k < points.size(); ++k) {
      if (k > 0) body_ += ' ';
      body_ += coordinate(points[k].x) + "," + coordinate(points[k].y);
    }
    body_ += "\" fill=\"none\"" + attributes(stroke) + "/>\n";
  }

  void rectangle(Point corner, double width, double height, const Stroke& stroke) override {
    body_ += "<rect x=\"" + coordinate(corner.x) + "\" y=\"" + coordinate(corner.y) +
             "\" width=\"" + coordinate(width) + "\" height=\"" + coordinate(height) +
             "\" fill=\"none\"" + attributes(stroke) + "/>\n";
  }

  void text(Point at, const std::string& text, double size, Anchor anchor, bool upwards,
            bool bold) override {
    if (text.empty()) return;
    static const char* anchors[] = {"start", "middle", "end"};
    const std::string x = coordinate(at.x);
    const std::string y = coordinate(at.y);
    body_ += "<text x=\"" + x + "\" y=\"" + y + "\" font-size=\"" + coordinate(size) +
             "\" text-anchor=\"" + anchors[static_cast<int>(anchor)] + "\"";
    if (bold) body_ += " font-weight=\"bold\"";
    if (upwards) body_ += " transform=\"rotate(-90 " + x + " " + y + ")\"";
    body_ += '>';
    body_ += escapeHtml(text);
    body_ += "</text>\n";
  }

  const std::string& body() const { return body_; }

 private:
  static std::string attributes(const Stroke& stroke) {
    return " stroke=\"" + stroke.colour + "\" stroke-width=\"" + coordinate(stroke.width) + "\"" +
           (stroke.dashed ? " stroke-dasharray=\"5 3\"" : "") + " stroke-linejoin=\"round\"";
  }

  std::string body_;
};

std::string open(double width, double height) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + coordinate(width) + "\" height=\"" +
         coordinate(height) + "\" viewBox=\"0 0 " + coordinate(width) + " " + coordinate(height) +
         "\" font-family=\"Helvetica, Arial, sans-serif\" fill=\"#30363d\" role=\"img\">\n";
}

}  // namespace

std::string figureSvg(const Figure& figure) {
  const FigureSize size = figureSize(figure);
  SvgCanvas canvas;
  drawFigure(figure, canvas, size);
  return open(size.width, size.height) + "<title>" + escapeHtml(figure.title) + "</title>\n" +
         canvas.body() + "</svg>\n";
}

std::string writeSvg(const std::vector<Figure>& figures) {
  if (figures.empty()) throw Error::badInput("there are no figures to draw", "report");
  double width = 0.0;
  double height = 0.0;
  std::string body;
  for (const Figure& figure : figures) {
    const FigureSize size = figureSize(figure);
    SvgCanvas canvas;
    drawFigure(figure, canvas, size);
    body +=
        "<g transform=\"translate(0 " + coordinate(height) + ")\">\n" + canvas.body() + "</g>\n";
    width = std::max(width, size.width);
    height += size.height;
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + open(width, height) +
         "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" + body + "</svg>\n";
}

}  // namespace bulwark
