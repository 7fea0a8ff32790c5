#include "app/cli/seeds.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/base/error.h"

namespace bulwark::cli {
namespace {

constexpr std::size_t kMost = 1000;

[[noreturn]] void refuse(std::string_view part) {
  throw Error::badInput("'" + std::string(part) + "' names no seeds", "--seeds",
                        "expected numbers and ranges, such as 0-4 or 0,2,5");
}

std::uint64_t number(std::string_view word, std::string_view part) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool whole = error == std::errc() && end == word.data() + word.size() && !word.empty();
  if (!whole || value > (std::uint64_t{1} << 53)) refuse(part);
  return value;
}

}  // namespace

std::vector<std::uint64_t> parseSeeds(const std::string& text) {
  std::vector<std::uint64_t> seeds;
  std::string_view rest = text;
  for (;;) {
    const auto comma = rest.find(',');
    const std::string_view part = rest.substr(0, comma);
    const auto dash = part.find('-');
    const std::uint64_t first = number(part.substr(0, dash), part);
    const std::uint64_t last =
        dash == std::string_view::npos ? first : number(part.substr(dash + 1), part);
    if (last < first || last - first >= kMost || seeds.size() + (last - first) >= kMost) {
      refuse(part);
    }
    for (std::uint64_t seed = first; seed <= last; ++seed) {
      if (std::find(seeds.begin(), seeds.end(), seed) != seeds.end()) refuse(part);
      seeds.push_back(seed);
    }
    if (comma == std::string_view::npos) return seeds;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace bulwark::cli
