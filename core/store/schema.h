#pragma once

#include <string>
#include <vector>

#include "core/store/sqlite.h"

namespace bulwark {

/// "BLWK": tells our databases from those of other programs.
inline constexpr std::int64_t kApplicationId = 0x424C574B;

/// One step from schema `number - 1` to `number`. Steps are only ever appended.
struct MigrationStep {
  int number = 0;
  std::string text;  ///< for people: what the step changes
  std::string sql;
};

const std::vector<MigrationStep>& schemaSteps();

/// What the first 100 bytes of a file say, read before SQLite takes it for a database.
struct FileHeader {
  bool isDatabase = false;
  std::int64_t applicationId = 0;
  std::int64_t userVersion = 0;
};

/// Of an existing, not empty file.
FileHeader readFileHeader(const std::filesystem::path& path);

/// Throws `Error` (BadInput) unless this is a database of ours that `newest` or an older schema
/// describes, or an empty one.
void requireOurs(const std::filesystem::path& path, std::int64_t applicationId,
                 std::int64_t userVersion, bool hasTables, int newest);

/// Brings a database to the last of `steps`, one transaction per step. A database that already
/// holds a schema is first copied to `<path>.backup-v<number>`. A failing step is rolled back.
void migrate(Connection& connection, const std::vector<MigrationStep>& steps);

}  // namespace bulwark
