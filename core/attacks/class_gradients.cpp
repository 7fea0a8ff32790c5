#include "core/attacks/class_gradients.h"

#include <utility>

#include "core/attacks/ball.h"

namespace bulwark {

ClassGradients::ClassGradients(torch::Tensor functions, torch::Tensor images, std::int64_t bytes,
                               std::function<void()> backward)
    : functions_(std::move(functions)), images_(std::move(images)), backward_(std::move(backward)) {
  const auto each = images_.numel() * static_cast<std::int64_t>(images_.element_size());
  if (count() > 1 && each * count() > bytes) return;
  for (std::int64_t m = 0; m < count(); ++m) {
    const torch::AutoGradMode withGraph(true);
    kept_.push_back(made(functions_.select(1, m), m + 1 == count()));
  }
}

torch::Tensor ClassGradients::made(const torch::Tensor& values, bool last) {
  backward_();
  auto gradient = torch::autograd::grad({values.sum()}, {images_}, {}, !last)[0];
  const torch::NoGradGuard noGrad;
  const auto maxima = rowMaxima(gradient);
  largest_ = largest_.defined() ? torch::maximum(largest_, maxima) : maxima;
  return gradient;
}

torch::Tensor ClassGradients::of(std::int64_t number) {
  if (!kept_.empty()) return kept_[static_cast<std::size_t>(number)];
  const torch::AutoGradMode withGraph(true);
  return made(functions_.select(1, number), false);
}

torch::Tensor ClassGradients::ofRows(const torch::Tensor& numbers) {
  if (kept_.empty()) {
    const torch::AutoGradMode withGraph(true);
    return made(functions_.gather(1, numbers.unsqueeze(1)), false);
  }
  const torch::NoGradGuard noGrad;
  auto rows = kept_[0];
  for (std::int64_t m = 1; m < count(); ++m) {
    rows = torch::where(perRow(numbers == m), kept_[static_cast<std::size_t>(m)], rows);
  }
  return rows;
}

}  // namespace bulwark
