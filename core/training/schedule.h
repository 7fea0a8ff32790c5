#pragma once

#include <cstdint>
#include <string>

namespace bulwark {

/// How the learning rate runs over one training.
struct Schedule {
  enum class Kind { Constant, Step, Cosine, OneCycle };
  Kind kind = Kind::OneCycle;
  double peak = 0.1;        ///< the option learning_rate
  double stepFactor = 0.1;  ///< Step: applied after 50 % and again after 75 % of the training

  /// Learning rate of `iteration` in [0, total).
  ///
  /// Step: He et al. 2016, section 4.2 (divided by 10 at half and three quarters).
  /// Cosine: Loshchilov and Hutter 2017, eq. 5, one period without restart.
  /// OneCycle: Smith and Topin 2018, with the constants that became customary: up from peak / 25
  /// over the first 30 %, then down to peak / 250,000, both along half a cosine.
  double rate(std::int64_t iteration, std::int64_t total) const;

  /// "constant", "step", "cosine" or "one_cycle".
  static Kind kindNamed(const std::string& name);
};

}  // namespace bulwark
