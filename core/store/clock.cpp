#include "core/store/clock.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <random>
#include <sstream>

namespace bulwark {
namespace {

struct ProcessStat {
  char state = '?';
  std::string startTick;  ///< field 22 of /proc/<pid>/stat, in clock ticks since boot
};

ProcessStat readStat(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  // The second field is the program's name in parentheses and may itself hold blanks and ')'.
  const auto name = line.rfind(')');
  if (name == std::string::npos) return {};
  std::istringstream rest(line.substr(name + 1));
  ProcessStat stat;
  rest >> stat.state;
  for (int field = 4; field <= 22; ++field) rest >> stat.startTick;
  return rest ? stat : ProcessStat{};
}

std::string format(std::chrono::system_clock::time_point time) {
  using namespace std::chrono;
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  const std::time_t seconds = static_cast<std::time_t>(milliseconds.count() / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> day{};
  std::array<char, 48> text{};
  std::strftime(day.data(), day.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data(), text.size(), "%s.%03dZ", day.data(),
                static_cast<int>(milliseconds.count() % 1000));
  return text.data();
}

}  // namespace

std::string utcNow() {
  return format(std::chrono::system_clock::now());
}

std::string utcBefore(double seconds) {
  return format(std::chrono::system_clock::now() -
                std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
}

std::string newUuid() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device device;
  std::string text;
  for (int word = 0; word < 4; ++word) {
    std::uint32_t bits = device();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4U) text += kDigits[bits & 15U];
  }
  text[12] = '4';                                                        // version 4: random
  text[16] = kDigits[8U + (static_cast<unsigned char>(text[16]) & 3U)];  // RFC 4122 variant
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

bool isUuid(const std::string& text) {
  return text.size() == 36 && text.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

std::string hostName() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

WorkerIdentity identify(std::int64_t pid) {
  WorkerIdentity worker{pid, {}, hostName()};
  const auto stat = readStat(pid);
  if (stat.startTick.empty()) return worker;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  worker.start = boot + ":" + stat.startTick;
  return worker;
}

bool isAlive(const WorkerIdentity& worker) {
  if (worker.pid <= 0) return false;
  if (::kill(static_cast<pid_t>(worker.pid), 0) != 0 && errno != EPERM) return false;
  const char state = readStat(worker.pid).state;
  if (state == 'Z' || state == 'X') return false;
  return worker.start.empty() || identify(worker.pid).start == worker.start;
}

}  // namespace bulwark
