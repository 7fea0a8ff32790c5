#include "core/nn/rectified_pool.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace bulwark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// Which of the four pixels was the largest, the first of equals; `kNone`: none was positive. As
/// wide as a pixel, or the compiler makes no vectors of the loops.
using Choice = std::int32_t;
constexpr Choice kNone = 4;

/// Runs `plane(index)` over all images and channels.
template <class Plane>
void overPlanes(const torch::Tensor& pooled, const Plane& plane) {
  const std::int64_t planes = pooled.size(0) * pooled.size(1);
  const std::int64_t pixels = std::max<std::int64_t>(1, pooled.size(2) * pooled.size(3));
  const std::int64_t grain = std::max<std::int64_t>(1, 8192 / pixels);
  at::parallel_for(0, planes, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) plane(i);
  });
}

template <class Scalar>
void poolRow(const Scalar* __restrict upper, const Scalar* __restrict lower,
             Scalar* __restrict values, Choice* __restrict choices, std::int64_t columns) {
  for (std::int64_t j = 0; j < columns; ++j) {
    // As in LibTorch: a later pixel wins when it is larger or not a number.
    Scalar best = upper[2 * j];
    Choice choice = 0;
    const Scalar second = upper[2 * j + 1], third = lower[2 * j], fourth = lower[2 * j + 1];
    bool takes = (second > best) | (second != second);
    best = takes ? second : best;
    choice = takes ? 1 : choice;
    takes = (third > best) | (third != third);
    best = takes ? third : best;
    choice = takes ? 2 : choice;
    takes = (fourth > best) | (fourth != fourth);
    best = takes ? fourth : best;
    choice = takes ? 3 : choice;
    const bool none = best <= 0;
    values[j] = none ? Scalar(0) : best;
    choices[j] = none ? kNone : choice;
  }
}

/// Both pixels of a row: the values whose choice is `left` or `left` + 1.
template <class Scalar>
void spreadRow(const Scalar* __restrict values, const Choice* __restrict choices, Choice left,
               Scalar* __restrict pixels, std::int64_t columns) {
  for (std::int64_t j = 0; j < columns; ++j) {
    const Scalar value = values[j];
    const Choice choice = choices[j];
    pixels[2 * j] = choice == left ? value : Scalar(0);
    pixels[2 * j + 1] = choice == left + 1 ? value : Scalar(0);
  }
}

template <class Scalar>
void pool(const torch::Tensor& x, torch::Tensor& values, torch::Tensor& choices) {
  const std::int64_t width = x.size(3), height = x.size(2);
  const std::int64_t rows = values.size(2), columns = values.size(3);
  const Scalar* const from = x.data_ptr<Scalar>();
  Scalar* const to = values.data_ptr<Scalar>();
  Choice* const chosen = choices.data_ptr<Choice>();
  overPlanes(values, [&](std::int64_t plane) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Scalar* const row = from + (plane * height + 2 * i) * width;
      const std::int64_t target = (plane * rows + i) * columns;
      poolRow(row, row + width, to + target, chosen + target, columns);
    }
  });
}

/// Each value to the pixel that was chosen, zero to all others.
template <class Scalar>
void spread(const torch::Tensor& values, const torch::Tensor& choices, torch::Tensor& x) {
  const std::int64_t width = x.size(3), height = x.size(2);
  const std::int64_t rows = values.size(2), columns = values.size(3);
  const Scalar* const from = values.data_ptr<Scalar>();
  const Choice* const chosen = choices.data_ptr<Choice>();
  Scalar* const to = x.data_ptr<Scalar>();
  overPlanes(values, [&](std::int64_t plane) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Scalar* const value = from + (plane * rows + i) * columns;
      const Choice* const choice = chosen + (plane * rows + i) * columns;
      Scalar* const upper = to + (plane * height + 2 * i) * width;
      Scalar* const lower = upper + width;
      spreadRow(value, choice, 0, upper, columns);
      spreadRow(value, choice, 2, lower, columns);
      if (width % 2 == 1) upper[width - 1] = lower[width - 1] = Scalar(0);
    }
    if (height % 2 == 1) {
      std::fill_n(to + (plane * height + height - 1) * width, width, Scalar(0));
    }
  });
}

/// The value of the pixel that was chosen, zero where none was: the transpose of `spread`.
template <class Scalar>
void gather(const torch::Tensor& x, const torch::Tensor& choices, torch::Tensor& values) {
  const std::int64_t width = x.size(3), height = x.size(2);
  const std::int64_t rows = values.size(2), columns = values.size(3);
  const Scalar* const from = x.data_ptr<Scalar>();
  const Choice* const chosen = choices.data_ptr<Choice>();
  Scalar* const to = values.data_ptr<Scalar>();
  overPlanes(values, [&](std::int64_t plane) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const Scalar* const row = from + (plane * height + 2 * i) * width;
      const std::int64_t target = (plane * rows + i) * columns;
      for (std::int64_t j = 0; j < columns; ++j) {
        const Choice choice = chosen[target + j];
        const Scalar* const pixel = row + (choice / 2 % 2) * width + 2 * j + choice % 2;
        to[target + j] = choice == kNone ? Scalar(0) : *pixel;
      }
    }
  });
}

// Both directions are linear once the choices are made, and each is the other's derivative, so that
// gradients of gradients come out right too.
struct Spread : Function<Spread> {
  static Variable forward(AutogradContext* context, const Variable& values, const Variable& choices,
                          std::int64_t height, std::int64_t width);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};

struct Gather : Function<Gather> {
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& choices);
  static variable_list backward(AutogradContext* context, const variable_list& gradients);
};

Variable Spread::forward(AutogradContext* context, const Variable& values, const Variable& choices,
                         std::int64_t height, std::int64_t width) {
  context->save_for_backward({choices});
  const auto source = values.contiguous();
  auto x = torch::empty({values.size(0), values.size(1), height, width}, values.options());
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "spread",
                             [&] { spread<scalar_t>(source, choices, x); });
  return x;
}

variable_list Spread::backward(AutogradContext* context, const variable_list& gradients) {
  return {Gather::apply(gradients[0], context->get_saved_variables()[0]), {}, {}, {}};
}

Variable Gather::forward(AutogradContext* context, const Variable& x, const Variable& choices) {
  context->save_for_backward({choices});
  context->saved_data["height"] = x.size(2);
  context->saved_data["width"] = x.size(3);
  const auto source = x.contiguous();
  auto values = torch::empty(choices.sizes(), x.options());
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gather",
                             [&] { gather<scalar_t>(source, choices, values); });
  return values;
}

variable_list Gather::backward(AutogradContext* context, const variable_list& gradients) {
  return {
      Spread::apply(gradients[0], context->get_saved_variables()[0],
                    context->saved_data["height"].toInt(), context->saved_data["width"].toInt()),
      {}};
}

struct RectifiedPool : Function<RectifiedPool> {
  static Variable forward(AutogradContext* context, const Variable& x) {
    const auto source = x.contiguous();
    auto values = torch::empty({x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2}, x.options());
    auto choices = torch::empty(values.sizes(), x.options().dtype(torch::kInt32));
    AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "rectifiedPool",
                               [&] { pool<scalar_t>(source, values, choices); });
    context->save_for_backward({choices});
    context->saved_data["height"] = x.size(2);
    context->saved_data["width"] = x.size(3);
    return values;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    return {Spread::apply(gradients[0], context->get_saved_variables()[0],
                          context->saved_data["height"].toInt(),
                          context->saved_data["width"].toInt())};
  }
};

}  // namespace

torch::Tensor rectifiedPool(const torch::Tensor& x) {
  const bool own = x.device().is_cpu() && x.dim() == 4 && x.size(2) >= 2 && x.size(3) >= 2 &&
                   (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kFloat64);
  return own ? RectifiedPool::apply(x) : torch::max_pool2d(torch::relu(x), 2);
}

}  // namespace bulwark
