#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>

namespace bulwark {

/// Blocks SIGINT and SIGTERM for this thread and all it starts, and reads them from a descriptor:
/// no handler, no global state. The old mask comes back at the end.
class SignalInbox {
 public:
  SignalInbox() {
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &wanted, &before_);
    descriptor_ = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  }
  ~SignalInbox() {
    if (descriptor_ >= 0) close(descriptor_);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SignalInbox(const SignalInbox&) = delete;
  SignalInbox& operator=(const SignalInbox&) = delete;

  /// Waits for a signal at most `time`; true when one came.
  bool wait(std::chrono::milliseconds time) const {
    pollfd entry{descriptor_, POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(time.count())) <= 0) return false;
    signalfd_siginfo info{};
    return read(descriptor_, &info, sizeof info) == static_cast<ssize_t>(sizeof info);
  }

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace bulwark
