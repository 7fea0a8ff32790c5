#include "core/nn/thin_convolution.h"

#include <vector>

namespace bulwark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// Channels in up to which LibTorch's own backward beats oneDNN's: measured 38 against 7 us per
/// image for 1 channel, 85 against 43 for 3.
constexpr std::int64_t kFewChannels = 4;

struct ThinConvolution : torch::autograd::Function<ThinConvolution> {
  static Variable forward(AutogradContext* context, const Variable& x, const Variable& weight,
                          const Variable& bias, std::vector<std::int64_t> stride,
                          std::vector<std::int64_t> padding) {
    context->save_for_backward({x, weight});
    context->saved_data["stride"] = stride;
    context->saved_data["padding"] = padding;
    return torch::conv2d(x, weight, bias, stride, padding);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto stride = context->saved_data["stride"].toIntVector();
    const auto padding = context->saved_data["padding"].toIntVector();
    const auto& weight = saved[1];
    const auto found =
        at::_slow_conv2d_backward(gradients[0], saved[0], weight, {weight.size(2), weight.size(3)},
                                  stride, padding, {true, false, false});
    return {std::get<0>(found), {}, {}, {}, {}};
  }
};

}  // namespace

torch::Tensor thinConvolution(const torch::Tensor& x, const torch::Tensor& weight,
                              const torch::Tensor& bias, torch::IntArrayRef stride,
                              torch::IntArrayRef padding) {
  const bool frozen = !weight.requires_grad() && !(bias.defined() && bias.requires_grad());
  const bool thin = x.device().is_cpu() && x.dim() == 4 && x.size(0) > 0 &&
                    weight.size(1) <= kFewChannels && torch::GradMode::is_enabled() &&
                    x.requires_grad();
  if (!frozen || !thin) return torch::conv2d(x, weight, bias, stride, padding);
  return ThinConvolution::apply(x, weight, bias, stride.vec(), padding.vec());
}

}  // namespace bulwark
