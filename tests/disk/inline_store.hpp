// The SQLite store without its thread: the same writer, schema and readers, which commit on the loop that asked, so that a
// test knows which call of the disk comes next. It can be built wrong, as a control: `wrong` says how.
//
// What a dead disk takes with it is never answered: the process is gone, and so is the loop's work.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/loop/sim_loop.hpp"
#include "runtime/store/operation.hpp"
#include "runtime/store/store.hpp"
#include "runtime/store/sqlite_writer.hpp"
#include "tests/disk/disk.hpp"

namespace perilune::disk {

enum class Wrong : uint8_t { nothing, no_sync, answers_before };

class InlineStore final : public store::QueuedStore {
 public:
  // A file that stands for the database has to be at `path`: the store looks whether there is one before SQLite does.
  static Result<std::unique_ptr<InlineStore>> open(Disk& disk, const std::string& path, loop::SimLoop& loop,
                                                   Wrong wrong = Wrong::nothing);
  ~InlineStore() override { loop_.stop(); }

  void flush() override;
  std::unique_ptr<store::StoreReader> reader() override;
  void close() override;
  void set_tap(Tap) override {}   // nobody observes these runs

  // Moves the log into the file after this many commits; 0 = only when the store is closed.
  uint64_t checkpoint_every = 0;
  uint64_t commits() const { return commits_; }

 protected:
  void submit(store::Operation operation) override { queue_.push_back(std::move(operation)); }

 private:
  InlineStore(Disk& disk, std::string path, loop::SimLoop& loop, std::unique_ptr<store::SqliteWriter> writer, Wrong wrong)
      : disk_(disk), path_(std::move(path)), loop_(loop), writer_(std::move(writer)), wrong_(wrong) {}
  void commit();
  void write(std::vector<store::Operation> batch);

  Disk& disk_;
  std::string path_;
  loop::SimLoop& loop_;
  std::unique_ptr<store::SqliteWriter> writer_;
  Wrong wrong_;
  std::vector<store::Operation> queue_;
  std::shared_ptr<bool> under_way_ = std::make_shared<bool>(false);
  uint64_t commits_ = 0;
};

}  // namespace perilune::disk
