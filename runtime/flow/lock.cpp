// Taking, waiting for and giving back locks; see lock.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/lock.hpp"

#include <algorithm>

#include "runtime/base/units.hpp"
#include "runtime/flow/wait_cycle.hpp"
#include "runtime/journal/payload.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;
using task::Task;

const Task* Locks::holder(const std::string& name) const {
  auto found = locks_.find(name);
  return found == locks_.end() ? nullptr : found->second.holder;
}

void Locks::take(const std::string& name, Task& task, uint32_t op, uint64_t print) {
  State& state = locks_[name];
  state.holder = &task;
  state.op = op;
  state.print = print;
  note(Kind::lock_taken, name, state);
}

void Locks::wait(const std::string& name, Lock& lock) {
  locks_[name].queue.push_back(&lock);
  if (waiting_.empty()) execution_.watch(*this);
  waiting_.push_back(&lock);
}

void Locks::look() {
  for (size_t i = waiting_.size(); i-- > 0;) {
    Lock& lock = *waiting_[i];
    if (!lock.can_be_given()) continue;   // it ends otherwise
    std::string cycle = lock.cycle();
    if (cycle.empty()) continue;
    leave(lock.name(), lock);
    lock.end_in_order(Outcome::of_error(lock.deadlock(cycle)));
  }
}

void Locks::stop_watching(Lock& lock) {
  if (std::erase(waiting_, &lock) > 0 && waiting_.empty()) execution_.unwatch(*this);
}

void Locks::leave(const std::string& name, Lock& lock) {
  stop_watching(lock);
  auto found = locks_.find(name);
  if (found == locks_.end()) return;
  std::erase(found->second.queue, &lock);
  if (found->second.holder == nullptr && found->second.queue.empty()) locks_.erase(found);
}

void Locks::release(const std::string& name, const Task& task) {
  auto found = locks_.find(name);
  if (found == locks_.end() || found->second.holder != &task) return;
  State& state = found->second;
  note(Kind::lock_released, name, state);
  state.holder = nullptr;
  while (!state.queue.empty()) {
    Lock* next = state.queue.front();
    state.queue.pop_front();
    if (!next->can_be_given()) continue;   // it ends otherwise
    stop_watching(*next);
    take(name, next->task(), next->number(), next->fingerprint());
    next->given();
    return;
  }
  locks_.erase(found);
}

void Locks::task_ended(const Task& task) {
  if (!waiting_.empty()) execution_.look_again();
  std::vector<std::string> held;
  for (auto& [name, state] : locks_)
    if (state.holder == &task) held.push_back(name);
  std::sort(held.begin(), held.end());   // those that waited go on in a defined order
  for (const std::string& name : held) release(name, task);
}

void Locks::note(Kind kind, const std::string& name, const State& state) {
  if (execution_.noted(*state.holder, state.op, kind)) return;
  journal::Record record;
  record.kind = kind;
  record.task = state.holder->id;
  record.op = state.op;
  record.name = name;
  record.fingerprint = state.print;
  execution_.note(std::move(record), false);
}

Lock::Lock(Execution& execution, std::string name, int64_t timeout_us)
    : Durable(execution, std::move(name), flow::fingerprint({std::to_string(timeout_us)})), timeout_us_(timeout_us),
      timer_(execution) {}

Lock::~Lock() {
  execution_.locks().leave(name(), *this);
}

bool Lock::begin(Task& task) {
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  const Task* holder = execution_.locks().holder(name());
  task.outcome = {};
  if (holder == nullptr) {
    execution_.locks().take(name(), task, ++task.ops, fingerprint());
    return true;
  }
  std::string stuck = timeout_us_ > 0 ? std::string() : wait_cycle(task, *holder, describe());
  if (!stuck.empty()) {
    ++task.ops;
    task.outcome = Outcome::of_error(deadlock(stuck));
    return true;
  }
  execution_.locks().wait(name(), *this);
  return execution_.begin(*this, task);
}

std::string Lock::cycle() const {
  const Task* holder = execution_.locks().holder(name());
  return timeout_us_ > 0 || holder == nullptr ? std::string() : wait_cycle(task(), *holder, describe());
}

Error Lock::deadlock(const std::string& cycle) const {
  return Error(code::k_deadlock, "waiting for lock '" + name() + "' would never end: " + cycle);
}

task::Waits Lock::waits_for() const {
  const Task* holder = execution_.locks().holder(name());
  if (timeout_us_ > 0 || holder == nullptr || cancelled()) return {};
  return {{holder}, 1};
}

void Lock::start() {
  std::string members = journal::lock_wait_members(false);
  if (timeout_us_ <= 0) return note_wait(members);
  timer_.start(*this, timeout_us_, [this] { record(Kind::timer_fired, {}); }, members);
}

void Lock::teardown(const task::ErrorRef&) {
  timer_.stop();
  record_cancelled();
}

void Lock::given() {
  timer_.stop();
  end_in_order({});
}

Outcome Lock::delivered(const journal::Record& record) {
  execution_.locks().leave(name(), *this);
  if (record.kind != Kind::timer_fired) return Durable::delivered(record);
  return Outcome::of_error(
      Error(code::k_timeout, "lock '" + name() + "' was not free within " + format_duration(timeout_us_)));
}

}  // namespace perilune::flow
