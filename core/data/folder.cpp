#include "core/data/raw_images.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/layout.h"

#if BULWARK_IMAGE_CODECS
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#endif

namespace bulwark {
namespace fs = std::filesystem;
namespace {

/// All images below a class folder, sorted by path; anything else in it is an error.
std::vector<fs::path> imagesBelow(const fs::path& folder, bool recursive, Task& task) {
  std::vector<fs::path> found;
  const auto take = [&](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (!entry.is_regular_file(ignored) || isHarmless(entry.path())) return;
    if (!isImageName(entry.path())) {
      throw Error::badInput("not an image file", entry.path().string(),
                            "move it out of the image folder (PNG, JPEG, BMP and PPM are read)");
    }
    found.push_back(entry.path());
    if (found.size() % 256 == 0) task.checkpoint();
  };
  if (recursive) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) take(entry);
  } else {
    for (const auto& entry : fs::directory_iterator(folder)) take(entry);
  }
  std::sort(found.begin(), found.end());
  return found;
}

#if BULWARK_IMAGE_CODECS

[[noreturn]] void undecodable(const fs::path& path, const std::string& problem) {
  throw Error::badInput(problem, path.string(), "remove the file or fetch it again");
}

/// The decoders fill what a cut file lacks with grey and only print a warning, so the end markers
/// are looked for here.
void requireWhole(const std::string& bytes, const fs::path& path) {
  const bool jpeg = bytes.starts_with("\xff\xd8");
  const bool png = bytes.starts_with("\x89PNG");
  const bool cut = (jpeg && bytes.rfind("\xff\xd9") == std::string::npos) ||
                   (png && bytes.rfind("IEND") == std::string::npos);
  if (cut) undecodable(path, "truncated: the image ends early");
}

/// uint8 [C, H, W] with C = 1 or 3. The one place where OpenCV's BGR becomes RGB.
torch::Tensor decode(const fs::path& path) {
  const std::string bytes = readFile(path);
  if (bytes.empty()) undecodable(path, "the file is empty");
  requireWhole(bytes, path);
  cv::Mat image;
  try {
    const cv::Mat raw(1, static_cast<int>(bytes.size()), CV_8UC1, const_cast<char*>(bytes.data()));
    image = cv::imdecode(raw, cv::IMREAD_ANYCOLOR);
    if (image.channels() == 3) cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  } catch (const cv::Exception&) {
    image.release();
  }
  if (image.empty() || image.depth() != CV_8U) {
    undecodable(path, "not an image, although its name says so");
  }
  if (!image.isContinuous()) image = image.clone();
  return torch::from_blob(image.data, {image.rows, image.cols, image.channels()}, torch::kUInt8)
      .permute({2, 0, 1})
      .clone(torch::MemoryFormat::Contiguous);
}

torch::Tensor resized(const torch::Tensor& image, int side) {
  if (image.size(1) == side && image.size(2) == side) return image;
  return resizeAntialiased(image.unsqueeze(0).to(torch::kFloat32).div_(255.0), side, side)
      .mul_(255.0)
      .round_()
      .to(torch::kUInt8)
      .squeeze(0);
}

std::string sizeOf(const torch::Tensor& image) {
  return std::to_string(image.size(2)) + " x " + std::to_string(image.size(1));
}

torch::Tensor decodeAll(const std::vector<fs::path>& files, const torch::Tensor& indices,
                        const FolderOptions& options, Task& task) {
  std::vector<torch::Tensor> images;
  images.reserve(static_cast<std::size_t>(indices.size(0)));
  bool colour = false, mixed = false;
  for (std::int64_t i = 0; i < indices.size(0); ++i) {
    const auto& file = files[static_cast<std::size_t>(indices[i].item<std::int64_t>())];
    torch::Tensor image = decode(file);
    if (options.size > 0) {
      image = resized(image, options.size);
    } else if (!images.empty() && image[0].sizes() != images[0][0].sizes()) {
      if (options.fallbackSize == 0) {
        throw Error::badInput("the image is " + sizeOf(image) + ", others are " + sizeOf(images[0]),
                              file.string(), "set \"size\" to bring all images to one size");
      }
      mixed = true;
    }
    colour = colour || image.size(0) == 3;
    // Without a known size large images are kept small early, or they might not fit together.
    if (options.size == 0 && mixed) image = resized(image, options.fallbackSize);
    images.push_back(std::move(image));
    task.advance();
  }
  for (auto& image : images) {
    if (mixed) image = resized(image, options.fallbackSize);
    if (colour && image.size(0) == 1) image = image.repeat({3, 1, 1});
  }
  return torch::stack(images);
}

#else

torch::Tensor decodeAll(const std::vector<fs::path>& files, const torch::Tensor&,
                        const FolderOptions&, Task&) {
  throw Error::badInput("this build cannot decode image files",
                        files.empty() ? std::string() : files[0].string(),
                        "build with -DBULWARK_IMAGE_CODECS=ON (needs OpenCV), or save the images "
                        "as an NPY array");
}

#endif

}  // namespace

bool hasImageCodecs() {
#if BULWARK_IMAGE_CODECS
  return true;
#else
  return false;
#endif
}

RawImages readFolder(const fs::path& folder, const std::vector<std::string>& classes,
                     const FolderOptions& options, Task& task) {
  std::vector<fs::path> files;
  std::vector<std::int64_t> labels;
  std::error_code ignored;
  const auto take = [&](const std::vector<fs::path>& found, std::int64_t label) {
    files.insert(files.end(), found.begin(), found.end());
    labels.insert(labels.end(), found.size(), label);
  };
  try {
    const bool direct = classes.empty();
    take(imagesBelow(folder, direct, task), -1);
    for (std::size_t label = 0; label < classes.size(); ++label) {
      const fs::path inner = folder / classes[label];
      if (!fs::is_directory(inner, ignored)) continue;  // a class of the other split only
      const auto found = imagesBelow(inner, true, task);
      if (found.empty()) {
        throw Error::badInput("the class folder holds no image", inner.string(),
                              "put images into it or remove it");
      }
      take(found, static_cast<std::int64_t>(label));
    }
  } catch (const fs::filesystem_error& error) {
    throw Error::badInput(error.code().message(), folder.string(), "check the permissions");
  }
  if (files.empty()) {
    throw Error::badInput("the folder holds no image", folder.string(),
                          "put PNG, JPEG, BMP or PPM files into it, one folder per class");
  }
  RawImages raw;
  raw.labels = torch::tensor(labels, torch::kInt64);
  raw.classNames = classes;
  raw.pixels = [files = std::move(files), options](const torch::Tensor& indices, Task& progress) {
    return decodeAll(files, indices, options, progress);
  };
  return raw;
}

}  // namespace bulwark
