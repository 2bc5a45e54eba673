// One SQLite connection and its statements, owned; the only files of Perilune that know the C API.
// Promises: errors are values with the path and SQLite's words ("damaged" when the file is broken, else "storage"); a
// failed fsync is never seen twice: it ends the process with exit code 74. Mappings into memory are off, and the log is
// checkpointed only by checkpoint() (and by closing a connection that may write).
// Not thread-safe: one thread at a time.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

struct sqlite3_stmt;

namespace perilune::store {

struct SqliteHandle;

// A prepared statement. Bound texts are not copied: they must live until the statement is stepped to its end or reset.
class SqliteStatement {
 public:
  SqliteStatement() = default;
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement& operator=(SqliteStatement&& other) noexcept;
  ~SqliteStatement();

  // Parameters count from 1.
  SqliteStatement& bind(int parameter, int64_t value);
  SqliteStatement& bind(int parameter, std::string_view text);
  SqliteStatement& bind_blob(int parameter, std::string_view bytes);
  SqliteStatement& bind_null(int parameter);

  // True = a row stands in the columns; false = the end (and the statement is reset).
  Result<bool> step();
  // For statements without rows: to the end.
  Result<void> run();
  void reset();

  // Columns count from 0.
  int64_t integer(int column) const;
  bool is_null(int column) const;
  std::string text(int column) const;  // or blob

 private:
  friend class SqliteConnection;
  SqliteStatement(SqliteHandle* handle, sqlite3_stmt* statement) : handle_(handle), statement_(statement) {}
  void note(int code);

  SqliteHandle* handle_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bind_code_ = 0;  // the first binding that failed; reported by step()
};

// Resets a statement at the end of a block, so that it holds no read transaction.
class SqliteReset {
 public:
  explicit SqliteReset(SqliteStatement& statement) : statement_(statement) {}
  ~SqliteReset() { statement_.reset(); }
  SqliteReset(const SqliteReset&) = delete;
  SqliteReset& operator=(const SqliteReset&) = delete;

 private:
  SqliteStatement& statement_;
};

// Outlives its statements.
class SqliteConnection {
 public:
  enum class Mode {
    read_write,  // made if it is not there
    read_only,   // beside a writer or without one; never checkpoints
    frozen,      // the bare file, taken as unchanging: no log, no locks, nothing created beside it
  };
  static Result<SqliteConnection> open(const std::string& path, Mode mode);
  SqliteConnection(SqliteConnection&&) noexcept;
  SqliteConnection& operator=(SqliteConnection&&) noexcept;
  ~SqliteConnection();

  Result<void> execute(const std::string& sql);  // one or more statements; rows are thrown away
  Result<int64_t> query_integer(const std::string& sql);
  Result<std::string> query_text(const std::string& sql);
  Result<SqliteStatement> prepare(std::string_view sql);
  int64_t last_insert_rowid() const;

  bool in_transaction() const;
  bool file_is_read_only() const;
  // Whether close() may move the log into the file.
  void set_checkpoint_on_close(bool yes);

  // Pages in the write-ahead log after the last commit of this connection.
  int64_t log_pages() const;
  // The whole of what this connection sees now, into a file that is made for it. It is not synced to disk.
  Result<void> copy_to(const std::string& path);
  // Moves what readers allow from the log into the file; never waits, never cuts the log.
  Result<void> checkpoint();

 private:
  explicit SqliteConnection(std::unique_ptr<SqliteHandle> handle);
  std::unique_ptr<SqliteHandle> handle_;
};

}  // namespace perilune::store
