// Effects as operations; see effect_call.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/effect_call.hpp"

namespace perilune::flow {

using task::Outcome;

bool EffectCall::begin(task::Task& task) {
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  if (task.attempt != nullptr && !task.attempt->effects_allowed) {
    const char* why = task.attempt->refusal != nullptr ? task.attempt->refusal : "`when` and the retry filters decide by plain Lua";
    task.outcome = Outcome::of_error(Error(code::k_usage, what_ + " may not be called here: " + why));
    return true;
  }
  task_ = &task;
  execution_.scheduler().wait(task, *this);
  effect_ = start_([this](Result<std::string> result) {
    effect_.reset();
    Outcome outcome;  // nothing, where the effect has nothing to say: as Durable::delivered does
    if (!result.ok()) outcome = Outcome::of_error(std::move(result.error()));
    else if (*result != "null") outcome = Outcome::of_value(std::move(*result));
    execution_.scheduler().wake(*task_, std::move(outcome));
    execution_.ask_turn();
  });
  return false;
}

void EffectCall::cancel(const task::ErrorRef&) {
  if (effect_ != nullptr) effect_->cancel();
}

namespace {

// The task of a step that is one effect: starts it, and hands its result on.
class EffectCoroutine final : public task::Coroutine {
 public:
  EffectCoroutine(Execution& execution, std::string what, StartEffect start)
      : call_(execution, std::move(what), std::move(start)) {}

  State resume(task::Task& task) override {
    if (!begun_) {
      begun_ = true;
      if (!call_.begin(task)) return State::suspended;
    }
    Outcome outcome = std::move(task.outcome);
    if (outcome.kind == Outcome::Kind::error) {
      error_ = *outcome.error;
      return State::failed;
    }
    value_ = std::move(outcome.value);
    return State::finished;
  }
  Error take_error() override { return std::move(error_); }
  Result<std::string> encode_result() override { return std::move(value_); }

 private:
  EffectCall call_;
  bool begun_ = false;
  Error error_;
  std::string value_;
};

}  // namespace

std::unique_ptr<task::Coroutine> effect_task(Execution& execution, std::string what, StartEffect start) {
  return std::make_unique<EffectCoroutine>(execution, std::move(what), std::move(start));
}

std::unique_ptr<task::Coroutine> EffectStep::attempt(const task::AttemptContext& attempt) {
  return effect_task(execution_, what_,
                     [this, &attempt](effects::Done<std::string> done) { return start_(attempt, std::move(done)); });
}

}  // namespace perilune::flow
