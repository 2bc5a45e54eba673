// See hook_gate.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/hook_gate.hpp"

#include <utility>

#include "runtime/journal/waits.hpp"

namespace perilune::flow {

using hooks::Decision;
using hooks::Reply;
using journal::Kind;

bool HookGate::stands(Execution& execution, const Durable& op, hooks::Point point, const Decision* preset) {
  return preset != nullptr || execution.listening(point) != nullptr ||
         (execution.has_decisions() && execution.noted(op.task(), op.number(), Kind::hook_decision));
}

std::optional<Decision> HookGate::recorded(hooks::Point point, int round) const {
  const journal::Cursor& cursor = execution_.cursor();
  for (uint32_t i = op_.recorded().first; i != 0; i = cursor.after(i)) {
    const journal::Record& record = cursor.at(i);
    if (record.kind != Kind::hook_decision) continue;
    if (auto decision = hooks::decision_in(record.data, point, round)) return decision;
  }
  return std::nullopt;
}

void HookGate::pass(Question question, const Decision* preset, Then then) {
  question_ = std::move(question);
  then_ = std::move(then);
  if (auto found = recorded(question_.point, question_.round)) {
    decision_ = std::move(*found);
    return carry_out();
  }
  Decision decision = preset == nullptr ? Decision{} : *preset;
  hooks::Registry* outside = execution_.listening(question_.point);
  if (outside == nullptr || decision.ends_round()) return decided(std::move(decision));
  if (!decision.input.empty()) question_.input = decision.input;
  hooks::Event event = execution_.event(question_.point, question_.fields, question_.input_name, question_.input);
  auto answered = std::make_shared<bool>(false);
  std::shared_ptr<void> round = outside->ask(std::move(event), [this, answered, decision](Decision said) mutable {
    *answered = true;
    std::shared_ptr<void> ended = std::exchange(asking_, nullptr);
    hooks::add(decision, std::move(said));
    execution_.ask_turn();
    decided(std::move(decision));
  });
  if (!*answered) asking_ = std::move(round);   // else this may be gone
}

void HookGate::decided(Decision decision) {
  decision_ = std::move(decision);
  if (decision_.nothing()) return carry_out();
  std::string data = hooks::record_data(question_.point, question_.round, decision_);
  if (decision_.final == Reply::redirect)   // for whoever takes the run back
    data.insert(data.size() - 1, ",\"child\":\"" + Redirection::run_id(execution_, op_) + "\"");
  journal::Record record = op_.remark(Kind::hook_decision, std::move(data));
  bool ends_here = decision_.ends_round() && decision_.final != Reply::redirect && decision_.delay_us == 0;
  if (ends_here) {   // its outcome is recorded in the same commit
    execution_.note(std::move(record), false);
    return carry_out();
  }
  waits_commit_ = true;
  execution_.note_then(std::move(record), [this] {
    waits_commit_ = false;
    carry_out();
  });
}

void HookGate::carry_out() {
  if (cancelled_) return finish({Pass::How::cancelled});
  if (decision_.delay_us > 0) {
    int64_t delay_us = std::exchange(decision_.delay_us, 0);
    rest(true);
    return timer_.start(op_, delay_us, [this] {
      rest(false);
      execution_.ask_turn();
      carry_out();
    });
  }
  Pass pass;
  pass.by = decision_.by;
  if (decision_.failed) {
    pass.how = Pass::How::error;
    pass.error = error_from_json_text(decision_.error);
  } else if (decision_.final == Reply::deny) {
    pass.how = Pass::How::error;
    pass.error = hooks::denied(decision_);
  } else if (decision_.final == Reply::skip) {
    pass.how = Pass::How::result;
    pass.skipped = true;
    pass.value = std::move(decision_.value);
  } else if (decision_.final == Reply::redirect) {
    return redirect();
  } else {
    pass.input = std::move(decision_.input);
    pass.value = std::move(decision_.value);
  }
  finish(std::move(pass));
}

void HookGate::redirect() {
  redirection_ = std::make_unique<Redirection>(execution_, op_);
  rest(true);
  op_.note_wait(journal::run_wait_members(Redirection::run_id(execution_, op_)));
  std::string input = decision_.input.empty() ? question_.input : decision_.input;
  redirection_->start(decision_.text, std::move(input), [this](Result<std::string> result) {
    rest(false);
    Pass pass;
    pass.by = decision_.by;
    pass.how = cancelled_ ? Pass::How::cancelled : result.ok() ? Pass::How::result : Pass::How::error;
    if (result.ok()) pass.value = std::move(*result);
    else pass.error = std::move(result.error());
    finish(std::move(pass));
  });
}

void HookGate::rest(bool on) {
  if (std::exchange(resting_, on) == on) return;
  on ? execution_.drop(op_) : execution_.hold(op_);
}

void HookGate::finish(Pass pass) {
  Then then = std::move(then_);
  then(std::move(pass));
}

void HookGate::cancel(const Error& reason) {
  if (std::exchange(cancelled_, true) || waits_commit_) return;   // decided when the record is committed
  if (redirection_ != nullptr) return redirection_->cancel(reason);
  if (asking_ != nullptr) {   // nobody waits for their answer any more
    asking_.reset();
    return finish({Pass::How::cancelled});
  }
  if (timer_.due_us() != 0) {
    timer_.stop();
    rest(false);
    finish({Pass::How::cancelled});
  }
}

bool HookGate::cancel_redirected(Question question, const Error& reason, Then then) {
  const journal::Cursor& cursor = execution_.cursor();
  for (uint32_t i = op_.recorded().first; i != 0; i = cursor.after(i)) {
    const journal::Record& record = cursor.at(i);
    if (record.kind != Kind::hook_decision) continue;
    auto decision = hooks::decision_in(record.data, question.point, hooks::k_any_round);
    if (!decision || decision->final != Reply::redirect) continue;
    if (!execution_.children()->child_exists(Redirection::run_id(execution_, op_))) return false;
    question_ = std::move(question);
    then_ = std::move(then);
    decision_ = std::move(*decision);
    cancelled_ = true;
    redirect();
    redirection_->cancel(reason);
    return true;
  }
  return false;
}

}  // namespace perilune::flow
