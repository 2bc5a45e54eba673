// guard: a task that lives only while a condition of the script holds. The condition is looked at each time when a record
// has been delivered and all that it made ready has run, so it is at the same points live and on replay.
//
//   holds: the task goes on -> it ends: its result
//   no longer: the task is cancelled and waited for -> "ended"
//
// The condition is asked by the task that called guard, in its own slice: the operation wakes it, it asks, and says
// go_on() or stop().
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

class Guard final : public task::Operation, public task::Scope, public Watch {
 public:
  explicit Guard(Execution& execution) : execution_(execution) {}
  ~Guard() override { execution_.unwatch(*this); }

  // False: the task must suspend, and ask when it is resumed unless over().
  bool begin(task::Task& task, std::unique_ptr<task::Coroutine> coroutine);
  // The answers. True: it is over already; else the task must suspend again.
  bool go_on();
  bool stop(task::ErrorRef error);      // the condition holds no longer (null), or could not be asked

  bool over() const { return over_; }
  bool ask() const { return !over_ && !stopping_; }
  // After the end: the error to raise, or null. withdrawn(): the condition ended it.
  task::ErrorRef error() const;
  bool withdrawn() const;
  task::Task& child() const { return *children().front(); }

  void cancel(const task::ErrorRef& reason) override;
  void child_ended(task::Task& task) override;
  void look() override;
  task::Task* owner() override { return task_; }
  std::string describe() const override { return "what a guard holds"; }
  task::Waits waits_for() const override;

 private:
  bool wait_or_over();
  Execution& execution_;
  task::Task* task_ = nullptr;
  bool over_ = false;
  bool stopping_ = false;
  task::ErrorRef error_;         // of the condition
  task::ErrorRef cancelled_;
};

}  // namespace perilune::flow
