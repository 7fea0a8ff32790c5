#include "core/attacks/threat.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"

namespace bulwark {

double finishBound(const AttackContext& context) {
  if (context.mode == AttackMode::Maximise) return context.saturation;
  if (context.thresholds.size() != 1) {
    throw Error::failed("an attack that is to cross a threshold was given " +
                            std::to_string(context.thresholds.size()) + " of them",
                        "attack");
  }
  return context.thresholds.front();
}

void addThreatOptions(OptionSchema& options, const std::string& source) {
  options
      .number("eps", "8/255",
              "Radius of the ball the adversary may move in: at most 1 under linf; under l2 a "
              "Euclidean length, which may be more")
      .range(0, 1000)
      .in("fraction of the [0,1] range")
      .from(source)
      .simple();
  options.choice("norm", "linf", {"linf", "l2"}, "Norm that the radius is measured in")
      .from(source);
}

ThreatModel threatOf(const Params& params, const std::string& attack) {
  const std::string norm = params.getText("norm");
  const double epsilon = params.getNumber("eps");
  if (norm == "linf" && epsilon > 1) {
    throw Error::badInput(
        "the radius " + formatNumber(epsilon) + " of " + attack +
            " is more than the whole [0,1] range",
        params.pathOf("eps"),
        "expected 0 <= eps <= 1 with the norm linf; larger ones take the norm l2");
  }
  return {norm == "l2" ? Norm::L2 : Norm::Linf, epsilon};
}

void addKeepOption(OptionSchema& options) {
  options
      .choice("keep", "best", {"best", "last"},
              "Point reported: the best found, the clean image included, or the last, as published")
      .from("Carlini et al. 2019: report the worst case per example")
      .expert();
}

Kept keptOf(const Params& params) {
  return params.getText("keep") == "last" ? Kept::Last : Kept::Best;
}

torch::Tensor randomStart(const torch::Tensor& image, const ThreatModel& threat, Seed seed) {
  Random random(seed);
  auto start = image.clone(torch::MemoryFormat::Contiguous);
  float* const pixels = start.data_ptr<float>();
  const std::int64_t count = start.numel();
  const auto moved = [](float pixel, double by) {
    return std::clamp(static_cast<float>(pixel + by), 0.0F, 1.0F);
  };
  if (threat.norm == Norm::Linf) {
    for (std::int64_t i = 0; i < count; ++i) {
      pixels[i] = moved(pixels[i], (2.0 * random.uniform() - 1.0) * threat.epsilon);
    }
    return start;
  }
  // A Gaussian direction at radius eps u^(1/d) is uniform in the ball.
  std::vector<double> direction(static_cast<std::size_t>(count));
  double squares = 0.0;
  for (double& d : direction) {
    d = random.normal();
    squares += d * d;
  }
  const double radius =
      threat.epsilon * std::pow(random.uniform(), 1.0 / static_cast<double>(count));
  const double scale = squares > 0.0 ? radius / std::sqrt(squares) : 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    pixels[i] = moved(pixels[i], scale * direction[static_cast<std::size_t>(i)]);
  }
  return start;
}

torch::Tensor randomStarts(const torch::Tensor& images, const ThreatModel& threat,
                           const std::vector<Seat>& seats) {
  const auto onHost = images.to(torch::kCPU);
  std::vector<torch::Tensor> starts;
  for (std::size_t i = 0; i < seats.size(); ++i) {
    const Seat& seat = seats[i];
    const auto image = onHost[static_cast<std::int64_t>(i)];
    starts.push_back(seat.start.defined() ? seat.start : randomStart(image, threat, seat.seed));
  }
  return torch::stack(starts).to(images.device());
}

torch::Tensor rowsOf(const std::vector<Seat>& seats, const torch::Device& device) {
  std::vector<std::int64_t> rows;
  for (const Seat& seat : seats) rows.push_back(seat.row);
  return torch::tensor(rows, torch::kInt64).to(device);
}

void requireImages(const torch::Tensor& images, const std::string& where) {
  if (images.dim() != 4 || images.scalar_type() != torch::kFloat32 || !images.device().is_cpu()) {
    throw Error::badInput("an attack takes float32 images [N, C, H, W] on the CPU", where);
  }
  if (images.numel() == 0) return;
  const auto least = images.min().item<double>(), most = images.max().item<double>();
  if (!(least >= 0.0 && most <= 1.0)) {
    throw Error::badInput(
        "pixels run from " + formatNumber(least) + " to " + formatNumber(most) + ", outside [0, 1]",
        where, "normalisation belongs into the network");
  }
}

void auditPerturbation(const torch::Tensor& clean, const torch::Tensor& adversarial,
                       const ThreatModel& threat, const std::string& where) {
  const torch::NoGradGuard noGrad;
  const std::int64_t total = clean.size(0);
  constexpr std::int64_t chunk = 256;
  for (std::int64_t begin = 0; begin < total; begin += chunk) {
    const auto to = adversarial.slice(0, begin, std::min(begin + chunk, total));
    const auto delta = (to.to(torch::kFloat64) - clean.slice(0, begin, begin + chunk)).flatten(1);
    if (!torch::isfinite(to).all().item<bool>()) {
      throw Error::failed("an adversarial image has pixels that are not numbers", where,
                          "this is a defect of the attack; please report it");
    }
    const double order = threat.norm == Norm::Linf ? std::numeric_limits<double>::infinity() : 2.0;
    const auto sizes = torch::linalg_vector_norm(delta, order, torch::IntArrayRef{1});
    const auto largest = sizes.max().item<double>();
    if (threat.norm != Norm::None && !(largest <= threat.epsilon + 1e-6)) {
      throw Error::failed("an adversarial image left the ball: distance " + formatNumber(largest) +
                              ", allowed " + formatNumber(threat.epsilon),
                          where, "this is a defect of the attack; please report it");
    }
    if (!(to.min().item<double>() >= 0.0 && to.max().item<double>() <= 1.0)) {
      throw Error::failed("an adversarial image has pixels outside [0, 1]", where,
                          "this is a defect of the attack; please report it");
    }
  }
}

}  // namespace bulwark
