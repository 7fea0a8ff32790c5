#include <algorithm>

#include "core/data/generated.h"

namespace bulwark {
namespace {

template <class Draw>
RawImages noise(const GeneratedRequest& request, Draw draw) {
  RawImages raw;
  raw.labels = torch::full({request.count}, -1, torch::kInt64);
  raw.pixels = [request, draw](const torch::Tensor& indices, Task& task) {
    const std::int64_t values = std::int64_t{request.channels} * request.size * request.size;
    torch::Tensor images =
        torch::empty({indices.size(0), request.channels, request.size, request.size});
    auto* to = images.data_ptr<float>();
    const auto* index = indices.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < indices.size(0); ++i) {
      Random random(request.seed.child(static_cast<std::uint64_t>(index[i])));
      for (std::int64_t k = 0; k < values; ++k) *to++ = draw(random);
      task.advance();
    }
    return images;
  };
  return raw;
}

}  // namespace

RawImages uniformNoise(const GeneratedRequest& request) {
  return noise(request, [](Random& random) { return static_cast<float>(random.uniform()); });
}

RawImages gaussianNoise(const GeneratedRequest& request) {
  return noise(request, [](Random& random) {
    return static_cast<float>(std::clamp(0.5 + random.normal(), 0.0, 1.0));
  });
}

}  // namespace bulwark
