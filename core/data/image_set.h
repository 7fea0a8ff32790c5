#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/base/task.h"
#include "core/data/catalogue.h"

namespace bulwark {

struct ImageShape {
  std::int64_t channels = 0, height = 0, width = 0;
  bool operator==(const ImageShape&) const = default;
};

/// Labelled images that are read batch by batch; immutable once made.
class ImageSet {
 public:
  virtual ~ImageSet() = default;

  virtual std::int64_t size() const = 0;
  virtual ImageShape shape() const = 0;
  /// float32 [B, C, H, W] in [0, 1] on the CPU for int64 `indices` [B].
  virtual torch::Tensor images(const torch::Tensor& indices) const = 0;
  /// int64 [N]; -1 where unlabelled.
  virtual const torch::Tensor& labels() const = 0;
  virtual const std::vector<std::string>& classNames() const = 0;
  virtual const std::string& name() const = 0;
  /// sha256 over shape, pixels and labels in order.
  virtual std::string fingerprint(Task& task) const = 0;
  /// For every image the hash of its pixels on the 8-bit grid, to find the same image in two roles;
  /// 0 for images of one single colour, which say nothing about where they come from; [N].
  virtual std::vector<std::uint64_t> imageHashes(Task& task) const = 0;
  /// How the images came to be: origin, split, resize and channel rule, limits.
  virtual const Json& details() const = 0;

  /// float32 [end - begin, C, H, W].
  torch::Tensor range(std::int64_t begin, std::int64_t end) const;
};

/// An image set held in memory: uint8 [N, C, H, W], or float32 in [0, 1].
class TensorImageSet : public ImageSet {
 public:
  TensorImageSet(std::string name, torch::Tensor pixels, torch::Tensor labels,
                 std::vector<std::string> classNames, Json details = Json::object());

  std::int64_t size() const override;
  ImageShape shape() const override;
  torch::Tensor images(const torch::Tensor& indices) const override;
  const torch::Tensor& labels() const override { return labels_; }
  const std::vector<std::string>& classNames() const override { return classNames_; }
  const std::string& name() const override { return name_; }
  std::string fingerprint(Task& task) const override;
  std::vector<std::uint64_t> imageHashes(Task& task) const override;
  const Json& details() const override { return details_; }

  const torch::Tensor& pixels() const { return pixels_; }

 private:
  std::string name_;
  torch::Tensor pixels_;
  torch::Tensor labels_;
  std::vector<std::string> classNames_;
  Json details_;
};

/// How images of another size or channel count are brought to the experiment's shape; one rule
/// per experiment, stored with the run, so that no set is told apart by its resampling.
struct ConversionRule {
  ImageShape shape;
  std::string resize = "antialiased bilinear";
  bool redIsGrey = false;  ///< colour to grey: the first channel instead of ITU-R BT.601 luma
  bool invert = false;     ///< 1 - x of every value, at the end
  std::string toColour = "repeat the grey channel";
};

/// Loads what `request` names. `role` is "train" or "test" and decides split and limit where the
/// request leaves them open; undivided data serves either role. `classes` are kept and numbered
/// from 0 in the given order. A limit draws that many images with `seed`, without replacement,
/// kept in their order; a smaller limit gives a subset of a larger one. Size and channels are
/// applied where the request sets them, else the images keep their own. Generated sets make
/// `limit` images (default 1000) of 28 x 28 grey pixels unless the request says otherwise.
/// Throws `Error`: BadInput for the request and the files, Cancelled.
std::shared_ptr<ImageSet> loadDataset(const DatasetCatalogue& catalogue,
                                      const DatasetRequest& request, const std::string& role,
                                      Seed seed, Task& task);

/// The images at `indices` (int64), with labels; `details` gain `note`.
std::shared_ptr<ImageSet> subset(const std::shared_ptr<ImageSet>& set, const torch::Tensor& indices,
                                 const std::string& note);

/// Converted to the rule's shape; the set itself when it already has it.
std::shared_ptr<ImageSet> convert(const std::shared_ptr<ImageSet>& set, const ConversionRule& rule,
                                  Task& task);

/// Keeps the images of `classes` and numbers them 0..K-1 in that order.
std::shared_ptr<ImageSet> keepClasses(const std::shared_ptr<ImageSet>& set,
                                      const std::vector<std::int64_t>& classes);

/// Throws `Error` (BadInput) when the sets share an image, naming how many and the two roles.
/// Images of one single colour are not compared.
void requireDisjoint(const ImageSet& a, const std::string& roleA, const ImageSet& b,
                     const std::string& roleB, Task& task);

}  // namespace bulwark
