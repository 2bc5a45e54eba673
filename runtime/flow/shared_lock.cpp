// Waiting for a lock of all runs, and leaving its section; see shared_lock.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/shared_lock.hpp"

#include "runtime/base/units.hpp"
#include "runtime/journal/payload.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;

SharedLock::SharedLock(Execution& execution, SharedLocks& locks, std::string name, int64_t timeout_us)
    : Durable(execution, std::move(name), flow::fingerprint({"runs", std::to_string(timeout_us)})), locks_(locks),
      timeout_us_(timeout_us), timer_(execution) {}

SharedLock::~SharedLock() { stop_waiting(); }

void SharedLock::start() {
  waiting_ = true;
  execution_.awaits_other(describe());
  std::string members = journal::lock_wait_members(true);
  if (timeout_us_ > 0) timer_.start(*this, timeout_us_, [this] { fire(); }, members);
  locks_.request(*this);
  if (waiting_ && timeout_us_ == 0) note_wait(members);
}

void SharedLock::fire() {
  stop_waiting();
  record(Kind::timer_fired, {});
}

void SharedLock::stop_waiting() {
  if (!waiting_) return;
  waiting_ = false;
  execution_.left_other(describe(), false);
  locks_.withdraw(*this);
  timer_.stop();
}

void SharedLock::teardown(const task::ErrorRef&) {
  stop_waiting();
  record_cancelled();
}

void SharedLock::granted() {
  stop_waiting();
  record(Kind::lock_granted, {});
  execution_.ask_turn();
}

void SharedLock::refused(Error error) {
  stop_waiting();
  record(Kind::step_failed, journal::with_error({}, to_json_text(error)));
  execution_.ask_turn();
}

Outcome SharedLock::delivered(const journal::Record& record) {
  if (record.kind == Kind::timer_fired)
    return Outcome::of_error(
        Error(code::k_timeout, "lock '" + name() + "' was not free within " + format_duration(timeout_us_)));
  if (record.kind == Kind::lock_granted) locks_.holds(name(), caller(), task());
  return Durable::delivered(record);
}

task::Waits SharedLock::waits_across() const {
  const task::Task* holder = waiting_ && waits_for_ever() ? locks_.holding_task(name()) : nullptr;
  if (holder == nullptr) return {};
  return {{holder}, 1};
}

void leave_section(Execution& execution, SharedLocks& locks, const std::string& name, uint64_t fingerprint,
                   const LockHolder& holder) {
  if (execution.noted(holder.task, holder.op, Kind::lock_released)) return;   // an earlier life has left it
  journal::Record record;
  record.kind = Kind::lock_released;
  record.task = holder.task;
  record.op = holder.op;
  record.name = name;
  record.fingerprint = fingerprint;
  execution.note_then(std::move(record), [&locks, name, holder] { locks.release(name, holder); });
}

}  // namespace perilune::flow
