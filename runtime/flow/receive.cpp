// Waiting for signals and sending them; see receive.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/receive.hpp"

#include <algorithm>

#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;

Receive::Receive(Execution& execution, std::string signal, int64_t timeout_us, bool buffered)
    : Durable(execution, std::move(signal), flow::fingerprint({std::to_string(timeout_us)})), timeout_us_(timeout_us),
      buffered_(buffered) {}

Receive::~Receive() {
  stop_timer();
  if (listed_) execution_.remove_receiver(*this);
}

bool Receive::begin_receive(task::Task& task) {
  std::string value;
  if (!buffered_) execution_.drop_signals(name());
  if (!task.cancelling() && execution_.take_signal(name(), value)) {
    ++task.ops;
    task.outcome = Outcome::of_value(std::move(value));
    return true;
  }
  if (execution_.begin(*this, task)) return true;
  listed_ = true;
  execution_.add_receiver(*this);
  return false;
}

void Receive::start() {
  if (timeout_us_ < 0) return;
  int64_t now_us = execution_.loop().clock().wall_us();
  if (const journal::Record* set = execution_.cursor().find(recorded(), Kind::timer_set)) {
    due_us_ = journal::number_of(set->data, "due");
  } else {
    due_us_ = now_us + timeout_us_;
    execution_.note(remark(Kind::timer_set, "{\"due\":" + std::to_string(due_us_) + "}"), true);
  }
  execution_.timer_started(due_us_);
  timer_ = execution_.loop().start_timer(std::max<int64_t>(0, due_us_ - now_us), [this] {
    timer_ = 0;
    stop_timer();
    record(Kind::timer_fired, journal::with_value({}, {}));
  });
}

void Receive::stop_timer() {
  execution_.loop().stop_timer(timer_);
  timer_ = 0;
  if (due_us_ != 0) execution_.timer_ended(due_us_);
  due_us_ = 0;
}

void Receive::got(std::string value) {
  stop_timer();
  execution_.remove_receiver(*this);
  listed_ = false;
  execution_.settle(*this, Outcome::of_value(std::move(value)));
}

Outcome Receive::delivered(const journal::Record& record) {
  if (listed_) execution_.remove_receiver(*this);
  listed_ = false;
  timed_out_ = record.kind == Kind::timer_fired;
  return Durable::delivered(record);
}

void Receive::teardown(const task::ErrorRef&) {
  stop_timer();
  record_cancelled();
}

Send::Send(Execution& execution, std::string run, std::string signal, std::string value, Deliver deliver)
    : Durable(execution, std::move(signal), flow::fingerprint({run, value})), run_(std::move(run)), value_(std::move(value)),
      deliver_(std::move(deliver)) {}

Send::~Send() {
  *gone_ = true;
  if (active_) execution_.drop(*this);
}

void Send::start() {
  active_ = true;
  execution_.hold(*this);
  deliver_(run_, name(), value_, execution_.operation_key(task(), number()), [this, gone = gone_](Result<void> result) {
    if (*gone) return;
    active_ = false;
    execution_.drop(*this);
    if (result.ok()) record(Kind::signal_sent, journal::with_value({}, {}));
    else record(Kind::step_failed, journal::with_error({}, to_json_text(result.error())));
    execution_.ask_turn();
  });
}

}  // namespace perilune::flow
