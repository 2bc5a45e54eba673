// See inline_store.hpp.
// SPDX-License-Identifier: MIT
#include "tests/disk/inline_store.hpp"

#include <utility>

#include "runtime/store/sqlite_reader.hpp"
#include "runtime/store/sqlite_schema.hpp"

namespace perilune::disk {

using store::Operation;

Result<std::unique_ptr<InlineStore>> InlineStore::open(Disk& disk, const std::string& path, loop::SimLoop& loop,
                                                       Wrong wrong) {
  Result<store::SqliteConnection> db = store::open_database(path, false);
  if (!db.ok()) return db.error();
  if (wrong == Wrong::no_sync) (void)db->execute("pragma synchronous=off");
  Result<std::unique_ptr<store::SqliteWriter>> writer = store::SqliteWriter::make(std::move(*db));
  if (!writer.ok()) return writer.error();
  return std::unique_ptr<InlineStore>(new InlineStore(disk, path, loop, std::move(*writer), wrong));
}

void InlineStore::flush() {
  if (queue_.empty() || *under_way_) return;
  *under_way_ = true;
  loop_.post([this, alive = std::weak_ptr<bool>(under_way_)] {
    if (!alive.expired()) commit();
  });
}

void InlineStore::commit() {
  *under_way_ = false;
  std::vector<Operation> batch;
  batch.swap(queue_);
  if (wrong_ != Wrong::answers_before) return write(std::move(batch));
  std::vector<Operation> early;   // the real answers are not heard
  for (Operation& operation : batch)
    if (auto* append = std::get_if<store::AppendOp>(&operation.work))
      early.push_back({operation.home, store::AppendOp{{}, 0, std::exchange(append->done, {})}, nullptr});
  store::post_completions(std::move(early));
  loop_.post([this, alive = std::weak_ptr<bool>(under_way_), late = std::make_shared<std::vector<Operation>>(std::move(batch))] {
    if (!alive.expired()) write(std::move(*late));
  });
}

void InlineStore::write(std::vector<Operation> batch) {
  writer_->commit(batch);
  if (disk_.off()) return loop_.stop();
  store::post_completions(std::move(batch));
  ++commits_;
  if (checkpoint_every != 0 && commits_ % checkpoint_every == 0) (void)writer_->connection().checkpoint();
  if (disk_.off()) loop_.stop();
}

std::unique_ptr<store::StoreReader> InlineStore::reader() {
  Result<store::SqliteConnection> db = store::open_database_for_reading(path_);
  if (!db.ok()) return store::make_failed_reader(db.error());
  return store::make_sqlite_reader(std::move(*db));
}

void InlineStore::close() {
  if (writer_ == nullptr) return;
  if (!queue_.empty()) {
    writer_->commit(queue_);
    if (!disk_.off()) store::post_completions(std::exchange(queue_, {}));
  }
  queue_.clear();
  (void)writer_->connection().checkpoint();
  writer_.reset();
}

}  // namespace perilune::disk
