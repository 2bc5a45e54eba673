// See sqlite_connection.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_connection.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace perilune::store {

struct SqliteHandle {
  sqlite3* db = nullptr;
  std::string path;
  int log_pages = 0;

  SqliteHandle() = default;
  SqliteHandle(const SqliteHandle&) = delete;
  SqliteHandle& operator=(const SqliteHandle&) = delete;
  ~SqliteHandle() { sqlite3_close_v2(db); }
};

namespace {

constexpr int k_busy_timeout_ms = 5000;
constexpr int k_exit_storage = 74;

// After a failed fsync the kernel may have dropped the pages and report success next time: whatever this process would
// say about the disk from here on could be a lie, so it says nothing more.
[[noreturn]] void end_after_failed_sync(const SqliteHandle& handle) {
  char text[1024];
  int length =
      snprintf(text, sizeof(text),
               "perilune: %s could not be synced to disk (%s). Nothing was reported that is not on disk; ending "
               "at once, so that nothing can be.\n",
               handle.path.c_str(), std::strerror(sqlite3_system_errno(handle.db)));
  if (length > 0) {
    size_t shown = std::min(static_cast<size_t>(length), sizeof(text) - 1);
    if (write(STDERR_FILENO, text, shown) < 0) _exit(k_exit_storage);
  }
  _exit(k_exit_storage);
}

Error failure(const SqliteHandle& handle, int result) {
  int extended = handle.db == nullptr ? result : sqlite3_extended_errcode(handle.db);
  for (int code : {result, extended})
    if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) end_after_failed_sync(handle);
  int primary = result & 0xff;
  bool damaged = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
  std::string words = (extended & 0xff) == primary ? sqlite3_errmsg(handle.db) : sqlite3_errstr(result);
  int system = handle.db == nullptr ? 0 : sqlite3_system_errno(handle.db);
  bool of_system = primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN || primary == SQLITE_FULL;
  if (of_system && system != 0) words += std::string(", ") + std::strerror(system);
  return Error(damaged ? code::k_damaged : code::k_storage,
               handle.path + ": " + words + " (SQLite error " + std::to_string(result) + ")");
}

int on_commit(void* context, sqlite3*, const char*, int pages) {
  static_cast<SqliteHandle*>(context)->log_pages = pages;
  return SQLITE_OK;
}

// In a URI everything that could mean something there is escaped.
std::string frozen_uri(const std::string& path) {
  std::string uri = "file:";
  for (unsigned char c : path) {
    bool plain = std::isalnum(c) || std::strchr("/._-~", c) != nullptr;
    char escaped[4];
    snprintf(escaped, sizeof(escaped), "%%%02X", c);
    if (plain)
      uri += static_cast<char>(c);
    else
      uri += escaped;
  }
  return uri + "?immutable=1";
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept { *this = std::move(other); }

SqliteStatement& SqliteStatement::operator=(SqliteStatement&& other) noexcept {
  std::swap(handle_, other.handle_);
  std::swap(statement_, other.statement_);
  std::swap(bind_code_, other.bind_code_);
  return *this;
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

void SqliteStatement::note(int code) {
  if (code != SQLITE_OK && bind_code_ == SQLITE_OK) bind_code_ = code;
}

SqliteStatement& SqliteStatement::bind(int parameter, int64_t value) {
  note(sqlite3_bind_int64(statement_, parameter, value));
  return *this;
}

SqliteStatement& SqliteStatement::bind(int parameter, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();  // a null pointer would bind NULL
  note(sqlite3_bind_text64(statement_, parameter, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

SqliteStatement& SqliteStatement::bind_blob(int parameter, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();
  note(sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_STATIC));
  return *this;
}

SqliteStatement& SqliteStatement::bind_null(int parameter) {
  note(sqlite3_bind_null(statement_, parameter));
  return *this;
}

Result<bool> SqliteStatement::step() {
  if (bind_code_ != SQLITE_OK) {
    int result = std::exchange(bind_code_, SQLITE_OK);
    return failure(*handle_, result);
  }
  int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  Error error = failure(*handle_, result);
  sqlite3_reset(statement_);
  return error;
}

Result<void> SqliteStatement::run() {
  for (;;) {
    Result<bool> row = step();
    if (!row) return row.error();
    if (!*row) return {};
  }
}

void SqliteStatement::reset() { sqlite3_reset(statement_); }

int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

bool SqliteStatement::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::string SqliteStatement::text(int column) const {
  const void* bytes = sqlite3_column_blob(statement_, column);  // of a text: its bytes as they are
  int length = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(static_cast<const char*>(bytes), static_cast<size_t>(length));
}

SqliteConnection::SqliteConnection(std::unique_ptr<SqliteHandle> handle) : handle_(std::move(handle)) {}
SqliteConnection::SqliteConnection(SqliteConnection&&) noexcept = default;
SqliteConnection& SqliteConnection::operator=(SqliteConnection&&) noexcept = default;
SqliteConnection::~SqliteConnection() = default;

Result<SqliteConnection> SqliteConnection::open(const std::string& path, Mode mode) {
  auto handle = std::make_unique<SqliteHandle>();
  handle->path = path;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (mode == Mode::read_write)
    flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  else
    flags |= SQLITE_OPEN_READONLY;
  if (mode == Mode::frozen) flags |= SQLITE_OPEN_URI;
  std::string name = mode == Mode::frozen ? frozen_uri(path) : path;
  int result = sqlite3_open_v2(name.c_str(), &handle->db, flags, nullptr);
  if (result != SQLITE_OK) return failure(*handle, result);
  sqlite3_busy_timeout(handle->db, k_busy_timeout_ms);
  // The hook takes the place of SQLite's own automatic checkpoint.
  sqlite3_wal_hook(handle->db, on_commit, handle.get());
  SqliteConnection connection(std::move(handle));
  if (mode != Mode::read_write) connection.set_checkpoint_on_close(false);
  return connection;
}

Result<void> SqliteConnection::execute(const std::string& sql) {
  int result = sqlite3_exec(handle_->db, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return failure(*handle_, result);
  return {};
}

Result<int64_t> SqliteConnection::query_integer(const std::string& sql) {
  Result<std::string> text = query_text(sql);
  if (!text) return text.error();
  return static_cast<int64_t>(std::strtoll(text->c_str(), nullptr, 10));
}

Result<std::string> SqliteConnection::query_text(const std::string& sql) {
  Result<SqliteStatement> statement = prepare(sql);
  if (!statement) return statement.error();
  Result<bool> row = statement->step();
  if (!row) return row.error();
  std::string text = *row ? statement->text(0) : std::string();
  // To the end: what a pragma changes is committed there, and may fail there.
  Result<void> done = *row ? statement->run() : Result<void>();
  if (!done) return done.error();
  return text;
}

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int result = sqlite3_prepare_v3(handle_->db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                  &statement, nullptr);
  if (result != SQLITE_OK) return failure(*handle_, result);
  return SqliteStatement(handle_.get(), statement);
}

int64_t SqliteConnection::last_insert_rowid() const { return sqlite3_last_insert_rowid(handle_->db); }

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_->db) == 0; }

bool SqliteConnection::file_is_read_only() const { return sqlite3_db_readonly(handle_->db, "main") == 1; }

void SqliteConnection::set_checkpoint_on_close(bool yes) {
  sqlite3_db_config(handle_->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
}

int64_t SqliteConnection::log_pages() const { return handle_->log_pages; }

Result<void> SqliteConnection::copy_to(const std::string& path) {
  Result<SqliteConnection> target = open(path, Mode::read_write);
  if (!target) return target.error();
  SqliteHandle& to = *target->handle_;
  sqlite3_backup* copy = sqlite3_backup_init(to.db, "main", handle_->db, "main");
  if (copy == nullptr) return failure(to, sqlite3_errcode(to.db));
  int result = sqlite3_backup_step(copy, -1);   // all at once: one moment's state
  int finished = sqlite3_backup_finish(copy);
  if (result == SQLITE_DONE) result = finished;
  if (result != SQLITE_OK) return failure(to, result);
  return {};
}

Result<void> SqliteConnection::checkpoint() {
  int result = sqlite3_wal_checkpoint_v2(handle_->db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (result != SQLITE_OK && result != SQLITE_BUSY) return failure(*handle_, result);
  return {};
}

}  // namespace perilune::store
