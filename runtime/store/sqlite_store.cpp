// The SQLite store put together: the lock, the committer with the one writing connection, and readers.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_store.hpp"

#include <filesystem>
#include <utility>

#include "runtime/store/file_lock.hpp"
#include "runtime/store/operation.hpp"
#include "runtime/store/sqlite_committer.hpp"
#include "runtime/store/sqlite_reader.hpp"
#include "runtime/store/sqlite_schema.hpp"

namespace perilune::store {
namespace {

// One name for one file, whatever links lead to it: the lock stands beside the file itself.
std::string real_path(const std::string& path) {
  std::error_code failed;
  std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  if (failed) return path;
  std::filesystem::path real = std::filesystem::weakly_canonical(absolute, failed);
  return failed ? path : real.string();
}

std::string lock_path(const std::string& real) { return real + ".lock"; }

class SqliteStore final : public QueuedStore {
 public:
  SqliteStore(std::string path, FileLock lock, std::unique_ptr<SqliteWriter> writer)
      : path_(std::move(path)), lock_(std::move(lock)), committer_(std::move(writer)) {}
  ~SqliteStore() override { SqliteStore::close(); }

  void flush() override { committer_.flush(); }
  void set_tap(Tap tap) override { committer_.set_tap(std::move(tap)); }

  std::unique_ptr<StoreReader> reader() override {
    Result<SqliteConnection> db = open_database_for_reading(path_);
    if (!db) return make_failed_reader(std::move(db.error()));
    return make_sqlite_reader(std::move(*db));
  }

  void close() override {
    committer_.close();
    lock_.release();
  }

 protected:
  void submit(Operation operation) override { committer_.submit(std::move(operation)); }

 private:
  std::string path_;
  FileLock lock_;  // held until the connection is closed
  SqliteCommitter committer_;
};

}  // namespace

Result<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options) {
  if (options.path.empty()) return Error(code::k_usage, "the path of the store is empty");
  std::string path = real_path(options.path);
  Result<FileLock> lock = FileLock::take(lock_path(path));
  if (!lock) return lock.error();
  Result<SqliteConnection> db = open_database(path, options.relaxed);
  if (!db) return db.error();
  Result<std::unique_ptr<SqliteWriter>> writer = SqliteWriter::make(std::move(*db));
  if (!writer) return writer.error();
  return std::unique_ptr<Store>(std::make_unique<SqliteStore>(path, std::move(*lock), std::move(*writer)));
}

Result<std::unique_ptr<StoreReader>> open_sqlite_reader(const std::string& path) {
  Result<SqliteConnection> db = open_database_for_reading(real_path(path));
  if (!db) return db.error();
  return make_sqlite_reader(std::move(*db));
}

int64_t sqlite_owner_pid(const std::string& path) { return FileLock::holder(lock_path(real_path(path))); }

}  // namespace perilune::store
