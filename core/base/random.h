#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace bulwark {

/// A node in the tree of seeds of a run: run seed -> "split", "init", "attack/pgd" -> sample 17.
///
/// Children are derived by hashing, so that adding a consumer never changes what others draw.
class Seed {
 public:
  explicit constexpr Seed(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  Seed child(std::string_view name) const;
  Seed child(std::uint64_t index) const;

 private:
  std::uint64_t value_;
};

/// xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64; the same numbers on every machine.
/// A UniformRandomBitGenerator; the state can be stored in a checkpoint.
class Random {
 public:
  using result_type = std::uint64_t;
  explicit Random(Seed seed);
  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return ~result_type{0}; }
  result_type operator()();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Uniform in [0, n); n > 0; without modulo bias.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal (Box-Muller).
  double normal();
  /// Fisher-Yates, on any random-access container.
  template <class Container>
  void shuffle(Container& items) {
    for (std::uint64_t i = items.size(); i > 1; --i) {
      using std::swap;
      swap(items[i - 1], items[below(i)]);
    }
  }
  const std::array<std::uint64_t, 4>& state() const { return state_; }
  void setState(const std::array<std::uint64_t, 4>& state) {
    state_ = state;
    hasSpare_ = false;
  }

 private:
  std::array<std::uint64_t, 4> state_{};
  double spare_ = 0.0;
  bool hasSpare_ = false;
};

}  // namespace bulwark
