#include "core/detectors/gaussian.h"

#include "core/base/error.h"

namespace bulwark {

void FeatureMoments::add(const torch::Tensor& features, const torch::Tensor& labels) {
  const torch::NoGradGuard noGrad;
  auto values = features.detach().to(torch::kFloat64);
  if (!shift_.defined()) {
    const auto options = values.options();
    const std::int64_t size = values.size(1);
    shift_ = values.mean(0);
    counts_ = torch::zeros({classes_}, options);
    sums_ = torch::zeros({classes_, size}, options);
    scatter_ = torch::zeros({size, size}, options);
  }
  values = values - shift_;
  // A product with the one-hot labels, not index_add_, which sums in no fixed order on CUDA.
  const auto members = torch::one_hot(labels.to(values.device()), classes_).to(torch::kFloat64);
  counts_ += members.sum(0);
  sums_.addmm_(members.t(), values);
  scatter_.addmm_(values.t(), values);
}

torch::Tensor FeatureMoments::counts() const {
  return counts_;
}

torch::Tensor FeatureMoments::classMeans() const {
  return sums_ / counts_.unsqueeze(1) + shift_;
}

torch::Tensor FeatureMoments::mean() const {
  return sums_.sum(0) / counts_.sum() + shift_;
}

torch::Tensor FeatureMoments::pooledCovariance() const {
  const auto means = sums_ / counts_.unsqueeze(1);
  return (scatter_ - torch::mm((means * counts_.unsqueeze(1)).t(), means)) / counts_.sum();
}

torch::Tensor FeatureMoments::totalCovariance() const {
  const auto total = counts_.sum();
  const auto mean = sums_.sum(0) / total;
  return scatter_ / total - torch::outer(mean, mean);
}

SharedGaussians::SharedGaussians(const torch::Tensor& means, const torch::Tensor& covariance,
                                 double ridge, const torch::Device& device,
                                 const std::string& where) {
  const torch::NoGradGuard noGrad;
  auto regular = covariance.to(torch::kCPU).clone();
  regular.diagonal().add_(ridge * covariance.diagonal().mean().item<double>());
  const auto [lower, failed] = at::linalg_cholesky_ex(regular);
  // Features that vary by less than the rounding of float32 have no covariance but noise, which a
  // Cholesky factorisation may accept.
  const double size = means.abs().max().item<double>();
  const bool constant = covariance.diagonal().mean().item<double>() <= 1e-12 * size * size;
  if (constant || failed.item<int>() != 0) {
    throw Error::failed("the covariance of the features is singular", where,
                        "raise the option 'ridge', or use more training images");
  }
  const auto identity = torch::eye(regular.size(0), regular.options());
  const auto inverse = torch::linalg_solve_triangular(lower, identity, /*upper=*/false);
  const auto centre = means.to(torch::kCPU).mean(0);
  const auto whitened = torch::mm(means.to(torch::kCPU) - centre, inverse.t());
  const auto single = torch::TensorOptions(device).dtype(torch::kFloat32);
  centre_ = centre.to(single);
  factor_ = inverse.t().contiguous().to(single);
  means_ = whitened.to(single);
}

torch::Tensor SharedGaussians::whiten(const torch::Tensor& features) const {
  return torch::mm(features - centre_, factor_);
}

torch::Tensor SharedGaussians::nearest(const torch::Tensor& features) const {
  const auto white = whiten(features);
  // Which mean is nearest needs no graph; the distance to it alone is differentiated, which is
  // the gradient of the minimum.
  torch::Tensor index;
  {
    const torch::NoGradGuard noGrad;
    const auto detached = white.detach();
    index = (means_.square().sum(1) - 2 * torch::mm(detached, means_.t())).argmin(1);
  }
  return (white - means_.index_select(0, index)).square().sum(1);
}

torch::Tensor SharedGaussians::all(const torch::Tensor& features) const {
  const torch::NoGradGuard noGrad;
  const auto white = whiten(features);
  std::vector<torch::Tensor> columns;
  for (std::int64_t c = 0; c < means_.size(0); ++c) {
    columns.push_back((white - means_[c]).square().sum(1));
  }
  return torch::stack(columns, 1);
}

void SharedGaussians::save(TensorFile& file, const std::string& prefix) const {
  file.tensors[prefix + ".centre"] = centre_.to(torch::kCPU).contiguous();
  file.tensors[prefix + ".factor"] = factor_.to(torch::kCPU).contiguous();
  file.tensors[prefix + ".means"] = means_.to(torch::kCPU).contiguous();
}

SharedGaussians SharedGaussians::load(const TensorFile& file, const std::string& prefix,
                                      const torch::Device& device, const std::string& where) {
  SharedGaussians loaded;
  const auto& centre = file.require(prefix + ".centre", {-1}, where);
  const std::int64_t size = centre.size(0);
  loaded.centre_ = centre.to(device);
  loaded.factor_ = file.require(prefix + ".factor", {size, size}, where).to(device);
  loaded.means_ = file.require(prefix + ".means", {-1, size}, where).to(device);
  return loaded;
}

}  // namespace bulwark
