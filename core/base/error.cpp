#include "core/base/error.h"

#include <utility>

namespace bulwark {
namespace {

std::string oneLine(const std::string& problem, const std::string& where, const std::string& hint) {
  std::string text = where.empty() ? problem : where + ": " + problem;
  if (!hint.empty()) text += "; " + hint;
  return text;
}

}  // namespace

Error::Error(Kind kind, std::string problem, std::string where, std::string hint)
    : std::runtime_error(oneLine(problem, where, hint)),
      kind_(kind),
      problem_(std::move(problem)),
      where_(std::move(where)),
      hint_(std::move(hint)) {}

int Error::exitCode() const {
  switch (kind_) {
    case Kind::BadInput:
      return 2;
    case Kind::Cancelled:
      return 130;
    case Kind::Failed:
      break;
  }
  return 1;
}

Error Error::badInput(std::string problem, std::string where, std::string hint) {
  return Error(Kind::BadInput, std::move(problem), std::move(where), std::move(hint));
}

Error Error::failed(std::string problem, std::string where, std::string hint) {
  return Error(Kind::Failed, std::move(problem), std::move(where), std::move(hint));
}

Error Error::cancelled() {
  return Error(Kind::Cancelled, "cancelled");
}

}  // namespace bulwark
