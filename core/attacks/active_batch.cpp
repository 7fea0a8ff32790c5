#include "core/attacks/active_batch.h"

#include <limits>

namespace bulwark {
namespace {

torch::Tensor perRow(const torch::Tensor& values) {
  return values.view({-1, 1, 1, 1});
}

torch::Tensor rowNorms(const torch::Tensor& tensor) {
  return torch::linalg_vector_norm(tensor.flatten(1), 2, torch::IntArrayRef{1});
}

}  // namespace

ActiveBatch::ActiveBatch(const ThreatModel& threat, double stepSize, const torch::Tensor& images,
                         const torch::Device& device)
    : threat_(threat), stepSize_(stepSize), device_(device) {
  points_ = images.to(device, torch::kFloat32, /*non_blocking=*/false, /*copy=*/true).contiguous();
  best_ = points_.clone();
  buffer_ = torch::empty_like(points_);
  bestValues_ = torch::full({points_.size(0)}, -std::numeric_limits<double>::infinity(),
                            torch::TensorOptions(device).dtype(torch::kFloat64));
  if (threat.norm == Norm::Linf) {
    lower_ = (points_ - threat.epsilon).clamp_min_(0);
    upper_ = (points_ + threat.epsilon).clamp_max_(1);
  } else {
    origin_ = points_.clone();
  }
}

void ActiveBatch::place(const torch::Tensor& rows, const torch::Tensor& images,
                        const torch::Tensor& best) {
  const torch::NoGradGuard noGrad;
  const auto index = onDevice(rows);
  const auto fresh = onDevice(images);
  points_.index_copy_(0, index, fresh);
  best_.index_copy_(0, index, fresh);
  bestValues_.index_copy_(0, index, onDevice(best));
  if (threat_.norm == Norm::Linf) {
    lower_.index_copy_(0, index, (fresh - threat_.epsilon).clamp_min_(0));
    upper_.index_copy_(0, index, (fresh + threat_.epsilon).clamp_max_(1));
  } else {
    origin_.index_copy_(0, index, fresh);
  }
}

void ActiveBatch::moveTo(const torch::Tensor& rows, const torch::Tensor& starts) {
  const torch::NoGradGuard noGrad;
  points_.index_copy_(0, onDevice(rows), onDevice(starts));
}

void ActiveBatch::keepBest(const torch::Tensor& judged) {
  const torch::NoGradGuard noGrad;
  const auto improved = judged > bestValues_;
  torch::where_out(bestValues_, improved, judged, bestValues_);
  torch::where_out(best_, perRow(improved), points_, best_);
}

void ActiveBatch::step(const torch::Tensor& gradient, const torch::Tensor& magnitude) {
  const torch::NoGradGuard noGrad;
  if (threat_.norm == Norm::Linf) {
    torch::sign_out(buffer_, gradient);
    points_.add_(buffer_, stepSize_);
    torch::clamp_out(points_, points_, lower_, upper_);
    return;
  }
  // Divided by its largest entry first: squares of tiny gradients would underflow.
  constexpr float tiny = std::numeric_limits<float>::min();
  torch::div_out(buffer_, gradient, perRow(magnitude.clamp_min(tiny)));
  buffer_.mul_(perRow(stepSize_ / rowNorms(buffer_).clamp_min_(1e-12)));
  points_.add_(buffer_);
  torch::sub_out(buffer_, points_, origin_);
  buffer_.mul_(perRow((threat_.epsilon / rowNorms(buffer_).clamp_min_(1e-12)).clamp_max_(1)));
  torch::add_out(points_, origin_, buffer_);
  points_.clamp_(0, 1);
}

torch::Tensor ActiveBatch::bestImages(const torch::Tensor& rows) const {
  return best_.index_select(0, onDevice(rows)).to(torch::kCPU);
}

void ActiveBatch::compact(const torch::Tensor& rows) {
  const torch::NoGradGuard noGrad;
  const auto index = onDevice(rows);
  for (torch::Tensor* tensor : {&points_, &best_, &bestValues_, &lower_, &upper_, &origin_}) {
    if (tensor->defined()) *tensor = tensor->index_select(0, index);
  }
  buffer_ = torch::empty_like(points_);
}

}  // namespace bulwark
