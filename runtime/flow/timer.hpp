// sleep: durable in the body (timer_set, timer_fired), a plain timer inside a step's attempt.
// SPDX-License-Identifier: MIT
#pragma once

#include "runtime/flow/due_timer.hpp"

namespace perilune::flow {

class Sleep final : public Durable {
 public:
  Sleep(Execution& execution, int64_t duration_us, std::string name = "sleep");
  const char* call() const override { return "sleep"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::timer_fired; }
  std::string describe() const override;

 private:
  void start() override;
  void teardown(const task::ErrorRef& reason) override;

  int64_t duration_us_;
  DueTimer timer_;
};

// A pause within an attempt: gone after a crash, as the attempt is.
class AttemptSleep final : public task::Operation {
 public:
  explicit AttemptSleep(Execution& execution) : execution_(execution) {}
  ~AttemptSleep() override;
  // True: the task is being cancelled, its outcome is set. False: it must suspend.
  bool begin(task::Task& task, int64_t duration_us);
  void cancel(const task::ErrorRef& reason) override;
  std::string describe() const override { return "sleep within a step"; }

 private:
  Execution& execution_;
  task::Task* task_ = nullptr;
  loop::TimerId timer_ = 0;
};

}  // namespace perilune::flow
