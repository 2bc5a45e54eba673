// What stands between the end of the script and the end of the run: the output's schema and postflight. Both come when all
// tasks of the main task have ended, and before it is decided whether the run undoes what it did: a run whose output is
// no good has failed. See execution.hpp, gate.hpp.
//
//   script ends, or finish(output) -> schema -> postflight, as the step of a task of its own -> the main task ends
//
// SPDX-License-Identifier: MIT
#include "runtime/flow/gate.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::flow {

using task::Task;

// Runs the step, and tells the execution how it ended.
class Execution::Postflight final : public task::Coroutine {
 public:
  Postflight(Execution& execution, std::unique_ptr<StepCode> code, std::string output)
      : execution_(execution), code_(std::move(code)), output_(std::move(output)) {}

  State resume(Task& task) override {
    if (step_ == nullptr) {
      StepSpec spec;
      spec.name = spec.gate = k_gate_postflight;
      spec.retry.attempts = 1;
      spec.input = std::move(output_);
      spec.fingerprint = fingerprint({spec.input});
      step_ = std::make_unique<Step>(execution_, std::move(spec), std::move(code_));
      if (!execution_.begin(*step_, task)) return State::suspended;
    }
    if (task.outcome.kind != task::Outcome::Kind::error) return State::finished;
    execution_.postflight_error_ = task.outcome.error;
    error_ = *task.outcome.error;
    return State::failed;
  }
  Error take_error() override { return std::move(error_); }
  Result<std::string> encode_result() override { return std::string("null"); }

 private:
  Execution& execution_;
  std::unique_ptr<StepCode> code_;
  std::string output_;
  std::unique_ptr<Step> step_;
  Error error_;
};

// The verdict of the output's schema, written once; after a retry it may be another one.
void Execution::output_verdict(const Error* failure) {
  if (!options_.listener->checks_output()) return;
  journal::Record verdict = run_gate(k_gate_output, failure);
  const journal::Record* said = nullptr;
  for (uint32_t at = cursor_.trail("").op(0).first; at != 0; at = cursor_.after(at))
    if (cursor_.at(at).kind == verdict.kind && cursor_.at(at).name == verdict.name) said = &cursor_.at(at);
  if (said == nullptr || said->data != verdict.data) note(std::move(verdict), false);
}

// True: the main task can't end yet.
bool Execution::settle_output(Task& task) {
  if (task.number != 0 || !task.journaled() || output_settled_) return false;
  auto fail = [&](task::ErrorRef error) {
    task.failed = true;
    task.error = std::move(error);
    completed_with_.reset();
  };
  if (postflight_begun_) {
    output_settled_ = true;
    if (postflight_error_ != nullptr) fail(postflight_error_);
    return false;
  }
  if (!completed_with_) {
    if (task.failed) return false;
    Result<std::string> output = task.coroutine->encode_result();
    if (output.ok()) output = options_.listener->check_output(std::move(*output));
    output_verdict(output.ok() ? nullptr : &output.error());
    if (!output.ok()) {
      output_settled_ = true;
      fail(std::make_shared<const Error>(std::move(output.error())));
      return false;
    }
    output_ = std::move(*output);
  }
  const std::string& output = completed_with_ ? *completed_with_ : output_;
  std::unique_ptr<StepCode> code = options_.listener->postflight();
  output_settled_ = code == nullptr;
  if (code == nullptr) return false;
  postflight_begun_ = true;
  if (task.spawned == nullptr) task.spawned = std::make_unique<task::SpawnScope>(scheduler_, task);
  auto postflight = std::make_unique<Postflight>(*this, std::move(code), output);
  task.cancel_reason = nullptr;   // that was finish(): who cancels the run now is heard
  scheduler_.spawn(&task, *task.spawned, std::move(postflight));
  ask_turn();
  return true;
}

}  // namespace perilune::flow
