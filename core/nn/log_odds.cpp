#include "core/nn/log_odds.h"

#include <limits>
#include <string>

#include "core/base/error.h"

namespace bulwark {

torch::Tensor negativeLogOdds(const torch::Tensor& logits, const torch::Tensor& classes) {
  if (logits.dim() != 2 || logits.size(1) < 2) {
    throw Error::failed("log-odds need logits of at least two classes", "logits",
                        "a network with one output has no softmax probability");
  }
  const auto index = classes.unsqueeze(1);
  const auto own = logits.gather(1, index).squeeze(1);
  const auto others = logits.scatter(1, index, -std::numeric_limits<float>::infinity());
  return torch::logsumexp(others, 1) - own;
}

}  // namespace bulwark
