#include "core/attacks/search_log.h"

#include <cstddef>

namespace bulwark {
namespace {

constexpr std::ptrdiff_t kFacts = 3;

}  // namespace

void addFacts(FinishedSample& done, const SearchFacts& facts) {
  // Counts below 2^53 are exact in a double.
  done.improvements.insert(done.improvements.begin(), {{-3, facts.distance},
                                                       {-2, static_cast<double>(facts.forwards)},
                                                       {-1, static_cast<double>(facts.backwards)}});
}

SearchFacts takeFacts(FinishedSample& done) {
  auto& found = done.improvements;
  if (static_cast<std::ptrdiff_t>(found.size()) <= kFacts || found[kFacts - 1].time != -1) {
    found.clear();
    return {};
  }
  const SearchFacts facts{found[0].value, static_cast<std::int64_t>(found[1].value),
                          static_cast<std::int64_t>(found[2].value)};
  found.erase(found.begin(), found.begin() + kFacts);
  return facts;
}

std::vector<std::uint8_t> packLog(const std::vector<std::uint8_t>& log) {
  std::vector<std::uint8_t> packed;
  for (const auto entry : log) {
    if (packed.empty() || packed[packed.size() - 2] != entry || packed.back() == 255) {
      packed.push_back(entry);
      packed.push_back(0);
    }
    ++packed.back();
  }
  return packed;
}

std::vector<std::uint8_t> unpackLog(const std::vector<std::uint8_t>& packed) {
  std::vector<std::uint8_t> log;
  for (std::size_t i = 0; i + 1 < packed.size(); i += 2) {
    log.insert(log.end(), packed[i + 1], packed[i]);
  }
  return log;
}

}  // namespace bulwark
