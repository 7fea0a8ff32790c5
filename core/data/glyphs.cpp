#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/data/generated.h"

namespace bulwark {
namespace {

struct Point {
  double x, y;  // 0..1, y downwards
};
using Stroke = std::vector<Point>;

struct Symbol {
  std::string name;
  std::vector<Stroke> strokes;
};

/// Part of an ellipse as a polyline; angles in turns, clockwise from three o'clock.
Stroke arc(Point centre, double radiusX, double radiusY, double from, double to) {
  const int pieces = std::max(4, static_cast<int>(std::ceil(std::abs(to - from) * 20)));
  Stroke stroke;
  for (int i = 0; i <= pieces; ++i) {
    const double angle = 2.0 * std::numbers::pi * (from + (to - from) * i / pieces);
    stroke.push_back({centre.x + radiusX * std::cos(angle), centre.y + radiusY * std::sin(angle)});
  }
  return stroke;
}

// None looks like a digit (so no O, I, l, S, Z, B, G, J) nor like a garment.
const std::vector<Symbol>& symbols() {
  static const std::vector<Symbol> all = {
      {"A", {{{0, 1}, {.5, 0}, {1, 1}}, {{.2, .6}, {.8, .6}}}},
      {"C", {arc({.55, .5}, .5, .5, .12, .88)}},
      {"E", {{{.95, 0}, {.1, 0}, {.1, 1}, {.95, 1}}, {{.1, .5}, {.75, .5}}}},
      {"F", {{{.95, 0}, {.1, 0}, {.1, 1}}, {{.1, .48}, {.75, .48}}}},
      {"H", {{{.05, 0}, {.05, 1}}, {{.95, 0}, {.95, 1}}, {{.05, .5}, {.95, .5}}}},
      {"K", {{{.1, 0}, {.1, 1}}, {{.95, 0}, {.1, .55}}, {{.35, .4}, {.95, 1}}}},
      {"M", {{{0, 1}, {.1, 0}, {.5, .7}, {.9, 0}, {1, 1}}}},
      {"N", {{{.05, 1}, {.05, 0}, {.95, 1}, {.95, 0}}}},
      {"R",
       {{{.1, 1}, {.1, 0}, {.55, 0}},
        arc({.55, .27}, .38, .27, -.25, .25),
        {{.55, .54}, {.1, .54}},
        {{.5, .54}, {.95, 1}}}},
      {"U", {{{.05, 0}, {.05, .6}}, arc({.5, .6}, .45, .4, .5, 0), {{.95, .6}, {.95, 0}}}},
      {"V", {{{0, 0}, {.5, 1}, {1, 0}}}},
      {"W", {{{0, 0}, {.25, 1}, {.5, .3}, {.75, 1}, {1, 0}}}},
      {"X", {{{0, 0}, {1, 1}}, {{1, 0}, {0, 1}}}},
      {"Y", {{{0, 0}, {.5, .5}, {1, 0}}, {{.5, .5}, {.5, 1}}}},
      {"Gamma", {{{.1, 1}, {.1, 0}, {.95, 0}, {.95, .2}}}},
      {"Delta", {{{.5, 0}, {1, 1}, {0, 1}, {.5, 0}}}},
      {"Lambda", {{{0, 1}, {.5, 0}, {1, 1}}}},
      {"Xi", {{{.05, 0}, {.95, 0}}, {{.2, .5}, {.8, .5}}, {{.05, 1}, {.95, 1}}}},
      {"Pi", {{{0, .02}, {1, .02}}, {{.2, .02}, {.2, 1}}, {{.8, .02}, {.8, 1}}}},
      {"Sigma", {{{.95, .15}, {.95, 0}, {.05, 0}, {.6, .5}, {.05, 1}, {.95, 1}, {.95, .85}}}},
      {"Phi", {{{.5, 0}, {.5, 1}}, arc({.5, .5}, .48, .3, 0, 1)}},
      {"Psi", {{{.5, 0}, {.5, 1}}, arc({.5, .1}, .48, .55, 0, .5)}},
      {"Omega",
       {{{.05, 1}, {.35, 1}},
        arc({.5, .45}, .48, .45, .35, 1.15),
        {{.65, 1}, {.95, 1}},
        {{.35, 1}, {.218, .814}},
        {{.65, 1}, {.782, .814}}}},
      {"star", {{{.5, 0}, {.5, 1}}, {{.07, .25}, {.93, .75}}, {{.93, .25}, {.07, .75}}}},
      {"arrow", {{{0, .5}, {1, .5}}, {{.6, .1}, {1, .5}, {.6, .9}}}},
      {"hash", {{{.3, 0}, {.25, 1}}, {{.75, 0}, {.7, 1}}, {{0, .3}, {1, .3}}, {{0, .7}, {1, .7}}}},
  };
  return all;
}

double squaredDistance(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double along =
      length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0.0;
  const double ex = p.x - a.x - along * dx, ey = p.y - a.y - along * dy;
  return ex * ex + ey * ey;
}

/// The symbol's strokes in pixels after a random affine map.
std::vector<Stroke> place(const Symbol& symbol, int size, Random& random) {
  const auto between = [&random](double least, double most) {
    return least + (most - least) * random.uniform();
  };
  // Like MNIST, the symbol fills about 20 of 28 pixels.
  const double height = size * between(0.50, 0.72);
  const double width = height * between(0.70, 1.05);
  const double angle = between(-0.26, 0.26);  // radians; 15 degrees
  const double shear = between(-0.25, 0.25);
  const double shiftX = size * between(-0.05, 0.05), shiftY = size * between(-0.05, 0.05);
  const double cosine = std::cos(angle), sine = std::sin(angle);
  std::vector<Stroke> placed = symbol.strokes;
  for (auto& stroke : placed) {
    for (auto& point : stroke) {
      const double v = (point.y - 0.5) * height;
      const double u = (point.x - 0.5) * width + shear * v;
      point = {size / 2.0 + shiftX + cosine * u - sine * v,
               size / 2.0 + shiftY + sine * u + cosine * v};
    }
  }
  return placed;
}

/// Antialiased: coverage of a pixel falls from 1 to 0 over one pixel around the pen's edge.
void rasterise(const std::vector<Stroke>& strokes, double pen, double ink, int size,
               std::uint8_t* to) {
  for (int row = 0; row < size; ++row) {
    for (int column = 0; column < size; ++column) {
      const Point centre{column + 0.5, row + 0.5};
      double nearest = std::numeric_limits<double>::infinity();
      for (const auto& stroke : strokes) {
        for (std::size_t k = 1; k < stroke.size(); ++k) {
          nearest = std::min(nearest, squaredDistance(centre, stroke[k - 1], stroke[k]));
        }
      }
      const double coverage = std::clamp(pen / 2.0 + 0.5 - std::sqrt(nearest), 0.0, 1.0);
      to[row * size + column] = static_cast<std::uint8_t>(std::lround(255.0 * ink * coverage));
    }
  }
}

std::size_t draw(const GeneratedRequest& request, std::int64_t index, std::uint8_t* to) {
  Random random(request.seed.child(static_cast<std::uint64_t>(index)));
  const auto label = static_cast<std::size_t>(random.below(symbols().size()));
  if (to == nullptr) return label;
  const auto strokes = place(symbols()[label], request.size, random);
  const double pen = std::max(1.0, request.size / 28.0 * (1.6 + 1.8 * random.uniform()));
  const double ink = 0.8 + 0.2 * random.uniform();
  rasterise(strokes, pen, ink, request.size, to);
  return label;
}

}  // namespace

const std::vector<std::string>& glyphNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& symbol : symbols()) all.push_back(symbol.name);
    return all;
  }();
  return names;
}

RawImages glyphs(const GeneratedRequest& request) {
  RawImages raw;
  raw.classNames = glyphNames();
  raw.labels = torch::empty({request.count}, torch::kInt64);
  auto* label = raw.labels.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < request.count; ++i) {
    label[i] = static_cast<std::int64_t>(draw(request, i, nullptr));
  }
  raw.pixels = [request](const torch::Tensor& indices, Task& task) {
    torch::Tensor images =
        torch::empty({indices.size(0), 1, request.size, request.size}, torch::kUInt8);
    const auto* index = indices.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < indices.size(0); ++i) {
      draw(request, index[i], images[i].data_ptr<std::uint8_t>());
      task.advance();
    }
    return request.channels == 1 ? images : images.repeat({1, request.channels, 1, 1});
  };
  return raw;
}

}  // namespace bulwark
