// step: runs its body once, journals the outcome, and gives it back.
//
//   start -> [when] -> attempt 1 -> step_done
//                        | failed -> attempt_failed, back-off -> attempt 2 ...
//                        | failed for good -> step_failed, or with on_error = "pause": the run pauses, a resume tries anew
//   hooks may stand before the first attempt (hook_gate.hpp), and say what becomes of a failure: step_hooks.cpp
//   `expect` and gates (preflight, postflight: the body is the gate) give a verdict in the commit of the outcome: gate.hpp.
//   `once`: an intent is committed before each attempt; an intent without outcome found after a crash is unknown_outcome.
//
// An attempt is a task in the step's scope with sources of its own (AttemptContext), so that nothing it draws (random
// numbers, ids, time) moves those of the run.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/flow/hook_gate.hpp"
#include "runtime/flow/retry.hpp"
#include "runtime/flow/schema.hpp"

namespace perilune::flow {

// The script's side of a step. Each call makes a coroutine that the step runs as a task of its own.
class StepCode {
 public:
  virtual ~StepCode() = default;
  virtual std::unique_ptr<task::Coroutine> attempt(const task::AttemptContext& attempt) = 0;
  // The body is an effect itself, which has a stand-in of its own.
  virtual bool is_effect() const { return false; }
  // `when` as a function: its result decides (false and nil skip). Null: there is none.
  virtual std::unique_ptr<task::Coroutine> condition() { return nullptr; }
  // retry.on / retry.unless as functions of the error: the result says yes or no. Null: there is none.
  virtual std::unique_ptr<task::Coroutine> retry_on(const Error& error) { return (void)error, nullptr; }
  virtual std::unique_ptr<task::Coroutine> retry_unless(const Error& error) { return (void)error, nullptr; }
  // The step's result is recorded and goes to the script: the place to register its undo. `value` is JSON text.
  virtual void done(task::Task& task, const std::string& value) { (void)task, (void)value; }
};

struct StepSpec {
  std::string name;
  RetryPolicy retry;
  int64_t timeout_us = 0;          // per attempt; 0 = none
  bool once = false;
  bool skip = false;               // when = false
  const char* gate = nullptr;      // preflight, postflight: the step gives nothing, and what fails it is a gate's error
  bool compensation = false;       // an undo: its result is compensation_done; failing for good pauses the run
  uint64_t since = 0;              // of a compensation: see saga.hpp
  std::string input;               // JSON text, or empty
  uint64_t fingerprint = 0;
  std::shared_ptr<const Schema> expect;
  std::shared_ptr<const hooks::Decision> decided;   // by the script's hooks, or null
  bool wants_facts = false;        // somebody asks for facts() of its end
  uint32_t key_of = 0;             // the operation whose idempotency key it has: of the step that it repeats; 0 = its own
};

// How a step ended, for the script's hooks: the same live and on replay.
struct StepFacts {
  journal::Kind kind;
  int attempts = 0;
  double duration_ms = 0;
  std::string by;                  // who skipped it
  std::vector<Error> retried;      // what the attempts failed with that were tried again
};

class Step final : public Durable, public task::Scope {
 public:
  Step(Execution& execution, StepSpec spec, std::unique_ptr<StepCode> code);
  ~Step() override;

  const char* call() const override { return "step"; }
  bool accepts(journal::Kind kind) const override;
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override;
  void child_ended(task::Task& task) override;
  const StepSpec& spec() const { return spec_; }
  const StepFacts* facts() const { return facts_.get(); }   // once it has ended by a record

 private:
  enum class Phase : uint8_t { idle, gate, mending, condition, intent, attempt, asking_on, asking_unless, backoff };
  void start() override;
  void teardown(const task::ErrorRef& reason) override;
  void lasting() override;
  void cancelled_early() override;

  void read_recorded();
  // ---- hooks (step_hooks.cpp)
  hooks::Point point_before() const;
  HookGate::Question question() const;
  void pass_gate();
  void passed(HookGate::Pass pass);
  void take_facts(const journal::Record& record);
  bool ask_about_failure(hooks::Point point);
  void answered(hooks::Point point, hooks::Decision said);
  void try_again(hooks::Decision decision);
  bool read_decision(const journal::Record& record, Error& retried);
  void finish_unworked(const std::string& value, bool skipped, const std::string& by);
  void begin_attempt();
  void run_attempt();
  std::unique_ptr<task::Coroutine> attempt_code();
  void attempt_ended(task::Task& task);
  Result<std::string> judged(Result<std::string> value);
  void verdict(const char* gate, const Error* failure);
  void attempt_failed(Error error);
  void question_failed(const Error& error);
  void set_error(Error error);
  void note_heartbeat();
  void decide_retry();
  void retry_later();
  void fail_for_good();
  void give_up(bool escalate);
  void back_off(int64_t due_us);
  void finish(journal::Kind kind, std::string data);
  bool ask(Phase phase, std::unique_ptr<task::Coroutine> coroutine);
  std::string since_member() const;
  std::string error_data(std::string_view extra) const;

  StepSpec spec_;
  std::unique_ptr<StepCode> code_;
  task::AttemptContext context_;
  std::unique_ptr<StepFacts> facts_;
  std::unique_ptr<HookGate> gate_;  // while it is passed
  std::shared_ptr<void> asking_;    // the outside hooks, while they are asked about a failure
  Phase phase_ = Phase::idle;
  task::Task* running_ = nullptr;
  int attempt_ = 0;                 // the one that runs, or ran last
  int attempts_before_ = 0;         // of earlier lives that do not count (they ended in a pause of the run)
  int64_t first_started_us_ = 0;
  int64_t attempt_started_us_ = 0;
  bool noted_started_ = false;
  bool timed_out_ = false;
  bool unknown_ = false;            // an intent of an earlier life has no outcome
  int64_t resume_at_us_ = 0;        // back-off of an earlier life, wall time
  int64_t last_heartbeat_us_ = 0;
  loop::TimerId heartbeat_timer_ = 0;   // a heartbeat that waits for its gap
  Error error_;                     // of the attempt that failed last
  std::vector<Error> earlier_;      // of those before
  loop::TimerId timer_ = 0;         // time-out or back-off
};

}  // namespace perilune::flow
