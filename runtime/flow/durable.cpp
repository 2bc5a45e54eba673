// The life of a durable call that all kinds share: cancellation and the writing of its records.
// SPDX-License-Identifier: MIT
#include "runtime/flow/durable.hpp"

#include "runtime/base/ids.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;

Outcome Durable::delivered(const journal::Record& record) {
  switch (record.kind) {
    case Kind::step_failed:
      return Outcome::of_error(error_from_json_text(journal::error_of(record.data)));
    case Kind::op_cancelled: {
      std::string_view text = journal::error_of(record.data);
      return Outcome::of_error(text.empty() ? Error(code::k_cancelled, "cancelled") : error_from_json_text(text));
    }
    default: {
      std::string_view value = journal::value_of(record.data);
      return value.empty() || value == "null" ? Outcome{} : Outcome::of_value(std::string(value));
    }
  }
}

void Durable::cancel(const task::ErrorRef& reason) {
  if (cancelled_ != nullptr) return;
  cancelled_ = reason;
  switch (state_) {
    case State::parked:
      if (!execution_.rules().cancel_by_record) execution_.end_unrecorded(*this);
      break;               // its record will be delivered; without one, the end of the replay records the cancellation
    case State::recording:
    case State::over:
    case State::fresh:
      break;
    case State::started:
      teardown(reason);
      break;
  }
}

void Durable::start_now() {
  if (cancelled()) {   // cancelled on replay before it was ever started in this life
    state_ = State::started;
    return cancelled_early();
  }
  state_ = State::started;
  start();
}

journal::Trail::Op Durable::recorded() const {
  return execution_.cursor().trail(task_->id).op(number_);
}

void Durable::end_in_order(Outcome outcome) {
  state_ = State::over;
  execution_.unpark(*this);
  execution_.scheduler().wake(*task_, std::move(outcome));
}

void Durable::record(Kind kind, std::string data, std::function<void()> then) {
  state_ = State::recording;
  execution_.record(*this, kind, std::move(data), std::move(then));
}

void Durable::record_cancelled() {
  if (!execution_.rules().cancel_by_record) return execution_.end_unrecorded(*this);
  record(Kind::op_cancelled, journal::with_error({}, cancelled_ ? to_json_text(*cancelled_) : std::string()));
}

void Durable::note_wait(const std::string& members) {
  if (execution_.noted(*task_, number_, Kind::wait_started)) return;
  execution_.note(remark(Kind::wait_started, "{" + members + "}"), false);
}

journal::Record Durable::remark(Kind kind, std::string data) const {
  journal::Record record;
  record.kind = kind;
  record.task = task_->id;
  record.op = number_;
  record.name = name_;
  record.fingerprint = fingerprint_;
  record.data = std::move(data);
  return record;
}

uint64_t fingerprint(std::initializer_list<std::string_view> parts) {
  uint64_t hash = 0;
  for (std::string_view part : parts) hash = hash64(part, hash + part.size() + 1);
  return hash;
}

}  // namespace perilune::flow
