// The scope of a run: its main task, and the tasks that were left to it (rest = "keep"). For execution*.cpp alone.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

// The main task and the tasks that were left to the run. The run is over when all have ended.
class Execution::RootScope final : public task::Scope {
 public:
  explicit RootScope(Execution& execution) : execution_(execution) {}
  // What is left to the run joins the main task's saga as long as that is there.
  task::Task* owner() override { return children().empty() ? nullptr : children().front().get(); }
  void child_ended(task::Task& task) override {
    if (task.number == 0) execution_.main_ended(task);
    else release(task);
    if (live() == 0) execution_.finish();
  }
  template <class F>
  void each_waiting(F&& f) const {
    for (auto& child : children())
      if (child->state == task::Task::State::waiting) f(*child);
  }

 private:
  Execution& execution_;
};

}  // namespace perilune::flow
