// The locks of all runs of a store, in memory: read off the journals of unfinished runs when the first one is asked for,
// then kept as runs take and leave them. First come, first served. Uses flow (shared_lock) and store.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "runtime/flow/shared_lock.hpp"
#include "runtime/store/store.hpp"

namespace perilune::engine {

class LockTable final : public flow::SharedLocks {
 public:
  // `held_up` is told when a call has to wait: who waits, for which lock, and which run holds it.
  using HeldUp = std::function<void(const std::string& run, const std::string& lock, const std::string& holder)>;
  LockTable(std::function<store::StoreReader&()> reader, HeldUp held_up)
      : reader_(std::move(reader)), held_up_(std::move(held_up)) {}

  void request(flow::SharedLock& lock) override;
  void withdraw(flow::SharedLock& lock) override;
  void holds(const std::string& name, const flow::LockHolder& holder, task::Task& task) override;
  void release(const std::string& name, const flow::LockHolder& holder) override;
  const task::Task* holding_task(const std::string& name) override;

  void run_ended(const std::string& run);
  // Fails the youngest wait of each circle of waits, also where it closes in a run; called when runs have gone on.
  void refuse_circles();

 private:
  struct Lock {
    flow::LockHolder holder;           // run empty: free
    const task::Task* task = nullptr;
    std::weak_ptr<void> task_life;
    std::deque<flow::SharedLock*> queue;
  };
  Result<void> read_journals();
  void read_journal(const store::RunRow& row, std::vector<journal::Record> records);
  void grant_next(const std::string& name);

  std::function<store::StoreReader&()> reader_;
  HeldUp held_up_;
  bool read_ = false;
  std::unordered_map<std::string, Lock> locks_;
  std::deque<flow::SharedLock*> waiting_;   // in the order of their requests
};

}  // namespace perilune::engine
