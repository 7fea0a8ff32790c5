#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bulwark {

/// Thin owners of SQLite's handles, private to core/store (and its tests). Every failure becomes
/// an `Error` that names the file and a remedy.
class Connection;

/// Another connection held its lock for longer than we were willing to wait.
class LockedError : public Error {
 public:
  explicit LockedError(const std::string& where);
};

/// Bytes to bind as a BLOB; they must live until the statement has been stepped.
struct BlobView {
  const void* data = nullptr;
  std::size_t size = 0;
};

/// A prepared statement. Columns count from 0, parameters are bound in their order.
class Statement {
 public:
  Statement(const Connection& connection, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Resets the statement and binds all parameters.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bindOne(++index, values), ...);
    return *this;
  }
  /// True when a row is there to be read.
  bool step();
  void reset();

  bool isNull(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;  ///< NaN for NULL: SQLite stores no NaN of its own
  std::optional<double> optionalReal(int column) const;
  std::string text(int column) const;
  /// Valid until the next step or reset.
  std::string_view blob(int column) const;

 private:
  void bindOne(int index, std::int64_t value);
  template <std::integral Integer>
  void bindOne(int index, Integer value) {
    bindOne(index, static_cast<std::int64_t>(value));
  }
  void bindOne(int index, double value);
  void bindOne(int index, const std::optional<double>& value);
  void bindOne(int index, std::string_view value);
  void bindOne(int index, const std::string& value) { bindOne(index, std::string_view(value)); }
  void bindOne(int index, const char* value) { bindOne(index, std::string_view(value)); }
  void bindOne(int index, const BlobView& value);
  void check(int code) const;

  const Connection& connection_;
  sqlite3_stmt* handle_ = nullptr;
};

/// One connection to one database file, used by one thread. Stays where it was built.
class Connection {
 public:
  enum class Mode {
    Create,     ///< read and write, created when missing
    ReadWrite,  ///< read and write, must exist
    ReadOnly,
    Immutable,  ///< read-only, and nobody writes: needs no files beside the database
  };

  /// Opens the file and waits up to `patience` for locks that others hold. Sets what must be set
  /// on every connection; the journal mode and the schema are the caller's business.
  Connection(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds patience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs any number of statements without parameters.
  void execute(const std::string& sql);
  /// Runs one statement to its end; returns the number of rows it changed.
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    Statement statement(*this, sql);
    statement.bind(values...);
    while (statement.step()) {
    }
    return changes();
  }
  /// The first column of the first row; 0 without a row.
  std::int64_t integer(std::string_view sql) const;
  std::string text(std::string_view sql) const;

  std::int64_t lastId() const;
  std::int64_t changes() const;
  std::int64_t totalChanges() const;
  bool isReadOnly() const;
  bool inTransaction() const;
  /// While set, closing leaves a write-ahead log beside the file instead of folding it in.
  void keepLogOnClose(bool keep);
  const std::filesystem::path& path() const { return path_; }
  sqlite3* handle() const { return handle_; }

  /// Throws the `Error` for an SQLite result code.
  [[noreturn]] void fail(int code) const;

 private:
  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

/// BEGIN IMMEDIATE; rolled back unless committed. Inside another transaction it does nothing: the
/// outer one commits, or is unwound by the same exception.
class Transaction {
 public:
  explicit Transaction(Connection& connection);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Connection& connection_;
  bool open_;
};

}  // namespace bulwark
