#include "core/nn/conv_norm.h"

#include <utility>

#include "core/nn/thin_convolution.h"

namespace bulwark {

ConvNorm::ConvNorm(torch::nn::Conv2d convolution, torch::nn::BatchNorm2d norm)
    : convolution_(std::move(convolution)), norm_(std::move(norm)) {}

torch::Tensor ConvNorm::operator()(const torch::Tensor& x) {
  if (!canFold()) return norm_(convolution_(x));
  if (!current()) fold();
  const auto padding = weight_.size(2) / 2;
  return thinConvolution(x, weight_, bias_, convolution_->options.stride(), {padding, padding});
}

std::vector<torch::Tensor> ConvNorm::sources() const {
  // The count is written to with the running statistics, whose kernel keeps quiet about it.
  return {convolution_->weight, norm_->weight,      norm_->bias,
          norm_->running_mean,  norm_->running_var, norm_->num_batches_tracked};
}

bool ConvNorm::canFold() const {
  if (norm_->is_training()) return false;
  if (!torch::GradMode::is_enabled()) return true;
  return !convolution_->weight.requires_grad() && !norm_->weight.requires_grad() &&
         !norm_->bias.requires_grad();
}

bool ConvNorm::current() const {
  if (folded_.empty()) return false;
  const auto now = sources();
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (now[i].data_ptr() != folded_[i].data_ptr() || now[i]._version() != versions_[i]) {
      return false;
    }
  }
  return true;
}

void ConvNorm::fold() {
  const torch::NoGradGuard noGrad;
  folded_.clear();
  versions_.clear();
  for (const auto& source : sources()) {
    folded_.push_back(source.detach());
    versions_.push_back(static_cast<std::uint32_t>(source._version()));
  }
  // In double, so that the folded weights are rounded once.
  const auto type = convolution_->weight.scalar_type();
  const auto mean = norm_->running_mean.to(torch::kFloat64);
  const auto scale = norm_->weight.to(torch::kFloat64) /
                     (norm_->running_var.to(torch::kFloat64) + norm_->options.eps()).sqrt();
  weight_ = (convolution_->weight.to(torch::kFloat64) * scale.view({-1, 1, 1, 1})).to(type);
  bias_ = (norm_->bias.to(torch::kFloat64) - scale * mean).to(type);
}

}  // namespace bulwark
