// What hooks do to a step: before its first attempt, and when it has failed. See step.hpp and hook_gate.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/branch.hpp"
#include "runtime/flow/step.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using hooks::Point;
using journal::Kind;

Point Step::point_before() const { return spec_.compensation ? Point::compensate_before : Point::step_before; }

HookGate::Question Step::question() const {
  return {point_before(), attempts_before_, "\"step\":" + label_of(name()), spec_.input};
}

void Step::pass_gate() {
  if (!HookGate::stands(execution_, point_before(), spec_.decided.get())) return begin_attempt();
  phase_ = Phase::gate;
  gate_ = std::make_unique<HookGate>(execution_, *this);
  gate_->pass(question(), spec_.decided.get(), [this](HookGate::Pass pass) { passed(std::move(pass)); });
}

void Step::passed(HookGate::Pass pass) {
  std::unique_ptr<HookGate> done = std::move(gate_);   // it is calling
  using How = HookGate::Pass::How;
  switch (pass.how) {
    case How::cancelled:
      return finish(Kind::op_cancelled, {});
    case How::result:
      return finish_unworked(pass.value, pass.skipped, pass.by);
    case How::error:
      set_error(std::move(pass.error));
      error_.retry = false;
      return fail_for_good();
    case How::work:
      if (!pass.input.empty()) spec_.input = std::move(pass.input);
      return begin_attempt();
  }
}

// A result that no attempt has given: of a hook, or of the workflow that did the work.
void Step::finish_unworked(const std::string& value, bool skipped, const std::string& by) {
  Result<std::string> checked = value;
  if (spec_.expect) checked = spec_.expect->check(value, "the result that " + by + " gave step '" + name() + "'");
  if (!checked.ok()) {
    set_error(std::move(checked.error()));
    return fail_for_good();
  }
  Kind kind = spec_.compensation ? Kind::compensation_done : skipped ? Kind::step_skipped : Kind::step_done;
  std::string extra = since_member();
  if (skipped) extra.append(extra.empty() ? "" : ",").append("\"by\":" + label_of(by));
  finish(kind, journal::with_value({skipped ? 0 : first_started_us_, 0, extra}, *checked));
}

void Step::take_facts(const journal::Record& record) {
  facts_ = std::make_unique<StepFacts>();
  facts_->kind = record.kind;
  facts_->attempts = static_cast<int>(journal::number_of(record.data, "attempt"));
  int64_t started_us = journal::number_of(record.data, "started");
  if (started_us > 0) facts_->duration_ms = static_cast<double>(record.at_us - started_us) / 1000;
  if (record.kind == Kind::step_skipped) facts_->by = hooks::skipped_by(record.data);
  auto keep = [this](const Error& error) {
    if (error.attempt > 0 && error.step == name()) facts_->retried.push_back(error);
  };
  if (record.kind == Kind::step_failed) {   // it has them with it
    for (const Error& error : error_from_json_text(journal::error_of(record.data)).suppressed) keep(error);
    return;
  }
  if (phase_ == Phase::idle && first_started_us_ == 0) {   // not of this life
    const journal::Cursor& cursor = execution_.cursor();
    for (uint32_t i = recorded().first; i != 0; i = cursor.after(i))
      if (cursor.at(i).kind == Kind::attempt_failed) keep(error_from_json_text(journal::error_of(cursor.at(i).data)));
    return;
  }
  for (const Error& error : earlier_) keep(error);
  keep(error_);
}

// What an earlier life has redirected ends with the step.
void Step::cancelled_early() {
  if (execution_.noted(task(), number(), Kind::hook_decision)) {
    phase_ = Phase::gate;
    execution_.hold(*this);
    gate_ = std::make_unique<HookGate>(execution_, *this);
    if (gate_->cancel_redirected(question(), *cancel_cause(), [this](HookGate::Pass pass) { passed(std::move(pass)); })) return;
    gate_.reset();
    phase_ = Phase::idle;
    execution_.drop(*this);
  }
  record_cancelled();
}

}  // namespace perilune::flow
