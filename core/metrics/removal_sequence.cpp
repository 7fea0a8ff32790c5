#include "core/metrics/removal_sequence.h"

namespace bulwark {

RemovalSequence removalSequence(const ScoreLevels& scores) {
  RemovalSequence sequence;
  const auto length = static_cast<std::size_t>(scores.nIn + scores.nOut + 1);
  sequence.in.reserve(length);
  sequence.out.reserve(length);
  std::int64_t in = scores.nIn;
  std::int64_t out = scores.nOut;
  const auto note = [&] {
    sequence.in.push_back(in);
    sequence.out.push_back(out);
  };
  note();
  for (auto level = scores.levels.rbegin(); level != scores.levels.rend(); ++level) {
    for (std::int64_t i = 0; i < level->in; ++i) {
      --in;
      note();
    }
    for (std::int64_t i = 0; i < level->out; ++i) {
      --out;
      note();
    }
  }
  return sequence;
}

}  // namespace bulwark
