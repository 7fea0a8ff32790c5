#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "core/nn/network.h"

namespace bulwark {

/// The layers of a fully connected network x -> G(x) for one batch, as the Jacobian sees them.
///
/// Rectifiers make G piecewise linear: dG/dx = D_L W_L ... D_1 W_1 with D_l = diag(masks[l]); the
/// biases matter through the masks alone.
struct ReluChain {
  std::vector<torch::Tensor> weights;  ///< W_l, [out, in], first layer first
  /// [N, out] each, 1 where the unit is active, in the weights' type, without a graph; undefined: a
  /// linear layer.
  std::vector<torch::Tensor> masks;
};

/// How far x -> G(x) is iterated.
struct IterationPlan {
  std::int64_t most = 1;   ///< iterations, at least 1
  double tolerance = 0.0;  ///< an image stops once no pixel of it changes by more; 0: never
};

/// Symmetric fully connected autoencoder G with a linear classifier on its code (Alipour and
/// Seyyedsalehi, "attractors", section 2.5.1: 784-500-300-300-300-500-784, 300 -> 10).
///
/// F(x), the class logits, are those of the code of the last image fed: after n iterations they are
/// F(G^{n-1}(x)), so that whatever attacks the classifier goes through all of them.
class Autoencoder : public Network {
 public:
  /// `encoder`: units of the encoder's layers, the code last; the decoder mirrors them.
  Autoencoder(NetworkShape shape, const std::vector<std::int64_t>& encoder, bool linearOutput,
              std::int64_t passes);

  std::vector<std::string> taps() const override;
  torch::Tensor run(const torch::Tensor& images, TapValues* taps) override;

  /// G(x) for images [N, C, H, W], in their shape; differentiable. Above 0 with the rectified
  /// output, but not bounded by 1.
  torch::Tensor reconstruct(const torch::Tensor& images);
  /// Code [N, F] -> reconstruction [N, C H W], and logits [N, K].
  torch::Tensor decode(const torch::Tensor& code);
  torch::Tensor classify(const torch::Tensor& code);
  /// Code [N, F] of images [N, C, H, W].
  torch::Tensor encode(const torch::Tensor& images);

  /// Everything that one pass computes.
  struct Pass {
    torch::Tensor code;            ///< [N, F]
    torch::Tensor reconstruction;  ///< [N, C H W]
    torch::Tensor logits;          ///< [N, K]
    ReluChain chain;               ///< of G; its first weight carries the normalisation
  };
  /// One pass, whatever `iteration` is.
  Pass pass(const torch::Tensor& images);

  /// Encoder layers, then decoder layers; layer i and layer count - 1 - i mirror each other.
  const std::vector<torch::nn::Linear>& layers() const { return layers_; }
  const torch::nn::Linear& classifier() const { return classifier_; }
  std::size_t encoderLayers() const { return layers_.size() / 2; }
  bool linearOutput() const { return linearOutput_; }

  /// After which the class is read; see `ClassesAfter`.
  const IterationPlan& iteration() const { return iteration_; }

 private:
  torch::Tensor through(torch::Tensor value, std::size_t first, std::size_t last,
                        ReluChain* chain = nullptr);

  std::vector<torch::nn::Linear> layers_;
  torch::nn::Linear classifier_{nullptr};
  friend class ClassesAfter;

  bool linearOutput_;
  IterationPlan iteration_;
};

/// While it lives, the classes of a network are those after another iteration.
class ClassesAfter {
 public:
  ClassesAfter(Autoencoder& network, const IterationPlan& plan)
      : network_(network), before_(network.iteration_) {
    network_.iteration_ = plan;
  }
  ~ClassesAfter() { network_.iteration_ = before_; }
  ClassesAfter(const ClassesAfter&) = delete;
  ClassesAfter& operator=(const ClassesAfter&) = delete;

 private:
  Autoencoder& network_;
  IterationPlan before_;
};

/// The network as an autoencoder; throws `Error` (BadInput) at `where` when it is another one.
Autoencoder& requireAutoencoder(Network& network, const std::string& where);

}  // namespace bulwark
