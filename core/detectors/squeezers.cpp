#include "core/detectors/squeezers.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <vector>

#include "core/base/error.h"
#include "core/nn/straight_through.h"

namespace bulwark {
namespace {

namespace functional = torch::nn::functional;

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// `before` and `after` more rows of dimension `side`, mirrored with the edge repeated.
torch::Tensor mirrored(const torch::Tensor& images, std::int64_t side, std::int64_t before,
                       std::int64_t after) {
  const std::int64_t size = images.size(side);
  return torch::cat({images.slice(side, 0, before).flip(side), images,
                     images.slice(side, size - after, size).flip(side)},
                    side);
}

torch::Tensor plainMeans(const torch::Tensor& images, std::int64_t search, std::int64_t patch,
                         double strength) {
  const std::int64_t reach = search / 2, half = patch / 2, border = reach + half;
  const std::int64_t channels = images.size(1), height = images.size(2), width = images.size(3);
  const double scale = static_cast<double>(channels) * strength * strength / (255.0 * 255.0);
  const auto wide = functional::pad(
      images, functional::PadFuncOptions({border, border, border, border}).mode(torch::kReflect));
  // The part of `wide` that an image moved by (dy, dx) covers, with a margin of `half`.
  const auto window = [&](std::int64_t dy, std::int64_t dx, std::int64_t margin) {
    return wide.slice(2, border + dy - margin, border + dy + margin + height)
        .slice(3, border + dx - margin, border + dx + margin + width);
  };
  const auto here = window(0, 0, half);
  torch::Tensor sum = torch::zeros_like(images);
  torch::Tensor weights = torch::zeros({images.size(0), 1, height, width}, images.options());
  for (std::int64_t dy = -reach; dy <= reach; ++dy) {
    for (std::int64_t dx = -reach; dx <= reach; ++dx) {
      const auto squared = (here - window(dy, dx, half)).square().sum(1, true);
      const auto distance = torch::avg_pool2d(squared, {patch, patch}, {1, 1});
      const auto weight = (-distance / scale).exp();
      sum = sum + weight * window(dy, dx, 0);
      weights = weights + weight;
    }
  }
  return sum / weights;
}

struct Means : torch::autograd::Function<Means> {
  static Variable forward(AutogradContext* context, const Variable& images, std::int64_t search,
                          std::int64_t patch, double strength) {
    context->save_for_backward({images});
    context->saved_data["search"] = search;
    context->saved_data["patch"] = patch;
    context->saved_data["strength"] = strength;
    return plainMeans(images, search, patch, strength);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto images = context->get_saved_variables()[0];
    const auto search = context->saved_data["search"].toInt();
    const auto patch = context->saved_data["patch"].toInt();
    const auto strength = context->saved_data["strength"].toDouble();
    std::vector<torch::Tensor> parts;
    // Some 16 images of 32 x 32 at a time: one image alone is too little for an operator.
    const std::int64_t pixels = images.size(2) * images.size(3);
    const std::int64_t chunk = std::max<std::int64_t>(1, 16384 / pixels);
    for (std::int64_t i = 0; i < images.size(0); i += chunk) {
      const torch::AutoGradMode enabled(true);
      const auto leaf = images.slice(0, i, i + chunk).detach().requires_grad_(true);
      const auto value = plainMeans(leaf, search, patch, strength);
      const auto above = gradients[0].slice(0, i, i + chunk);
      parts.push_back(torch::autograd::grad({value}, {leaf}, {above})[0]);
    }
    return {torch::cat(parts), {}, {}, {}};
  }
};

}  // namespace

torch::Tensor reduceBitDepth(const torch::Tensor& images, std::int64_t bits) {
  const double levels = std::pow(2.0, static_cast<double>(bits)) - 1;
  return straightThrough(images, (images.detach() * levels).round() / levels);
}

torch::Tensor medianFilter(const torch::Tensor& images, std::int64_t height, std::int64_t width) {
  const std::int64_t up = height / 2, left = width / 2;
  if (height > images.size(2) || width > images.size(3)) {
    throw Error::badInput("the median's window is larger than the image", "squeezers",
                          "take a smaller window");
  }
  const auto wide = mirrored(mirrored(images, 2, up, height - 1 - up), 3, left, width - 1 - left);
  std::vector<torch::Tensor> shifted;
  for (std::int64_t dy = 0; dy < height; ++dy) {
    for (std::int64_t dx = 0; dx < width; ++dx) {
      shifted.push_back(wide.slice(2, dy, dy + images.size(2)).slice(3, dx, dx + images.size(3)));
    }
  }
  const auto sorted = std::get<0>(torch::stack(shifted, 4).sort(4));
  return sorted.select(4, height * width / 2);
}

torch::Tensor nonLocalMeans(const torch::Tensor& images, std::int64_t search, std::int64_t patch,
                            double strength) {
  const std::int64_t border = search / 2 + patch / 2;
  if (border >= std::min(images.size(2), images.size(3))) {
    throw Error::badInput(
        "non-local means look " + std::to_string(border) + " pixels far, and the image is smaller",
        "squeezers", "take a smaller search window or another squeezer");
  }
  return Means::apply(images, search, patch, strength);
}

Squeezer squeezerNamed(const std::string& name, const std::string& path) {
  const auto numbersAfter = [&](const std::string& prefix) {
    std::vector<std::int64_t> numbers;
    if (name.rfind(prefix, 0) != 0) return numbers;
    std::istringstream rest(name.substr(prefix.size()));
    for (std::string part; std::getline(rest, part, '_');) {
      const bool digits = !part.empty() && part.size() < 4 &&
                          part.find_first_not_of("0123456789") == std::string::npos;
      numbers.push_back(digits ? std::stoll(part) : -1);
    }
    return numbers;
  };
  if (const auto n = numbersAfter("bit_depth_"); n.size() == 1 && n[0] >= 1 && n[0] <= 16) {
    return {name, [bits = n[0]](const torch::Tensor& x) { return reduceBitDepth(x, bits); }};
  }
  if (const auto n = numbersAfter("median_filter_");
      n.size() == 2 && n[0] >= 1 && n[1] >= 1 && n[0] <= 15 && n[1] <= 15) {
    return {name, [h = n[0], w = n[1]](const torch::Tensor& x) { return medianFilter(x, h, w); }};
  }
  if (const auto n = numbersAfter("non_local_means_");
      n.size() == 3 && n[0] % 2 == 1 && n[1] % 2 == 1 && n[0] <= 31 && n[1] <= 15 && n[2] >= 1) {
    return {name, [search = n[0], patch = n[1], strength = n[2]](const torch::Tensor& x) {
              return nonLocalMeans(x, search, patch, static_cast<double>(strength));
            }};
  }
  throw Error::badInput("there is no squeezer '" + name + "'", path,
                        "known: bit_depth_BITS, median_filter_HEIGHT_WIDTH, "
                        "non_local_means_SEARCH_PATCH_STRENGTH with odd sides, such as "
                        "non_local_means_13_3_2");
}

}  // namespace bulwark
