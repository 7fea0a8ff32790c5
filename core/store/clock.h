#pragma once

#include <cstdint>
#include <string>

namespace bulwark {

/// "2026-03-01T12:34:56.789Z"
std::string utcNow();
/// `seconds` before now, in the same form: these texts sort as the times they name.
std::string utcBefore(double seconds);

/// Random, version 4, from the system's entropy.
std::string newUuid();
/// 36 characters of lower-case hexadecimal digits and dashes: safe as a folder's name.
bool isUuid(const std::string& text);

/// The process that works on a run, so that it can be told from a later one with the same id.
struct WorkerIdentity {
  std::int64_t pid = 0;
  std::string start;  ///< boot id and start tick; empty where the system does not tell
  std::string host;
};

std::string hostName();
WorkerIdentity identify(std::int64_t pid);
/// Is that very process alive? Only for workers of this host; a zombie counts as gone.
bool isAlive(const WorkerIdentity& worker);

}  // namespace bulwark
