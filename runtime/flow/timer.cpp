// Durable and plain pauses; see timer.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/timer.hpp"

#include <algorithm>

#include "runtime/base/clock.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;

Sleep::Sleep(Execution& execution, int64_t duration_us, std::string name)
    : Durable(execution, std::move(name), flow::fingerprint({std::to_string(duration_us)})), duration_us_(duration_us) {}

Sleep::~Sleep() {
  if (due_us_ == 0) return;
  execution_.loop().stop_timer(timer_);
  execution_.timer_ended(due_us_);
}

void Sleep::start() {
  int64_t now_us = execution_.loop().clock().wall_us();
  if (const journal::Record* set = execution_.cursor().find(recorded(), Kind::timer_set)) {
    due_us_ = journal::number_of(set->data, "due");
    started_us_ = set->at_us;
  } else {
    due_us_ = now_us + duration_us_;
    started_us_ = now_us;
    execution_.note(remark(Kind::timer_set, "{\"due\":" + std::to_string(due_us_) + "}"), true);
  }
  execution_.timer_started(due_us_);
  timer_ = execution_.loop().start_timer(std::max<int64_t>(0, due_us_ - now_us), [this] { fire(); });
}

void Sleep::fire() {
  timer_ = 0;
  int64_t left_us = due_us_ - execution_.loop().clock().wall_us();
  if (left_us > 0) {   // the wall clock was set back: never early
    timer_ = execution_.loop().start_timer(left_us, [this] { fire(); });
    return;
  }
  execution_.timer_ended(due_us_);
  due_us_ = 0;
  record(Kind::timer_fired, journal::with_value({started_us_, 0, {}}, {}));
}

void Sleep::teardown(const task::ErrorRef&) {
  execution_.loop().stop_timer(timer_);
  execution_.timer_ended(due_us_);
  due_us_ = 0;
  record_cancelled();
}

std::string Sleep::describe() const { return due_us_ == 0 ? "sleep" : "sleep until " + rfc3339(due_us_); }

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
