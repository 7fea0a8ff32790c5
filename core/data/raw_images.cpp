#include "core/data/raw_images.h"

#include <algorithm>
#include <utility>

namespace bulwark {

torch::Tensor readBytes(ByteSource& source, std::int64_t size, Task& task) {
  constexpr std::int64_t firstStep = std::int64_t{64} << 20;
  constexpr std::int64_t chunk = std::int64_t{4} << 20;
  // A plain file's length was compared with the header; compressed data is believed bit by bit.
  std::int64_t capacity = source.compressed() ? std::min(size, firstStep) : size;
  torch::Tensor bytes = torch::empty({capacity}, torch::kUInt8);
  for (std::int64_t done = 0; done < size;) {
    if (done == capacity) {
      capacity = std::min(size, capacity * 2);
      torch::Tensor larger = torch::empty({capacity}, torch::kUInt8);
      larger.narrow(0, 0, done).copy_(bytes);
      bytes = std::move(larger);
    }
    const std::int64_t step = std::min(chunk, capacity - done);
    source.read(bytes.data_ptr<std::uint8_t>() + done, static_cast<std::size_t>(step));
    done += step;
    task.checkpoint();
  }
  return bytes;
}

std::function<torch::Tensor(const torch::Tensor&, Task&)> selectFrom(torch::Tensor all) {
  return [all = std::move(all)](const torch::Tensor& indices, Task&) {
    // Ascending and distinct: as many as there are means all of them.
    return indices.size(0) == all.size(0) ? all : all.index_select(0, indices);
  };
}

torch::Tensor resizeAntialiased(const torch::Tensor& images, std::int64_t height,
                                std::int64_t width) {
  if (images.size(2) == height && images.size(3) == width) return images;
  namespace F = torch::nn::functional;
  return F::interpolate(images, F::InterpolateFuncOptions()
                                    .size(std::vector<std::int64_t>{height, width})
                                    .mode(torch::kBilinear)
                                    .align_corners(false)
                                    .antialias(true))
      .clamp_(0.0, 1.0);
}

}  // namespace bulwark
