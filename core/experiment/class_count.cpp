#include "core/experiment/class_count.h"

namespace bulwark {

std::int64_t classCount(const Specification& specification, const DatasetCatalogue& catalogue) {
  const auto& protocol = specification.protocol;
  if (!protocol.known.empty()) return static_cast<std::int64_t>(protocol.known.size());
  if (protocol.knownCount > 0) return protocol.knownCount;
  const auto& in = specification.in;
  if (!in.classes.empty()) return static_cast<std::int64_t>(in.classes.size());
  return in.dataset.empty() ? 0 : catalogue.info(in.dataset).classes;
}

}  // namespace bulwark
