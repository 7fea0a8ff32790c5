#pragma once

#include <stdexcept>
#include <string>

namespace bulwark {

/// The one exception type of Bulwark: what went wrong, where, and what the user can do about it.
///
/// `what()` gives all three in one line. Thrown anywhere, caught only at the boundary of a job,
/// a command or a window event.
class Error : public std::runtime_error {
 public:
  enum class Kind {
    BadInput,   ///< the user's files, options or specification; exit code 2
    Failed,     ///< the work itself could not be finished; exit code 1
    Cancelled,  ///< stopped on request; exit code 130
  };

  Error(Kind kind, std::string problem, std::string where = {}, std::string hint = {});

  Kind kind() const { return kind_; }
  const std::string& problem() const { return problem_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }
  /// 1, 2 or 130, as `bulwark-cli` returns it.
  int exitCode() const;

  static Error badInput(std::string problem, std::string where = {}, std::string hint = {});
  static Error failed(std::string problem, std::string where = {}, std::string hint = {});
  static Error cancelled();

 private:
  Kind kind_;
  std::string problem_;
  std::string where_;
  std::string hint_;
};

}  // namespace bulwark
