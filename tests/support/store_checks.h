#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include "core/base/error.h"

namespace bulwark::samples {

/// The message of the Error that `action` throws; empty when it throws none.
inline std::string messageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Starts `action` in a process of its own; its exit code is what `action` returns, 99 when that
/// throws. The caller must not have a database open that the child opens as well: locks and
/// bookkeeping of SQLite do not survive a fork.
inline pid_t startChild(const std::function<int()>& action) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  int code = 99;
  try {
    code = action();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
  }
  std::fflush(nullptr);
  ::_exit(code);
}

/// The exit code; -1 when the child was ended by a signal.
inline int waitFor(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

/// Runs `action` without the rights of the administrator, whom no permission stops.
inline int asOrdinaryUser(const std::function<int()>& action) {
  return waitFor(startChild([&] {
    constexpr uid_t kNobody = 65534;
    if (::geteuid() == 0 && (::setresgid(kNobody, kNobody, kNobody) != 0 ||
                             ::setresuid(kNobody, kNobody, kNobody) != 0)) {
      return 98;
    }
    return action();
  }));
}

}  // namespace bulwark::samples
