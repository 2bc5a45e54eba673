// Waiting for signals and sending them; see receive.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/receive.hpp"

#include <algorithm>

#include "runtime/journal/payload.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;

Receive::Receive(Execution& execution, std::string signal, int64_t timeout_us, bool buffered)
    : Durable(execution, std::move(signal), flow::fingerprint({std::to_string(timeout_us)})), timeout_us_(timeout_us),
      buffered_(buffered), timer_(execution) {}

Receive::~Receive() {
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
  std::string members = journal::signal_wait_members(execution_.delivered_seq());
  if (timeout_us_ < 0) return note_wait(members);
  timer_.start(*this, timeout_us_, [this] { record(Kind::timer_fired, journal::with_value({}, {})); }, members);
}

void Receive::got(std::string value) {
  timer_.stop();
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
  timer_.stop();
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
