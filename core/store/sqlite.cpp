#include "core/store/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <limits>

namespace bulwark {
namespace {

constexpr const char* kDamagedHint =
    "keep a copy of the file, then restore a backup or recover what is readable with "
    "'sqlite3 FILE .recover'";

bool diskIsFull(int code, int systemError) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  if ((code & 0xff) != SQLITE_IOERR) return false;
  // Rolling back may have overwritten the cause: a refused write is a full disk unless it is EIO.
  if (code == SQLITE_IOERR_WRITE) return systemError != EIO;
  return systemError == ENOSPC || systemError == EFBIG || systemError == EDQUOT;
}

Error translated(int code, int systemError, const std::string& message, const std::string& where) {
  if (diskIsFull(code, systemError)) {
    return Error::failed("database or disk is full", where,
                         "free some space and try again; nothing of this change was kept");
  }
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
      return Error::badInput("the database is damaged (" + message + ")", where, kDamagedHint);
    case SQLITE_NOTADB:
      return Error::badInput("the file is not a database", where,
                             "choose another file; this one was left as it is");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Error::badInput("the database cannot be written (" + message + ")", where,
                             "make the file and its folder writable, or copy it elsewhere");
    case SQLITE_CANTOPEN:
      return Error::badInput("the database cannot be opened (" + message + ")", where,
                             "check that the folder exists and that you may write to it");
    case SQLITE_IOERR:
      return Error::failed("the disk reported an error (" + message + ")", where,
                           "check the disk and the network connection to it");
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
      return Error::failed("the database refused a statement (" + message + ")", where,
                           "its tables may have been changed by another program");
    default:
      return Error::failed("the database failed (" + message + ")", where);
  }
}

std::string uriOf(const std::filesystem::path& path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '-' || c == '_' || c == '.';
    if (plain) {
      uri += c;
    } else {
      uri += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

LockedError::LockedError(const std::string& where)
    : Error(Kind::Failed, "the database is locked by another program", where,
            "wait until the other program has finished or close it, then try again") {}

Statement::Statement(const Connection& connection, std::string_view sql) : connection_(connection) {
  check(sqlite3_prepare_v2(connection.handle(), sql.data(), static_cast<int>(sql.size()), &handle_,
                           nullptr));
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::check(int code) const {
  if (code != SQLITE_OK) connection_.fail(code);
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  connection_.fail(code);
}

void Statement::reset() {
  sqlite3_reset(handle_);  // repeats the error of the last step, which has been thrown already
  sqlite3_clear_bindings(handle_);
}

bool Statement::isNull(int column) const {
  return sqlite3_column_type(handle_, column) == SQLITE_NULL;
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(handle_, column);
}

double Statement::real(int column) const {
  return optionalReal(column).value_or(std::numeric_limits<double>::quiet_NaN());
}

std::optional<double> Statement::optionalReal(int column) const {
  if (isNull(column)) return std::nullopt;
  return sqlite3_column_double(handle_, column);
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (!data) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  const int size = sqlite3_column_bytes(handle_, column);
  // A null pointer with an error pending is a page that could not be read, not an empty blob.
  const int code = sqlite3_errcode(connection_.handle());
  if (!data && code != SQLITE_OK && code != SQLITE_ROW) connection_.fail(code);
  if (!data) return {};
  return {data, static_cast<std::size_t>(size)};
}

void Statement::bindOne(int index, std::int64_t value) {
  check(sqlite3_bind_int64(handle_, index, value));
}

void Statement::bindOne(int index, double value) {
  check(sqlite3_bind_double(handle_, index, value));
}

void Statement::bindOne(int index, const std::optional<double>& value) {
  check(value ? sqlite3_bind_double(handle_, index, *value) : sqlite3_bind_null(handle_, index));
}

void Statement::bindOne(int index, std::string_view value) {
  check(sqlite3_bind_text64(handle_, index, value.empty() ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8));
}

void Statement::bindOne(int index, const BlobView& value) {
  if (value.size == 0) {
    check(sqlite3_bind_zeroblob(handle_, index, 0));
  } else {
    check(sqlite3_bind_blob64(handle_, index, value.data, value.size, SQLITE_STATIC));
  }
}

Connection::Connection(const std::filesystem::path& path, Mode mode,
                       std::chrono::milliseconds patience)
    : path_(path) {
  int flags = SQLITE_OPEN_READONLY;
  if (mode == Mode::Create) flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (mode == Mode::ReadWrite) flags = SQLITE_OPEN_READWRITE;
  if (mode == Mode::Immutable) flags |= SQLITE_OPEN_URI;
  const std::string name = mode == Mode::Immutable ? uriOf(path) : path.string();
  const int code = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  try {
    if (code != SQLITE_OK) fail(code);
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, static_cast<int>(patience.count()));
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    execute(
        "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Connection::~Connection() {
  sqlite3_close_v2(handle_);
}

void Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Connection::integer(std::string_view sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::string Connection::text(std::string_view sql) const {
  Statement statement(*this, sql);
  return statement.step() ? statement.text(0) : std::string();
}

std::int64_t Connection::lastId() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Connection::changes() const {
  return sqlite3_changes(handle_);
}

std::int64_t Connection::totalChanges() const {
  return sqlite3_total_changes(handle_);
}

bool Connection::isReadOnly() const {
  return sqlite3_db_readonly(handle_, "main") == 1;
}

bool Connection::inTransaction() const {
  return sqlite3_get_autocommit(handle_) == 0;
}

void Connection::keepLogOnClose(bool keep) {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep ? 1 : 0, nullptr);
}

void Connection::fail(int code) const {
  const int primary = code & 0xff;
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) throw LockedError(path_.string());
  const int systemError = handle_ ? sqlite3_system_errno(handle_) : 0;
  const std::string message = handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  throw translated(code, systemError, message, path_.string());
}

Transaction::Transaction(Connection& connection)
    : connection_(connection), open_(!connection.inTransaction()) {
  if (open_) connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // A full disk may have rolled back already; there is nothing to do about a failing rollback.
  if (open_ && connection_.inTransaction()) {
    sqlite3_exec(connection_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() {
  if (!open_) return;
  connection_.execute("COMMIT");
  open_ = false;
}

}  // namespace bulwark
