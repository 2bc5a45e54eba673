// lock(name, { across = "runs" }, fn): a critical section that one run at a time is in.
//
// Who holds a lock is a fact of the holder's journal: lock_granted, until lock_released or the end of the run. A process
// that is killed frees nothing: its run resumes inside. Who comes next is decided by the engine (SharedLocks), and told
// by the record of the one that gets it. Uses execution and durable.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "runtime/flow/due_timer.hpp"

namespace perilune::flow {

class SharedLock;

// Who is in a section: a call of a run.
struct LockHolder {
  std::string run;
  std::string task;
  uint32_t op = 0;
  bool operator==(const LockHolder&) const = default;
};

// The locks of all runs of a store.
class SharedLocks {
 public:
  virtual ~SharedLocks() = default;
  // Leads to lock.granted() or lock.refused(), now or later, unless it is withdrawn first.
  virtual void request(SharedLock& lock) = 0;
  virtual void withdraw(SharedLock& lock) = 0;
  // The call holds it, as its journal says: `task` is in this process now.
  virtual void holds(const std::string& name, const LockHolder& holder, task::Task& task) = 0;
  virtual void release(const std::string& name, const LockHolder& holder) = 0;
  // The task in the section, when it is in this process and still there.
  virtual const task::Task* holding_task(const std::string& name) = 0;
};

class SharedLock final : public Durable {
 public:
  // `timeout_us` 0 = none.
  SharedLock(Execution& execution, SharedLocks& locks, std::string name, int64_t timeout_us);
  ~SharedLock() override;
  const char* call() const override { return "lock"; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::lock_granted || kind == journal::Kind::timer_fired || kind == journal::Kind::step_failed;
  }
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override { return "lock '" + name() + "' of all runs"; }
  task::Waits waits_across() const override;

  LockHolder caller() const { return {execution_.row().id, task().id, number()}; }
  bool waits_for_ever() const { return timeout_us_ == 0; }
  // ---- for SharedLocks
  void granted();
  void refused(Error error);

 private:
  void start() override;
  void teardown(const task::ErrorRef& reason) override;
  void fire();
  void stop_waiting();

  SharedLocks& locks_;
  int64_t timeout_us_;
  DueTimer timer_;
  bool waiting_ = false;     // asked for
};

// The section is over: recorded, then the next one may enter.
void leave_section(Execution& execution, SharedLocks& locks, const std::string& name, uint64_t fingerprint,
                   const LockHolder& holder);

}  // namespace perilune::flow
