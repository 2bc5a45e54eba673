// See lock_table.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/lock_table.hpp"

#include <algorithm>

#include "runtime/flow/wait_cycle.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/journal/held_locks.hpp"

namespace perilune::engine {

using flow::LockHolder;
using flow::SharedLock;

namespace {

// Looked at first, since it is cheap: most holders wait for nothing that another task has to do.
bool goes_on(const task::Task& task) {
  if (task.state != task::Task::State::waiting) return task.state != task::Task::State::closing;
  return task.awaiting->waits_for().tasks.empty() && task.awaiting->waits_across().tasks.empty();
}

}  // namespace

// Runs that nobody executes hold what they held when their process ended.
Result<void> LockTable::read_journals() {
  if (read_) return {};
  store::Filter unfinished;
  using store::Status;
  unfinished.statuses = {Status::queued, Status::running, Status::waiting, Status::paused, Status::diverged};
  auto rows = reader_().list(unfinished);
  if (!rows.ok()) return rows.error();
  for (const store::RunRow& row : *rows) {
    auto records = reader_().records(row.no, 1, 0);
    if (!records.ok()) return records.error();
    read_journal(row, std::move(*records));
  }
  read_ = true;
  return {};
}

void LockTable::read_journal(const store::RunRow& row, std::vector<journal::Record> records) {
  records = journal::living(std::move(records));   // what it was taken back over, it no longer holds
  for (const journal::HeldLock& held : journal::held_locks(records)) {
    if (!held.of_all_runs) continue;
    if (Lock& lock = locks_[held.name]; lock.holder.run.empty()) lock.holder = {row.id, held.task, held.op};
  }
}

void LockTable::request(SharedLock& lock) {
  if (Result<void> read = read_journals(); !read.ok()) return lock.refused(read.error());
  locks_[lock.name()].queue.push_back(&lock);
  waiting_.push_back(&lock);
  grant_next(lock.name());
  auto found = locks_.find(lock.name());
  if (found == locks_.end() || found->second.holder == lock.caller()) return;
  held_up_(lock.caller().run, lock.name(), found->second.holder.run);
}

void LockTable::withdraw(SharedLock& lock) {
  std::erase(waiting_, &lock);
  auto found = locks_.find(lock.name());
  if (found == locks_.end()) return;
  std::erase(found->second.queue, &lock);
  if (found->second.holder.run.empty() && found->second.queue.empty()) locks_.erase(found);
}

void LockTable::holds(const std::string& name, const LockHolder& holder, task::Task& task) {
  Lock& lock = locks_[name];
  lock.holder = holder;
  lock.task = &task;
  lock.task_life = task.life();
}

void LockTable::release(const std::string& name, const LockHolder& holder) {
  auto found = locks_.find(name);
  if (found == locks_.end() || found->second.holder != holder) return;
  found->second.holder = {};
  found->second.task = nullptr;
  grant_next(name);
}

void LockTable::grant_next(const std::string& name) {
  auto found = locks_.find(name);
  if (found == locks_.end() || !found->second.holder.run.empty()) return;
  if (found->second.queue.empty()) {
    locks_.erase(found);
    return;
  }
  SharedLock& next = *found->second.queue.front();
  found->second.holder = next.caller();   // from now on: nobody else is given it while the record is on its way
  next.granted();                         // withdraws it from the queue
}

const task::Task* LockTable::holding_task(const std::string& name) {
  auto found = locks_.find(name);
  if (found == locks_.end() || found->second.task_life.expired()) return nullptr;
  return found->second.task;
}

void LockTable::run_ended(const std::string& run) {
  std::vector<std::pair<std::string, LockHolder>> held;
  for (auto& [name, lock] : locks_)
    if (lock.holder.run == run) held.emplace_back(name, lock.holder);
  for (auto& [name, holder] : held) release(name, holder);
}

void LockTable::refuse_circles() {
  for (size_t i = waiting_.size(); i-- > 0 && i < waiting_.size();) {
    SharedLock& lock = *waiting_[i];
    const task::Task* holder = lock.waits_for_ever() ? holding_task(lock.name()) : nullptr;
    if (holder == nullptr || goes_on(*holder)) continue;
    std::string circle = flow::wait_cycle(lock.task(), *holder, lock.describe(), flow::Reach::all_runs);
    if (!circle.empty())
      lock.refused(Error(code::k_deadlock, "waiting for lock '" + lock.name() + "' would never end: " + circle));
  }
}

}  // namespace perilune::engine
