#include "core/attacks/search_log.h"

namespace bulwark {
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
