// A task that waits for a time and then does something: the end of a scope or of a shield. In the body its wait is a durable sleep,
// so that it goes on where it was after a crash; inside a step's attempt it is a plain timer. Uses timer.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/flow/timer.hpp"

namespace perilune::flow {

class TimerTask final : public task::Coroutine {
 public:
  // `fire` is called when the time is over, unless the task was cancelled before.
  TimerTask(Execution& execution, std::string name, int64_t us, std::function<void()> fire)
      : execution_(execution), name_(std::move(name)), us_(us), fire_(std::move(fire)) {}

  State resume(task::Task& task) override {
    if (sleep_ == nullptr && !begin(task)) return State::suspended;
    if (task.outcome.kind != task::Outcome::Kind::error) fire_();
    return State::finished;
  }
  Error take_error() override { return {}; }
  Result<std::string> encode_result() override { return std::string("null"); }

 private:
  // True: it need not wait.
  bool begin(task::Task& task) {
    if (task.journaled()) {
      auto sleep = std::make_unique<Sleep>(execution_, us_, name_);
      Sleep& begun = *sleep;
      sleep_ = std::move(sleep);
      return execution_.begin(begun, task);
    }
    auto sleep = std::make_unique<AttemptSleep>(execution_);
    AttemptSleep& begun = *sleep;
    sleep_ = std::move(sleep);
    return begun.begin(task, us_);
  }

  Execution& execution_;
  std::string name_;
  int64_t us_;
  std::function<void()> fire_;
  std::unique_ptr<task::Operation> sleep_;
};

}  // namespace perilune::flow
