#pragma once

#include "core/attacks/attack.h"
#include "core/attacks/walk.h"

namespace bulwark {

/// The options "eps" and "norm" that every bounded attack has; `source` of the default radius.
/// Under l2 a radius may exceed 1, as it may in adversarial training.
void addThreatOptions(OptionSchema& options, const std::string& source);
/// Throws `Error` (BadInput) at "eps" for a radius above 1 under l-inf, which is the whole range of
/// a pixel; `attack` is named in it.
ThreatModel threatOf(const Params& params, const std::string& attack);

/// The option "keep": the best point found, or the last as published.
void addKeepOption(OptionSchema& options);
Kept keptOf(const Params& params);

/// A start drawn uniformly from the ball around `image` [C, H, W], then clipped to the box. Uniform
/// in the l2 ball means a radius of eps u^(1/d): with hundreds of pixels close to eps. (Where
/// Madry et al. draw the length itself uniformly, the starts are nearer to the image.)
torch::Tensor randomStart(const torch::Tensor& image, const ThreatModel& threat, Seed seed);

/// One for each of `images` [seats, C, H, W], on their device; drawn on the CPU from the seats'
/// seeds.
torch::Tensor randomStarts(const torch::Tensor& images, const ThreatModel& threat,
                           const std::vector<Seat>& seats);

/// int64 on `device`: the seats' rows.
torch::Tensor rowsOf(const std::vector<Seat>& seats, const torch::Device& device);

/// Throws `Error` (BadInput) unless `images` is float32 [N, C, H, W] within [0, 1].
void requireImages(const torch::Tensor& images, const std::string& where);

/// Throws `Error` (Failed) when an adversarial image is outside its ball by more than 1e-6 (the
/// rounding of x + delta in float32 stays below 1e-7), outside the box, or not finite (check H7).
void auditPerturbation(const torch::Tensor& clean, const torch::Tensor& adversarial,
                       const ThreatModel& threat, const std::string& where);

}  // namespace bulwark
