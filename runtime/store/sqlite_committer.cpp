// See sqlite_committer.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/sqlite_committer.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <utility>

namespace perilune::store {
namespace {

constexpr int64_t k_checkpoint_pages_min = 1000;
constexpr int64_t k_checkpoint_pages_max = 16000;

}  // namespace

bool CheckpointPace::due(int64_t log_pages, size_t operations) {
  if (log_pages < at_pages_) at_pages_ = 0;  // the log started again
  int64_t limit = k_checkpoint_pages_min * static_cast<int64_t>(std::max<size_t>(operations, 1));
  return log_pages - at_pages_ >= std::min(limit, k_checkpoint_pages_max);
}

SqliteCommitter::SqliteCommitter(std::unique_ptr<SqliteWriter> writer) : writer_(std::move(writer)) {
  // Signals are for the threads that expect them: a new thread inherits the mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void SqliteCommitter::submit(Operation operation) {
  std::lock_guard lock(mutex_);
  queue_.push_back(std::move(operation));
}

void SqliteCommitter::flush() {
  {
    std::lock_guard lock(mutex_);
    if (queue_.empty()) return;
    flush_wanted_ = true;
  }
  wake_.notify_one();
}

void SqliteCommitter::set_tap(Store::Tap tap) {
  auto shared = tap ? std::make_shared<const Store::Tap>(std::move(tap)) : nullptr;
  std::lock_guard lock(mutex_);
  tap_ = std::move(shared);
}

void SqliteCommitter::close() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  thread_.join();
  // Closing does this too, but not while a reader is about.
  (void)writer_->connection().checkpoint();
  writer_.reset();
}

void SqliteCommitter::run() {
  std::vector<Operation> batch;
  std::shared_ptr<const Store::Tap> tap;
  while (take(batch, tap)) {
    size_t operations = batch.size();
    std::vector<RunRecord> committed;
    writer_->commit(batch, tap == nullptr ? nullptr : &committed);
    if (!committed.empty()) (*tap)(std::move(committed));
    post_completions(std::move(batch));
    batch.clear();
    checkpoint_when_due(operations);
  }
}

bool SqliteCommitter::take(std::vector<Operation>& batch, std::shared_ptr<const Store::Tap>& tap) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return flush_wanted_ || closing_; });
  flush_wanted_ = false;
  batch.swap(queue_);
  tap = tap_;
  return !batch.empty();
}

// A checkpoint that fails leaves everything in the log, where it is safe, and is tried again as the log grows.
void SqliteCommitter::checkpoint_when_due(size_t operations) {
  SqliteConnection& db = writer_->connection();
  if (!pace_.due(db.log_pages(), operations)) return;
  (void)db.checkpoint();
  pace_.done(db.log_pages());
}

}  // namespace perilune::store
