// Durable and plain pauses; see timer.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/timer.hpp"

#include "runtime/base/clock.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;

Sleep::Sleep(Execution& execution, int64_t duration_us, std::string name)
    : Durable(execution, std::move(name), flow::fingerprint({std::to_string(duration_us)})), duration_us_(duration_us),
      timer_(execution) {}

void Sleep::start() {
  timer_.start(*this, duration_us_, [this] { record(Kind::timer_fired, journal::with_value({timer_.set_us(), 0, {}}, {})); });
}

void Sleep::teardown(const task::ErrorRef&) {
  timer_.stop();
  record_cancelled();
}

std::string Sleep::describe() const { return timer_.due_us() == 0 ? "sleep" : "sleep until " + rfc3339(timer_.due_us()); }

AttemptSleep::~AttemptSleep() { execution_.loop().stop_timer(timer_); }

bool AttemptSleep::begin(task::Task& task, int64_t duration_us) {
  if (task.cancelling()) {
    task.outcome = task::Outcome::of_error(task.cancel_reason);
    return true;
  }
  task_ = &task;
  execution_.scheduler().wait(task, *this);
  timer_ = execution_.loop().start_timer(duration_us, [this] {
    timer_ = 0;
    execution_.scheduler().wake(*task_, {});
    execution_.ask_turn();
  });
  return false;
}

void AttemptSleep::cancel(const task::ErrorRef& reason) {
  execution_.loop().stop_timer(timer_);
  timer_ = 0;
  execution_.scheduler().wake(*task_, task::Outcome::of_error(reason));
  execution_.ask_turn();
}

}  // namespace perilune::flow
