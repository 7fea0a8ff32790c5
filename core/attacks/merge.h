#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/attacks/attack.h"
#include "core/attacks/passes.h"

namespace bulwark {

/// An objective of which only some positions are under attack: sample i of this is sample
/// `positions[i]` of the base.
class SubsetObjective : public Objective, public ManyPasses {
 public:
  /// `positions` int64 on the CPU; `base` outlives this.
  SubsetObjective(Objective& base, torch::Tensor positions);

  Values evaluate(const torch::Tensor& images, const torch::Tensor& samples) override;
  torch::Tensor judge(const torch::Tensor& images, const torch::Tensor& samples) override;
  Passes passes() const override { return passesOf(base_); }
  bool randomised() const override { return isRandomised(base_); }
  std::int64_t classes() const override { return base_.classes(); }
  torch::Tensor logits(const torch::Tensor& images) override { return base_.logits(images); }
  torch::Tensor labels(const torch::Tensor& samples, const torch::Device& device) const override;
  torch::Tensor judgeLogits(const torch::Tensor& logits,
                            const torch::Tensor& labels) const override;

 private:
  Objective& base_;
  torch::Tensor positions_;
};

/// Attacks run one after another on the same images; of each image the worst point of all is kept,
/// so an ensemble is never weaker than a member on any single image (check H5).
///
/// Each member is told the best value so far as the clean one. An image beyond the bound (in
/// `Cross` mode: already broken; in `Maximise` mode: of final rank) therefore leaves every later
/// member before its first propagation, while the others keep their rows: what a member does to an
/// image cannot depend on who has left. The trajectories follow one another; distances to a
/// threshold are not reported, since images that have left were not measured.
class WorstOf {
 public:
  using Member = std::function<AttackResult(Objective& objective, const torch::Tensor& images,
                                            const AttackContext& context)>;

  /// `name` in the progress: "autoattack". All three outlive this.
  WorstOf(std::string name, Objective& objective, const torch::Tensor& images,
          const AttackContext& context);

  /// Runs a member on all images, its random numbers drawn from the context's seed and `label`.
  void add(const std::string& label, const Member& member);
  /// Runs a member on the images at `positions` (int64, CPU, ascending).
  void add(const std::string& label, const torch::Tensor& positions, const Member& member);
  /// Counts propagations that no member has counted.
  void count(std::int64_t forwards, std::int64_t backwards);

  /// What has been found so far; undefined tensors before the first member.
  const AttackResult& result() const { return result_; }
  /// int64: positions of the images not yet beyond the bound.
  torch::Tensor standing() const;
  AttackResult take() { return std::move(result_); }

 private:
  AttackContext contextFor(const std::string& label) const;
  void begin(const std::string& label, std::int64_t images) const;
  void merge(const AttackResult& found);
  void mergeImprovements(const AttackResult& found);

  std::string name_;
  Objective& objective_;
  const torch::Tensor& images_;
  const AttackContext& context_;
  AttackResult result_;
};

}  // namespace bulwark
