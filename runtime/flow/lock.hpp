// lock: a critical section of a run. Who holds it, and who is next, follows from the order of the run alone: lock_taken and
// lock_released are for observers. Only a wait that ends otherwise (its time-out, its cancellation) has an outcome record.
//
//   begin -> free: taken at once
//         -> held: in the queue --released--> taken
//                               --time-out--> timer_fired     (from the moment it is appended the queue passes it by,
//                               --cancelled--> op_cancelled    and on replay it passes by whoever has such a record)
//         -> waiting would close a cycle of waits: `deadlock`
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <string>
#include <unordered_map>

#include "runtime/flow/due_timer.hpp"

namespace perilune::flow {

class Lock;

// The locks of one run, by name. A lock that nobody holds or waits for is not here.
class Locks final : public Watch {
 public:
  explicit Locks(Execution& execution) : execution_(execution) {}
  const task::Task* holder(const std::string& name) const;
  // `op` and `print`: number and fingerprint of the call.
  void take(const std::string& name, task::Task& task, uint32_t op, uint64_t print);
  void wait(const std::string& name, Lock& lock);
  void leave(const std::string& name, Lock& lock);
  // Nothing when `task` does not hold it.
  void release(const std::string& name, const task::Task& task);
  // A task that ends gives back what it holds (a coroutine of its own that never went on).
  void task_ended(const task::Task& task);
  // A cycle may close when a task ends that others could have gone on without: the youngest wait in it fails.
  void look() override;

 private:
  struct State {
    task::Task* holder = nullptr;
    uint32_t op = 0;
    uint64_t print = 0;
    std::deque<Lock*> queue;
  };
  void note(journal::Kind kind, const std::string& name, const State& state);
  void stop_watching(Lock& lock);
  Execution& execution_;
  std::unordered_map<std::string, State> locks_;
  std::vector<Lock*> waiting_;   // in the order of their calls
};

class Lock final : public Durable {
 public:
  // `timeout_us` 0 = none.
  Lock(Execution& execution, std::string name, int64_t timeout_us);
  ~Lock() override;
  // True: task.outcome says how: taken, or an error. False: the task must suspend.
  bool begin(task::Task& task);

  const char* call() const override { return "lock"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::timer_fired; }
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override { return "lock '" + name() + "'"; }
  task::Waits waits_for() const override;

 private:
  friend class Locks;
  void start() override;
  void teardown(const task::ErrorRef& reason) override;
  bool can_be_given() const { return open(); }
  void given();
  std::string cycle() const;
  Error deadlock(const std::string& cycle) const;

  int64_t timeout_us_;
  DueTimer timer_;
};

}  // namespace perilune::flow
