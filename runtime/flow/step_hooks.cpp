// What hooks do to a step: before its first attempt, and when it has failed. See step.hpp and hook_gate.hpp.
// SPDX-License-Identifier: MIT
#include <utility>

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
  if (!HookGate::stands(execution_, *this, point_before(), spec_.decided.get())) return begin_attempt();
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

// Outside hooks have a say about the failure, at this point or the next; what the script's own say comes after. False: nobody
// is asked.
bool Step::ask_about_failure(Point point) {
  if (spec_.compensation || cancelled()) return false;
  hooks::Registry* outside = execution_.listening(point);
  if (outside == nullptr) return point == Point::step_fail && ask_about_failure(Point::error);
  phase_ = Phase::mending;
  std::string fields = "\"step\":" + label_of(name()) + ",\"attempts\":" + std::to_string(attempt_) +
                       ",\"error\":" + to_json_text(error_);
  auto at_once = std::make_shared<bool>(false);
  std::shared_ptr<void> round = outside->ask(execution_.event(point, std::move(fields), "input", spec_.input),
                                             [this, at_once, point](hooks::Decision said) {
                                               *at_once = true;
                                               std::shared_ptr<void> ended = std::exchange(asking_, nullptr);
                                               execution_.ask_turn();
                                               answered(point, std::move(said));
                                             });
  if (!*at_once) asking_ = std::move(round);   // else this may be gone
  return true;
}

void Step::answered(Point point, hooks::Decision said) {
  if (said.final == hooks::Reply::retry) {
    if (!never_retried(error_.code)) return try_again(std::move(said));
    execution_.complain("a hook of " + said.by + " said retry, but an error with the code '" + error_.code +
                        "' is never retried (step '" + name() + "')");
    said = {};
  }
  if (said.nothing()) {
    if (point == Point::step_fail && ask_about_failure(Point::error)) return;
    return give_up(false);
  }
  execution_.note(remark(Kind::hook_decision, hooks::record_data(point, attempt_, said)), false);   // with the outcome
  if (!said.error.empty()) {
    set_error(error_from_json_text(said.error));
    return give_up(false);
  }
  if (said.final == hooks::Reply::escalate) return give_up(true);
  finish_unworked(said.value, said.final == hooks::Reply::suppress, said.by);
}

void Step::try_again(hooks::Decision decision) {
  decision.error = to_json_text(error_);   // for a later life: what it was
  phase_ = Phase::intent;
  execution_.note_then(remark(Kind::hook_decision, hooks::record_data(Point::step_fail, attempt_, decision)), [this, decision] {
    if (cancelled()) return finish(Kind::op_cancelled, {});
    attempts_before_ = attempt_;
    if (!decision.input.empty()) spec_.input = decision.input;
    back_off(execution_.loop().clock().wall_us() + decision.delay_us);
  });
}

// Of an earlier life. True: the step was to be tried again.
bool Step::read_decision(const journal::Record& record, Error& retried) {
  if (auto before = hooks::decision_in(record.data, point_before(), hooks::k_any_round)) {
    if (!before->ends_round() && !before->input.empty()) spec_.input = before->input;
    return false;
  }
  auto decision = hooks::decision_in(record.data, Point::step_fail, hooks::k_any_round);
  if (!decision || decision->final != hooks::Reply::retry) return false;
  attempt_ = attempts_before_ = decision->round;
  resume_at_us_ = record.at_us + decision->delay_us;
  if (!decision->input.empty()) spec_.input = decision->input;
  retried = error_from_json_text(decision->error);
  return true;
}

// A result that no attempt has given: of a hook, or of the workflow that did the work.
void Step::finish_unworked(const std::string& value, bool skipped, const std::string& by) {
  Result<std::string> checked = value;
  if (spec_.expect) checked = spec_.expect->check(value, "the result that " + by + " gave step '" + name() + "'");
  if (!checked.ok()) {
    bool asked = phase_ == Phase::mending;
    set_error(std::move(checked.error()));
    return asked ? give_up(false) : fail_for_good();
  }
  Kind kind = spec_.compensation ? Kind::compensation_done : skipped ? Kind::step_skipped : Kind::step_done;
  std::string extra = since_member();
  if (skipped) extra.append(extra.empty() ? "" : ",").append("\"by\":" + label_of(by));
  finish(kind, journal::with_value({skipped ? 0 : first_started_us_, attempt_, extra}, *checked));
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
      if (const journal::Record& other = cursor.at(i); other.kind == Kind::attempt_failed)
        keep(error_from_json_text(journal::error_of(other.data)));
      else if (auto decision = hooks::decision_in(other.data, Point::step_fail, hooks::k_any_round))
        keep(error_from_json_text(decision->error));
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
