// A shield with a time-out: once a cancellation waits for it, it holds for so long and then lets it through. The time
// begins when the cancellation is asked for (or with the shield, when it was before), so that a shield that nobody
// disturbs costs nothing; the timer is a durable sleep of a task of its own.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

class Shield final : public task::ShieldWatch, public std::enable_shared_from_this<Shield> {
 public:
  Shield(Execution& execution, int64_t timeout_us) : execution_(execution), timeout_us_(timeout_us) {}
  ~Shield() override;
  void begin(task::Task& task);
  void end();
  void cancel_waits() override;   // starts the time

 private:
  void open();                    // the time is over
  Execution& execution_;
  int64_t timeout_us_;
  task::Task* task_ = nullptr;    // while it shields
  std::weak_ptr<void> task_life_;
  uint32_t timer_number_ = 0;     // the child number of the timer's task
  std::shared_ptr<task::TaskHandle> timer_;
};

}  // namespace perilune::flow
