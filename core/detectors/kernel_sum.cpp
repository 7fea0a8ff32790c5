#include "core/detectors/kernel_sum.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BULWARK_VECTOR_CLONES __attribute__((target_clones("fma", "default")))
#define BULWARK_WIDE __attribute__((target("avx512f")))
#else
#define BULWARK_VECTOR_CLONES
#endif

namespace bulwark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::Variable;
using torch::autograd::variable_list;

/// Numbers of `Bytes` bytes, 256 bits unless told, which become two of 128 where the processor has
/// no wider ones. Written out, because the compiler makes no vectors of loops over so few numbers.
template <class Scalar, std::size_t Bytes = 32>
struct Lanes {
  using Vector [[gnu::vector_size(Bytes)]] = Scalar;
  using Anywhere [[gnu::vector_size(Bytes), gnu::aligned(sizeof(Scalar)), gnu::may_alias]] = Scalar;
  static constexpr std::int64_t width = Bytes / sizeof(Scalar);
};

/// Replaces every lane by its exp, to 2 units in the last place (range reduction and polynomial of
/// Cephes' expf); 0 where it is below the least normal number, infinite above exp(88).
template <std::size_t Bytes>
[[gnu::always_inline]] inline void exponential(typename Lanes<float, Bytes>::Vector& x) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  using Integers = typename Lanes<std::int32_t, Bytes>::Vector;
  constexpr float least = -87.33654F, most = 88.0F, rounder = 12582912.0F;  // 1.5 * 2^23
  const Integers tooSmall = x<least, tooLarge = x> most;  // neither for NaN, which stays NaN
  x = x < least ? Vector{} + least : x;
  x = x > most ? Vector{} + most : x;
  const Vector power = (x * 1.44269504F + rounder) - rounder;  // the nearest integer to x / ln 2
  const Vector rest = (x - power * 0.693359375F) + power * 2.12194440e-4F;
  Vector value = rest * 1.9875691500e-4F + 1.3981999507e-3F;
  value = value * rest + 8.3334519073e-3F;
  value = value * rest + 4.1665795894e-2F;
  value = value * rest + 1.6666665459e-1F;
  value = value * rest + 5.0000001201e-1F;
  value = value * rest * rest + rest + 1.0F;
  const Integers scale = (__builtin_convertvector(power, Integers) + 127) << 23;
  value *= reinterpret_cast<Vector>(scale);
  value = tooLarge ? Vector{} + std::numeric_limits<float>::infinity() : value;
  const Integers kept = reinterpret_cast<Integers>(value) & ~tooSmall;
  x = reinterpret_cast<Vector>(kept);
}

constexpr std::int64_t kParts = 2;  // vectors of columns at once

/// Adds a [Rows, K] b [K, .] to `sums`, for the columns from b on; a row of b has `columns`.
template <std::int64_t Rows, std::size_t Bytes, class Scalar>
[[gnu::always_inline]] inline void addProduct(
    const Scalar* a, const Scalar* b, std::int64_t inner, std::int64_t columns,
    typename Lanes<Scalar, Bytes>::Vector (&sums)[Rows][kParts]) {
  using Anywhere = typename Lanes<Scalar, Bytes>::Anywhere;
  for (std::int64_t k = 0; k < inner; ++k) {
    const auto* across = reinterpret_cast<const Anywhere*>(b + k * columns);
    for (std::int64_t row = 0; row < Rows; ++row) {
      const Scalar factor = a[row * inner + k];
      for (std::int64_t part = 0; part < kParts; ++part) sums[row][part] += factor * across[part];
    }
  }
}

constexpr std::int64_t kTile = 32;  // supports

/// sum_s c_s exp(a_n . b_s) for `Rows` rows of a [., K] at once, b and c as `Tiles` has them;
/// nothing in between is written to memory.
template <std::int64_t Rows, std::size_t Bytes>
[[gnu::always_inline]] inline void sumRows(const float* a, const float* b, const float* weights,
                                           float* out, std::int64_t inner, std::int64_t tiles) {
  using Vector = typename Lanes<float, Bytes>::Vector;
  using Anywhere = typename Lanes<float, Bytes>::Anywhere;
  constexpr std::int64_t width = Lanes<float, Bytes>::width, lanes = kParts * width;
  static_assert(kTile % lanes == 0);
  Vector totals[Rows][kParts] = {};
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    for (std::int64_t j = 0; j < kTile; j += lanes) {
      Vector sums[Rows][kParts] = {};
      addProduct<Rows, Bytes>(a, b + tile * inner * kTile + j, inner, kTile, sums);
      const auto* weight = reinterpret_cast<const Anywhere*>(weights + tile * kTile + j);
      for (std::int64_t row = 0; row < Rows; ++row) {
        for (std::int64_t part = 0; part < kParts; ++part) {
          exponential<Bytes>(sums[row][part]);
          totals[row][part] += weight[part] * sums[row][part];
        }
      }
    }
  }
  for (std::int64_t row = 0; row < Rows; ++row) {
    const Vector both = totals[row][0] + totals[row][1];
    float total = 0;
    for (std::int64_t lane = 0; lane < width; ++lane) total += both[lane];
    out[row] = total;
  }
}

template <std::size_t Bytes>
[[gnu::always_inline]] inline void sumAll(const float* a, const float* b, const float* weights,
                                          float* out, std::int64_t rows, std::int64_t inner,
                                          std::int64_t tiles) {
  constexpr std::int64_t atOnce = 4;
  std::int64_t i = 0;
  for (; i + atOnce <= rows; i += atOnce) {
    sumRows<atOnce, Bytes>(a + i * inner, b, weights, out + i, inner, tiles);
  }
  for (; i < rows; ++i) sumRows<1, Bytes>(a + i * inner, b, weights, out + i, inner, tiles);
}

BULWARK_VECTOR_CLONES
void sumNarrow(const float* a, const float* b, const float* weights, float* out, std::int64_t rows,
               std::int64_t inner, std::int64_t tiles) {
  sumAll<32>(a, b, weights, out, rows, inner, tiles);
}

#ifdef BULWARK_WIDE
BULWARK_WIDE
void sumWide(const float* a, const float* b, const float* weights, float* out, std::int64_t rows,
             std::int64_t inner, std::int64_t tiles) {
  sumAll<64>(a, b, weights, out, rows, inner, tiles);
}
#endif

void sumOfKernels(const float* a, const float* b, const float* weights, float* out,
                  std::int64_t rows, std::int64_t inner, std::int64_t tiles) {
#ifdef BULWARK_WIDE
  if (__builtin_cpu_supports("avx512f")) {
    sumWide(a, b, weights, out, rows, inner, tiles);
    return;
  }
#endif
  sumNarrow(a, b, weights, out, rows, inner, tiles);
}

/// The supports of `kTile` at a time side by side, read from the first to the last number: columns
/// of [K, S] lie S apart, which is slow to fetch. The last tile is filled up with weights of 0.
struct Tiles {
  Tiles(const torch::Tensor& supports, const torch::Tensor& coefficients)
      : count((supports.size(0) + kTile - 1) / kTile) {
    const std::int64_t rest = count * kTile - supports.size(0);
    values = torch::constant_pad_nd(supports, {0, 0, 0, rest})
                 .view({count, kTile, supports.size(1)})
                 .transpose(1, 2)
                 .contiguous();
    weights = torch::constant_pad_nd(coefficients.flatten(), {0, rest}).contiguous();
  }

  std::int64_t count;
  torch::Tensor values;   // float32 [count, K, kTile]
  torch::Tensor weights;  // float32 [count kTile]
};

/// `Rows` rows of out [., M] = a [., K] b [K, M] at once.
template <std::int64_t Rows, class Scalar>
[[gnu::always_inline]] inline void someRows(const Scalar* a, const Scalar* b, Scalar* out,
                                            std::int64_t inner, std::int64_t columns) {
  using Vector = typename Lanes<Scalar>::Vector;
  using Anywhere = typename Lanes<Scalar>::Anywhere;
  constexpr std::int64_t lanes = kParts * Lanes<Scalar>::width;
  std::int64_t j = 0;
  for (; j + lanes <= columns; j += lanes) {
    Vector sums[Rows][kParts] = {};
    addProduct<Rows, 32>(a, b + j, inner, columns, sums);
    for (std::int64_t row = 0; row < Rows; ++row) {
      auto* found = reinterpret_cast<Anywhere*>(out + row * columns + j);
      for (std::int64_t part = 0; part < kParts; ++part) found[part] = sums[row][part];
    }
  }
  for (; j < columns; ++j) {
    for (std::int64_t row = 0; row < Rows; ++row) {
      Scalar sum = 0;
      for (std::int64_t k = 0; k < inner; ++k) sum += a[row * inner + k] * b[k * columns + j];
      out[row * columns + j] = sum;
    }
  }
}

template <class Scalar>
[[gnu::always_inline]] inline Scalar inProduct(const Scalar* a, const Scalar* b,
                                               std::int64_t size) {
  using Vector = typename Lanes<Scalar>::Vector;
  using Anywhere = typename Lanes<Scalar>::Anywhere;
  constexpr std::int64_t parts = 4, width = Lanes<Scalar>::width;
  Vector sums[parts] = {};
  std::int64_t k = 0;
  for (; k + parts * width <= size; k += parts * width) {
    const auto* left = reinterpret_cast<const Anywhere*>(a + k);
    const auto* right = reinterpret_cast<const Anywhere*>(b + k);
    for (std::int64_t part = 0; part < parts; ++part) sums[part] += left[part] * right[part];
  }
  Scalar total = 0;
  for (; k < size; ++k) total += a[k] * b[k];
  const Vector sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  for (std::int64_t lane = 0; lane < width; ++lane) total += sum[lane];
  return total;
}

template <class Scalar>
[[gnu::always_inline]] inline void allRows(const Scalar* a, const Scalar* b, Scalar* out,
                                           std::int64_t rows, std::int64_t inner,
                                           std::int64_t columns) {
  if (columns == 1) {
    for (std::int64_t i = 0; i < rows; ++i) out[i] = inProduct(a + i * inner, b, inner);
    return;
  }
  constexpr std::int64_t atOnce = 4;
  std::int64_t i = 0;
  for (; i + atOnce <= rows; i += atOnce) {
    someRows<atOnce>(a + i * inner, b, out + i * columns, inner, columns);
  }
  for (; i < rows; ++i) someRows<1>(a + i * inner, b, out + i * columns, inner, columns);
}

BULWARK_VECTOR_CLONES
void multiply(const float* a, const float* b, float* out, std::int64_t rows, std::int64_t inner,
              std::int64_t columns) {
  allRows(a, b, out, rows, inner, columns);
}

BULWARK_VECTOR_CLONES
void multiply(const double* a, const double* b, double* out, std::int64_t rows, std::int64_t inner,
              std::int64_t columns) {
  allRows(a, b, out, rows, inner, columns);
}

/// Fills out [N, M] with the product of [N, K] and [K, M], all contiguous. On the CPU every entry
/// is added up in one order, whatever the number of rows and the place of its own: BLAS has other
/// kernels for the last rows of a matrix, so that a value would depend on who else is scored, which
/// attacks must not see.
void product(const torch::Tensor& a, const torch::Tensor& b, torch::Tensor out) {
  if (!a.device().is_cpu()) {
    torch::mm_out(out, a, b);
    return;
  }
  const auto run = [&](auto* values) {
    using Scalar = std::remove_pointer_t<decltype(values)>;
    multiply(a.data_ptr<Scalar>(), b.data_ptr<Scalar>(), values, a.size(0), a.size(1), b.size(1));
  };
  a.scalar_type() == torch::kFloat64 ? run(out.data_ptr<double>()) : run(out.data_ptr<float>());
}

/// Runs `block(begin, end, exponents)` over all rows, on several threads where they lie on the CPU,
/// with exponents [end - begin, S] = queries v.
template <class Block>
void overKernel(const torch::Tensor& queries, const torch::Tensor& supports, const Block& block) {
  const auto across = supports.t().contiguous();
  const bool cpu = queries.device().is_cpu();
  const std::int64_t entries = cpu ? std::int64_t{1} << 15 : std::int64_t{1} << 24;
  const std::int64_t rows =
      std::max<std::int64_t>(16, entries / std::max<std::int64_t>(1, supports.size(0)));
  const std::int64_t total = queries.size(0);
  const std::int64_t blocks = (total + rows - 1) / rows;
  const auto run = [&](std::int64_t first, std::int64_t last) {
    const torch::NoGradGuard noGrad;
    const auto memory = torch::empty({std::min(rows, total), supports.size(0)}, queries.options());
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t begin = i * rows, end = std::min(total, begin + rows);
      auto exponents = memory.slice(0, 0, end - begin);
      product(queries.slice(0, begin, end), across, exponents);
      block(begin, end, exponents);
    }
  };
  cpu ? at::parallel_for(0, blocks, 1, run) : run(0, blocks);
}

/// float32 on the CPU, fused: with few features the exponentials and the way through memory would
/// take longer than the products.
void sumOnThreads(const torch::Tensor& queries, const torch::Tensor& supports,
                  const torch::Tensor& coefficients, const torch::Tensor& sums) {
  const Tiles tiles(supports, coefficients);
  const std::int64_t inner = queries.size(1);
  const auto *a = queries.data_ptr<float>(), *b = tiles.values.data_ptr<float>(),
             *w = tiles.weights.data_ptr<float>();
  auto* out = sums.data_ptr<float>();
  at::parallel_for(0, queries.size(0), 64, [&](std::int64_t begin, std::int64_t end) {
    sumOfKernels(a + begin * inner, b, w, out + begin, end - begin, inner, tiles.count);
  });
}

struct KernelSum : Function<KernelSum> {
  static Variable forward(AutogradContext* context, const Variable& asked,
                          const torch::Tensor& supports, const torch::Tensor& coefficients) {
    const auto queries = asked.detach().contiguous();
    context->save_for_backward({queries, supports, coefficients});
    const auto sums = torch::empty({queries.size(0), 1}, queries.options());
    if (queries.device().is_cpu() && queries.scalar_type() == torch::kFloat32) {
      sumOnThreads(queries, supports, coefficients, sums);
      return sums.squeeze(1);
    }
    overKernel(queries, supports,
               [&](std::int64_t begin, std::int64_t end, torch::Tensor exponents) {
                 product(exponents.exp_(), coefficients, sums.slice(0, begin, end));
               });
    return sums.squeeze(1);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor queries = saved[0], supports = saved[1], weights = saved[2].squeeze(1);
    const auto above = gradients[0].detach().unsqueeze(1);
    const auto found = torch::empty_like(queries);
    overKernel(queries, supports,
               [&](std::int64_t begin, std::int64_t end, torch::Tensor exponents) {
                 auto mine = found.slice(0, begin, end);
                 product(exponents.exp_().mul_(weights), supports, mine);
                 mine.mul_(above.slice(0, begin, end));
               });
    return {found, Variable(), Variable()};
  }
};

/// The terms c_s exp(q . v_s) of some rows over the largest of each row, in place of the exponents,
/// their sums [., 1] and the logarithms of the largest [., 1]. A support of weight 0 has no term.
std::pair<torch::Tensor, torch::Tensor> relativeTerms(torch::Tensor& exponents,
                                                      const torch::Tensor& logWeights) {
  exponents.add_(logWeights);
  const auto largest = exponents.amax(1, true);
  exponents.sub_(largest).exp_();
  const auto ones = torch::ones({exponents.size(1), 1}, exponents.options());
  auto sums = torch::empty({exponents.size(0), 1}, exponents.options());
  product(exponents, ones, sums);
  return {sums, largest};
}

struct LogKernelSum : Function<LogKernelSum> {
  static Variable forward(AutogradContext* context, const Variable& asked,
                          const torch::Tensor& supports, const torch::Tensor& coefficients) {
    const auto queries = asked.detach().contiguous();
    const auto logWeights = coefficients.squeeze(1).log();
    context->save_for_backward({queries, supports, logWeights});
    const auto values = torch::empty({queries.size(0), 1}, queries.options());
    overKernel(queries, supports,
               [&](std::int64_t begin, std::int64_t end, torch::Tensor exponents) {
                 const auto [sums, largest] = relativeTerms(exponents, logWeights);
                 values.slice(0, begin, end).copy_(sums.log() + largest);
               });
    return values.squeeze(1);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const torch::Tensor queries = saved[0], supports = saved[1], logWeights = saved[2];
    const auto above = gradients[0].detach().unsqueeze(1);
    const auto found = torch::empty_like(queries);
    overKernel(queries, supports,
               [&](std::int64_t begin, std::int64_t end, torch::Tensor exponents) {
                 const auto [sums, largest] = relativeTerms(exponents, logWeights);
                 auto mine = found.slice(0, begin, end);
                 product(exponents, supports, mine);
                 mine.mul_(above.slice(0, begin, end) / sums);
               });
    return {found, Variable(), Variable()};
  }
};

}  // namespace

torch::Tensor kernelSum(const torch::Tensor& queries, const torch::Tensor& supports,
                        const torch::Tensor& coefficients) {
  return KernelSum::apply(queries, supports, coefficients);
}

torch::Tensor logKernelSum(const torch::Tensor& queries, const torch::Tensor& supports,
                           const torch::Tensor& coefficients) {
  return LogKernelSum::apply(queries, supports, coefficients);
}

}  // namespace bulwark
