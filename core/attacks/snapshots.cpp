#include "core/attacks/snapshots.h"

#include <algorithm>

#include "core/attacks/passes.h"
#include "core/nn/device.h"

namespace bulwark {

void startSnapshots(const torch::Tensor& images, const AttackContext& context,
                    AttackResult& result) {
  const auto samples = static_cast<std::int64_t>(context.snapshotSamples.size());
  const auto times = static_cast<std::int64_t>(context.snapshotSteps.size());
  auto shape = images.sizes().vec();
  shape[0] = times;
  shape.insert(shape.begin(), samples);
  result.snapshots = torch::zeros(shape, torch::kFloat32);
  result.snapshotValues = torch::zeros({samples, times}, torch::kFloat64);
}

void keepSnapshots(std::int64_t sample, std::int64_t from, std::int64_t to, double value,
                   const std::function<torch::Tensor()>& image, const AttackContext& context,
                   AttackResult& result) {
  const auto& samples = context.snapshotSamples;
  const auto& times = context.snapshotSteps;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    if (samples[s] != sample) continue;
    for (std::size_t t = 0; t < times.size(); ++t) {
      if (times[t] < from || times[t] > to) continue;
      const auto a = static_cast<std::int64_t>(s), b = static_cast<std::int64_t>(t);
      result.snapshots[a][b].copy_(image());
      result.snapshotValues[a][b] = value;
    }
  }
}

torch::Tensor judgeImages(Objective& objective, const torch::Tensor& images, std::int64_t width,
                          const AttackContext& context, AttackResult& result) {
  const std::int64_t count = images.size(0);
  const auto values = torch::empty({count}, torch::kFloat64);
  width = std::max<std::int64_t>(1, width);
  for (std::int64_t begin = 0; begin < count; begin += width) {
    context.task.checkpoint();
    const auto samples = torch::arange(begin, std::min(begin + width, count));
    const auto points = toDevice(images.index_select(0, samples), context.device);
    values.index_copy_(0, samples,
                       objective.judge(points, samples).to(torch::kCPU, torch::kFloat64));
    result.forwards += samples.size(0) * passesOf(objective).judge;
  }
  return values;
}

}  // namespace bulwark
