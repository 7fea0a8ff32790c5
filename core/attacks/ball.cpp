#include "core/attacks/ball.h"

namespace bulwark {

torch::Tensor perRow(const torch::Tensor& values) {
  return values.view({-1, 1, 1, 1});
}

torch::Tensor rowNorms(const torch::Tensor& images) {
  return torch::linalg_vector_norm(images.flatten(1), 2, torch::IntArrayRef{1});
}

torch::Tensor rowMaxima(const torch::Tensor& values) {
  return values.flatten(1).abs().amax(1);
}

Ball::Ball(const ThreatModel& threat, const torch::Tensor& images)
    : threat_(threat), centres_(images.clone(torch::MemoryFormat::Contiguous)) {
  if (threat.norm == Norm::Linf) {
    lower_ = (centres_ - threat.epsilon).clamp_min_(0);
    upper_ = (centres_ + threat.epsilon).clamp_max_(1);
  }
}

void Ball::place(const torch::Tensor& rows, const torch::Tensor& images) {
  const torch::NoGradGuard noGrad;
  centres_.index_copy_(0, rows, images);
  if (threat_.norm == Norm::Linf) {
    lower_.index_copy_(0, rows, (images - threat_.epsilon).clamp_min_(0));
    upper_.index_copy_(0, rows, (images + threat_.epsilon).clamp_max_(1));
  }
}

void Ball::keep(const torch::Tensor& rows) {
  const torch::NoGradGuard noGrad;
  for (torch::Tensor* tensor : {&centres_, &lower_, &upper_, &buffer_}) {
    if (tensor->defined()) *tensor = tensor->index_select(0, rows);
  }
}

void Ball::project(torch::Tensor& points) const {
  const torch::NoGradGuard noGrad;
  switch (threat_.norm) {
    case Norm::Linf:
      torch::clamp_out(points, points, lower_, upper_);
      return;
    case Norm::L2:
      if (!buffer_.defined()) buffer_ = torch::empty_like(centres_);
      torch::sub_out(buffer_, points, centres_);
      buffer_.mul_(perRow((threat_.epsilon / rowNorms(buffer_).clamp_min_(1e-12)).clamp_max_(1)));
      torch::add_out(points, centres_, buffer_);
      points.clamp_(0, 1);
      return;
    case Norm::None:
      points.clamp_(0, 1);
      return;
  }
}

}  // namespace bulwark
