// The thread that writes: takes all that is queued since its last batch, commits it in one transaction, sends the
// answers home, and moves the log into the file when enough has gathered. Promises: batches commit in the order of
// submission; answers go out after the commit and before any checkpoint. Uses operation, sqlite_writer.
// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/store/operation.hpp"
#include "runtime/store/sqlite_writer.hpp"

namespace perilune::store {

// When the log is moved into the file: 1,000 pages when commits are single ones, later the more a commit holds, so that
// load meets few checkpoints and an idle store keeps a short log.
class CheckpointPace {
 public:
  // After a commit of `operations` that left `log_pages` in the log.
  bool due(int64_t log_pages, size_t operations);
  void done(int64_t log_pages) { at_pages_ = log_pages; }

 private:
  // The log's length at the last checkpoint. A reader may keep the log from starting again; then the next checkpoint is
  // due only when as much again has gathered.
  int64_t at_pages_ = 0;
};

class SqliteCommitter {
 public:
  explicit SqliteCommitter(std::unique_ptr<SqliteWriter> writer);
  ~SqliteCommitter() { close(); }
  SqliteCommitter(const SqliteCommitter&) = delete;
  SqliteCommitter& operator=(const SqliteCommitter&) = delete;

  void submit(Operation operation);  // thread-safe
  void flush();                      // thread-safe
  void set_tap(Store::Tap tap);      // thread-safe
  // Commits what was submitted, flushed or not, ends the thread and closes the connection. May be called again.
  void close();

 private:
  void run();
  bool take(std::vector<Operation>& batch, std::shared_ptr<const Store::Tap>& tap);
  void checkpoint_when_due(size_t operations);

  std::unique_ptr<SqliteWriter> writer_;  // of the thread, while it runs
  CheckpointPace pace_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Operation> queue_;
  std::shared_ptr<const Store::Tap> tap_;   // null = nobody
  bool flush_wanted_ = false;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace perilune::store
