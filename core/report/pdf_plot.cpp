#include "core/report/pdf_plot.h"

#include <array>
#include <cstdint>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/report/deflate.h"

namespace bulwark {
namespace {

/// Advance widths of Helvetica for the codes 32 to 126, in 1/1000 of the size (Adobe's metrics).
constexpr std::array<int, 95> helvetica = {
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};

/// UTF-8 as Latin-1, which WinAnsiEncoding contains.
std::string latin1(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[i]);
    std::size_t length = 1;
    if (lead >= 0xF0) {
      length = 4;
    } else if (lead >= 0xE0) {
      length = 3;
    } else if (lead >= 0xC0) {
      length = 2;
    }
    if (length == 1 && lead >= 0x20 && lead < 0x7F) {
      result += text[i];
    } else if (length == 2 && lead <= 0xC3 && i + 1 < text.size()) {
      result +=
          static_cast<char>((lead & 3U) << 6U | (static_cast<std::uint8_t>(text[i + 1]) & 63U));
    } else {
      result += '?';
    }
    i += length;
  }
  return result;
}

double widthOf(const std::string& latin, double size) {
  int sum = 0;
  for (const char c : latin) {
    const auto code = static_cast<std::uint8_t>(c);
    sum += code >= 32 && code <= 126 ? helvetica[code - 32U] : 556;
  }
  return sum * size / 1000.0;
}

std::string number(double value) {
  return formatFixed(value, 2);
}

class PdfCanvas : public Canvas {
 public:
  explicit PdfCanvas(FigureSize size) : height_(size.height) {}

  void polyline(const std::vector<Point>& points, const Stroke& stroke) override {
    if (points.empty()) return;
    style(stroke);
    for (std::size_t k = 0; k < points.size(); ++k) {
      content_ +=
          number(points[k].x) + " " + number(height_ - points[k].y) + (k == 0 ? " m\n" : " l\n");
    }
    content_ += "S\n";
  }

  void rectangle(Point corner, double width, double height, const Stroke& stroke) override {
    style(stroke);
    content_ += number(corner.x) + " " + number(height_ - corner.y - height) + " " + number(width) +
                " " + number(height) + " re S\n";
  }

  void text(Point at, const std::string& text, double size, Anchor anchor, bool upwards,
            bool bold) override {
    const std::string latin = latin1(text);
    double shift = 0.0;
    if (anchor == Anchor::Middle) shift = widthOf(latin, size) / 2.0;
    if (anchor == Anchor::End) shift = widthOf(latin, size);
    const double x = upwards ? at.x : at.x - shift;
    const double y = upwards ? height_ - at.y - shift : height_ - at.y;
    std::string escaped;
    for (const char c : latin) {
      if (c == '(' || c == ')' || c == '\\') escaped += '\\';
      escaped += c;
    }
    content_ += "BT 0.19 0.21 0.24 rg /" + std::string(bold ? "F2" : "F1") + " " + number(size) +
                " Tf " + (upwards ? "0 1 -1 0 " : "1 0 0 1 ") + number(x) + " " + number(y) +
                " Tm (" + escaped + ") Tj ET\n";
  }

  const std::string& content() const { return content_; }

 private:
  void style(const Stroke& stroke) {
    std::string colour;
    for (std::size_t k = 1; k + 1 < stroke.colour.size(); k += 2) {
      colour += formatFixed(std::stoi(stroke.colour.substr(k, 2), nullptr, 16) / 255.0, 3) + " ";
    }
    content_ += colour + "RG " + number(stroke.width) + " w 1 j " +
                (stroke.dashed ? "[5 3] 0 d\n" : "[] 0 d\n");
  }

  double height_;
  std::string content_;
};

}  // namespace

std::string writePdf(const std::vector<Figure>& figures) {
  if (figures.empty()) throw Error::badInput("there are no figures to draw", "report");
  // Objects 1 to 4: catalogue, page tree and two fonts; then two per page.
  std::vector<std::string> objects(4);
  std::string kids;
  for (const Figure& figure : figures) {
    const FigureSize size = figureSize(figure);
    PdfCanvas canvas(size);
    drawFigure(figure, canvas, size);
    const std::string packed = deflateZlib(canvas.content());
    const std::size_t page = objects.size() + 1;
    kids += std::to_string(page) + " 0 R ";
    objects.push_back("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 " + number(size.width) + " " +
                      number(size.height) + "] /Contents " + std::to_string(page + 1) +
                      " 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>");
    objects.push_back("<< /Length " + std::to_string(packed.size()) +
                      " /Filter /FlateDecode >>\nstream\n" + packed + "\nendstream");
  }
  const auto font = [](const std::string& name) {
    return "<< /Type /Font /Subtype /Type1 /BaseFont /" + name + " /Encoding /WinAnsiEncoding >>";
  };
  objects[0] = "<< /Type /Catalog /Pages 2 0 R >>";
  objects[1] =
      "<< /Type /Pages /Kids [" + kids + "] /Count " + std::to_string(figures.size()) + " >>";
  objects[2] = font("Helvetica");
  objects[3] = font("Helvetica-Bold");
  std::string file = "%PDF-1.4\n%\xE2\xE3\xCF\xD3\n";  // four high bytes mark a binary file
  std::string table;
  for (std::size_t k = 0; k < objects.size(); ++k) {
    std::string offset = std::to_string(file.size());
    offset.insert(0, 10 - offset.size(), '0');
    table += offset + " 00000 n \n";
    file += std::to_string(k + 1) + " 0 obj\n" + objects[k] + "\nendobj\n";
  }
  const std::size_t start = file.size();
  const std::string count = std::to_string(objects.size() + 1);
  file += "xref\n0 " + count + "\n0000000000 65535 f \n" + table + "trailer\n<< /Size " + count +
          " /Root 1 0 R >>\nstartxref\n" + std::to_string(start) + "\n%%EOF\n";
  return file;
}

}  // namespace bulwark
