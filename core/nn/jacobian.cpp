#include "core/nn/jacobian.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "core/nn/active_rows.h"

namespace bulwark {
namespace {

using Tensors = std::vector<torch::Tensor>;

/// Values per image and, where wanted, the gradient of their sum with respect to each weight.
struct Norms {
  torch::Tensor values;
  Tensors gradients;
};

/// What a part of the batch adds up.
template <class T>
class ActiveRows {
 public:
  /// `gram` = W_1 W_1^T; `lastGram` = W_L^T W_L where the last layer is linear, else undefined.
  ActiveRows(const Tensors& weights, const Tensors& masks, std::size_t code,
             const torch::Tensor& gram, const torch::Tensor& lastGram, bool wantGradient)
      : weights_(weights),
        masks_(masks),
        code_(code),
        layers_(weights.size()),
        gram_(gram),
        lastGram_(lastGram),
        wantGradient_(wantGradient) {
    if (!wantGradient_) return;
    first_ = torch::zeros_like(gram_);
    if (lastGram_.defined()) last_ = torch::zeros_like(lastGram_);
    for (std::size_t l = 1; l < layers_; ++l) {
      const bool shared = l + 1 == layers_ && lastGram_.defined();
      sums_.push_back(shared ? torch::Tensor() : torch::zeros_like(weights_[l]));
    }
  }

  /// ||J||_F^2 of one image.
  double add(std::int64_t image) {
    std::vector<Units> active;  // of layer l at l
    for (std::size_t l = 0; l < layers_; ++l) {
      active.push_back(activeUnits<T>(masks_[l], image, weights_[l].size(0)));
      if (active.back().empty()) return 0.0;  // a dead layer: J = 0, and so is its gradient
    }
    const std::size_t end = layers_ - 1;  // the last layer
    Tensors w(layers_), q(layers_), wq(layers_), p(layers_), pw(layers_);
    for (std::size_t l = 1; l < layers_; ++l) {
      if (l == end && lastGram_.defined()) continue;
      w[l] = gatherBlock<T>(weights_[l], active[l], active[l - 1]);
    }
    const auto forward = [&](std::size_t l) {  // q[l] from q[l - 1]
      wq[l] = w[l].mm(q[l - 1]);
      q[l] = wq[l].mm(w[l].t());
    };
    const auto backward = [&](std::size_t l) {  // p[l - 1] from p[l]
      pw[l] = p[l].mm(w[l]);
      p[l - 1] = w[l].t().mm(pw[l]);
    };
    q[0] = gatherBlock<T>(gram_, active[0], active[0]);
    for (std::size_t l = 1; l < code_; ++l) forward(l);
    p[end - 1] = lastGram_.defined() ? gatherBlock<T>(lastGram_, active[end - 1], active[end - 1])
                                     : w[end].t().mm(w[end]);
    for (std::size_t l = end - 1; l >= code_; --l) backward(l);
    const double value = (p[code_ - 1] * q[code_ - 1]).sum().template item<double>();
    if (!wantGradient_) return value;

    for (std::size_t l = code_; l < end; ++l) forward(l);
    for (std::size_t l = code_ - 1; l >= 1; --l) backward(l);
    addBlock<T>(first_, active[0], active[0], p[0]);
    for (std::size_t l = 1; l < end; ++l) {
      const bool narrows = active[l].size() < active[l - 1].size();
      addBlock<T>(sums_[l - 1], active[l], active[l - 1],
                  narrows ? p[l].mm(wq[l]) : pw[l].mm(q[l - 1]));
    }
    if (lastGram_.defined()) {
      addBlock<T>(last_, active[end - 1], active[end - 1], q[end - 1]);
    } else {
      addBlock<T>(sums_[end - 1], active[end], active[end - 1], w[end].mm(q[end - 1]));
    }
    return value;
  }

  void add(const ActiveRows& other) {
    if (!wantGradient_) return;
    first_ += other.first_;
    if (last_.defined()) last_ += other.last_;
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      if (sums_[i].defined()) sums_[i] += other.sums_[i];
    }
  }

  Tensors gradients() const {
    if (!wantGradient_) return {};
    Tensors all = {2 * first_.mm(weights_.front())};
    for (const auto& sum : sums_) {
      all.push_back(sum.defined() ? 2 * sum : 2 * weights_.back().mm(last_));
    }
    return all;
  }

 private:
  const Tensors& weights_;
  const Tensors& masks_;
  std::size_t code_, layers_;
  torch::Tensor gram_, lastGram_;
  bool wantGradient_;
  torch::Tensor first_;  // sum of P_1: the gradient of the first weight is its product with W_1
  torch::Tensor last_;   // sum of Q_{L-1}, for a linear last layer
  Tensors sums_;         // gradients of the other weights, halved
};

template <class T>
Norms byActiveRows(const Tensors& weights, const Tensors& masks, std::size_t code, bool want) {
  const std::int64_t images = masks.front().size(0);
  const torch::Tensor gram = weights.front().mm(weights.front().t());
  torch::Tensor lastGram;
  if (!masks.back().defined()) lastGram = weights.back().t().mm(weights.back());
  // One part per thread, added up in order: the same sums whenever the thread count is the same.
  const auto parts = std::min<std::int64_t>(images, at::get_num_threads());
  std::vector<std::unique_ptr<ActiveRows<T>>> sums(static_cast<std::size_t>(parts));
  Norms norms{torch::empty({images}, torch::kFloat64), {}};
  double* values = norms.values.data_ptr<double>();
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    const torch::NoGradGuard noGrad;
    for (std::int64_t part = begin; part < end; ++part) {
      auto& sum = sums[static_cast<std::size_t>(part)];
      sum = std::make_unique<ActiveRows<T>>(weights, masks, code, gram, lastGram, want);
      for (std::int64_t i = part * images / parts; i < (part + 1) * images / parts; ++i) {
        values[i] = sum->add(i);
      }
    }
  });
  for (std::size_t part = 1; part < sums.size(); ++part) sums.front()->add(*sums[part]);
  norms.gradients = sums.front()->gradients();
  return norms;
}

/// The same with masks instead of sub-matrices: every product is one batched kernel.
Norms batched(const Tensors& weights, const Tensors& masks, std::size_t code, bool want) {
  const std::size_t layers = weights.size(), end = layers - 1;
  const auto rows = [&](std::size_t l, const torch::Tensor& of) {
    return masks[l].defined() ? masks[l].unsqueeze(2) * of : of;
  };
  const auto both = [&](std::size_t l, const torch::Tensor& of) {
    return masks[l].defined() ? masks[l].unsqueeze(2) * of * masks[l].unsqueeze(1) : of;
  };
  Tensors q(layers), p(layers), pw(layers);
  const auto forward = [&](std::size_t l) {
    q[l] = both(l, torch::matmul(torch::matmul(weights[l], q[l - 1]), weights[l].t()));
  };
  const auto backward = [&](std::size_t l) {
    pw[l] = torch::matmul(p[l], weights[l]);
    p[l - 1] = both(l - 1, torch::matmul(weights[l].t(), pw[l]));
  };
  q[0] = both(0, weights.front().mm(weights.front().t()).unsqueeze(0));
  for (std::size_t l = 1; l < code; ++l) forward(l);
  p[end - 1] = both(end - 1, torch::matmul(weights[end].t(), rows(end, weights[end].unsqueeze(0))));
  for (std::size_t l = end - 1; l >= code; --l) backward(l);
  Norms norms{(p[code - 1] * q[code - 1]).sum({1, 2}), {}};
  if (!want) return norms;
  for (std::size_t l = code; l < end; ++l) forward(l);
  for (std::size_t l = code - 1; l >= 1; --l) backward(l);
  norms.gradients.push_back(2 * p[0].sum(0).mm(weights.front()));
  for (std::size_t l = 1; l < end; ++l) {
    // sum_n (P W)_n Q_n as one product over (image, unit).
    const std::int64_t width = weights[l].size(1);
    const auto left = pw[l].permute({1, 0, 2}).reshape({weights[l].size(0), -1});
    norms.gradients.push_back(2 * left.mm(q[l - 1].reshape({-1, width})));
  }
  norms.gradients.push_back(2 * rows(end, torch::matmul(weights[end], q[end - 1])).sum(0));
  return norms;
}

}  // namespace

JacobianNorm jacobianNorm(const ReluChain& chain, std::size_t code, JacobianForm form) {
  const std::size_t layers = chain.weights.size();
  if (layers < 2 || code == 0 || code >= layers || chain.masks.size() != layers) {
    throw std::logic_error("a chain has a mask per layer, and its code between two layers");
  }
  for (std::size_t l = 0; l + 1 < layers; ++l) {
    if (!chain.masks[l].defined()) throw std::logic_error("only the last layer may be linear");
  }
  bool want = false;
  if (torch::GradMode::is_enabled()) {
    for (const auto& weight : chain.weights) want = want || weight.requires_grad();
  }
  const bool onCpu = chain.weights.front().device().is_cpu();
  if (form == JacobianForm::Automatic) {
    form = onCpu ? JacobianForm::ActiveRows : JacobianForm::Batched;
  }
  Norms norms;
  {
    const torch::NoGradGuard noGrad;
    Tensors weights, masks;
    for (std::size_t l = 0; l < layers; ++l) {
      weights.push_back(chain.weights[l].detach().contiguous());
      masks.push_back(chain.masks[l].defined() ? chain.masks[l].contiguous() : chain.masks[l]);
    }
    if (form == JacobianForm::Batched) {
      norms = batched(weights, masks, code, want);
    } else if (!onCpu) {
      throw std::logic_error("active rows are gathered on the CPU only");
    } else if (weights.front().scalar_type() == torch::kFloat64) {
      norms = byActiveRows<double>(weights, masks, code, want);
    } else {
      norms = byActiveRows<float>(weights, masks, code, want);
    }
  }
  const auto images = static_cast<double>(norms.values.size(0));
  JacobianNorm result;
  result.perImage = norms.values.to(chain.weights.front().scalar_type());
  result.mean = norms.values.mean().to(chain.weights.front().scalar_type());
  if (!want) return result;
  // The known gradient as a graph: adds exactly 0 to the value.
  for (std::size_t l = 0; l < layers; ++l) {
    const auto& weight = chain.weights[l];
    if (!weight.requires_grad()) continue;
    result.mean = result.mean + ((norms.gradients[l] / images) * (weight - weight.detach())).sum();
  }
  return result;
}

torch::Tensor hutchinsonJacobianNorm(const torch::Tensor& output, const torch::Tensor& input,
                                     std::int64_t probes, Random& random) {
  torch::Tensor total;
  for (std::int64_t probe = 0; probe < probes; ++probe) {
    auto signs = torch::empty(output.sizes(), torch::kFloat32);
    float* data = signs.data_ptr<float>();
    for (std::int64_t i = 0; i < signs.numel(); ++i) data[i] = (random() >> 63) != 0 ? 1.0f : -1.0f;
    const auto product = torch::autograd::grad({output}, {input}, {signs.to(output.options())},
                                               /*retain_graph=*/true, /*create_graph=*/true)[0];
    const auto norm = product.flatten(1).square().sum(1);
    total = total.defined() ? total + norm : norm;
  }
  return total / static_cast<double>(probes);
}

torch::Tensor naiveJacobianNorm(const torch::Tensor& output, const torch::Tensor& input) {
  const auto flat = output.flatten(1);
  torch::Tensor total;
  for (std::int64_t i = 0; i < flat.size(1); ++i) {
    const auto row =
        torch::autograd::grad({flat.select(1, i).sum()}, {input}, {}, /*retain_graph=*/true,
                              /*create_graph=*/true)[0];
    const auto norm = row.flatten(1).square().sum(1);
    total = total.defined() ? total + norm : norm;
  }
  return total;
}

}  // namespace bulwark
