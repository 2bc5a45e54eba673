// The life of a step: attempts, time-outs, back-off, outcome. The picture is in step.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/step.hpp"

#include <algorithm>

#include "runtime/base/ids.hpp"
#include "runtime/base/units.hpp"
#include "runtime/effects/stand_in.hpp"
#include "runtime/flow/effect_call.hpp"
#include "runtime/flow/gate.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;

namespace {
constexpr int64_t k_heartbeat_gap_us = 100'000;   // heartbeats closer than this are merged: the newest counts
bool truthy(const Result<std::string>& json) { return json.ok() && *json != "false" && *json != "null" && !json->empty(); }
}  // namespace

Step::Step(Execution& execution, StepSpec spec, std::unique_ptr<StepCode> code)
    : Durable(execution, spec.name, spec.fingerprint), spec_(std::move(spec)), code_(std::move(code)) {}

Step::~Step() {
  execution_.loop().stop_timer(timer_);
  execution_.loop().stop_timer(heartbeat_timer_);
  if (phase_ != Phase::idle && (gate_ == nullptr || !gate_->rests())) execution_.drop(*this);
}

bool Step::accepts(Kind kind) const {
  if (spec_.compensation) return kind == Kind::compensation_done;
  return kind == Kind::step_done || kind == Kind::step_failed || kind == Kind::step_skipped;
}

task::Outcome Step::delivered(const Record& record) {
  if (spec_.wants_facts) take_facts(record);
  if (record.kind == Kind::step_failed && hooks::escalated(record.data))
    execution_.fail(task(), error_from_json_text(journal::error_of(record.data)));
  if (record.kind == Kind::step_done) code_->done(task(), std::string(journal::value_of(record.data)));
  return Durable::delivered(record);
}

std::string Step::describe() const {
  std::string text = "step '" + name() + "'";
  if (attempt_ > 1) text += " (attempt " + std::to_string(attempt_) + ")";
  if (phase_ == Phase::backoff) text += " waiting to try again";
  return text;
}

void Step::start() {
  first_started_us_ = execution_.loop().clock().wall_us();
  phase_ = Phase::condition;
  execution_.hold(*this);
  read_recorded();
  if (spec_.skip) return finish(Kind::step_skipped, {});
  if (unknown_) {
    error_ = Error(code::k_unknown_outcome, "the step was begun before a crash and its outcome is not known; "
                                            "it is marked `once`, so it is not run again by itself");
    return fail_for_good();
  }
  if (spec_.compensation) attempts_before_ = attempt_;   // each resume tries anew
  if (attempt_ > 0) {   // an earlier life failed: go on with the back-off, or decide again
    if (resume_at_us_ > 0 && !spec_.compensation) return back_off(resume_at_us_);
    return begin_attempt();
  }
  if (!ask(Phase::condition, code_->condition())) pass_gate();
}

// Counts attempts, intents and failures of earlier lives.
void Step::read_recorded() {
  int intents = 0, failures = 0;
  const journal::Cursor& cursor = execution_.cursor();
  for (uint32_t i = recorded().first; i != 0; i = cursor.after(i)) {
    const Record& record = cursor.at(i);
    switch (record.kind) {
      case Kind::intent: ++intents; break;
      case Kind::heartbeat: context_.last_progress = std::string(journal::value_of(record.data)); break;
      case Kind::step_started: noted_started_ = true; break;
      case Kind::attempt_failed:
        if (failures++ > 0) earlier_.push_back(error_);
        error_ = error_from_json_text(journal::error_of(record.data));
        attempt_ = static_cast<int>(journal::number_of(record.data, "attempt"));
        resume_at_us_ = journal::number_of(record.data, "retry_at");
        if (resume_at_us_ == 0) attempts_before_ = attempt_;   // it paused the run
        break;
      case Kind::hook_decision: {
        Error retried;
        if (!read_decision(record, retried)) break;
        if (failures++ > 0) earlier_.push_back(std::move(error_));
        error_ = std::move(retried);
        break;
      }
      default: break;
    }
    int64_t started_us = journal::number_of(record.data, "started");
    if (started_us > 0) first_started_us_ = std::min(first_started_us_, started_us);
  }
  unknown_ = intents > failures;
}

// Runs a question of the script as a task: when, retry.on, retry.unless.
bool Step::ask(Phase phase, std::unique_ptr<task::Coroutine> coroutine) {
  if (coroutine == nullptr) return false;
  phase_ = phase;
  context_.effects_allowed = false;
  running_ = &execution_.scheduler().spawn_attempt(task(), *this, std::move(coroutine), context_);
  return true;
}

void Step::begin_attempt() {
  ++attempt_;
  if (!spec_.once) return run_attempt();
  phase_ = Phase::intent;
  execution_.note_then(remark(Kind::intent, "{\"attempt\":" + std::to_string(attempt_) + "}"), [this] {
    if (cancelled()) return finish(Kind::op_cancelled, {});   // the body was never begun
    run_attempt();
  });
}

void Step::run_attempt() {
  phase_ = Phase::attempt;
  timed_out_ = false;
  context_.number = attempt_;
  context_.step = name();
  context_.input = spec_.input;
  context_.effects_allowed = true;
  context_.object_ids = 0;
  context_.random = Random(hash64(name(), static_cast<uint64_t>(attempt_) + number()));
  context_.key = [this] { return execution_.operation_key(task(), spec_.key_of != 0 ? spec_.key_of : number()); };
  context_.request_key = [this, sent = 0]() mutable {
    std::string key = context_.key();
    return ++sent == 1 ? key : key + "-" + std::to_string(sent);
  };
  context_.heartbeat = [this](std::string progress) {
    context_.last_progress = std::move(progress);
    note_heartbeat();
  };
  attempt_started_us_ = execution_.loop().clock().wall_us();
  context_.deadline_us = spec_.timeout_us > 0 ? attempt_started_us_ + spec_.timeout_us : 0;
  running_ = &execution_.scheduler().spawn_attempt(task(), *this, attempt_code(), context_);
  if (spec_.timeout_us > 0) {
    timer_ = execution_.loop().start_timer(spec_.timeout_us, [this] {
      timer_ = 0;
      timed_out_ = true;
      execution_.scheduler().cancel(*running_, std::make_shared<const Error>(code::k_timeout, "timed out"));
      execution_.ask_turn();
    });
  }
  execution_.ask_turn();
}

// The body, or what stands in for it in a test.
std::unique_ptr<task::Coroutine> Step::attempt_code() {
  effects::StandIn* stand_in = execution_.stand_in();
  if (stand_in == nullptr || code_->is_effect() || !stand_in->takes_over(name(), context_)) return code_->attempt(context_);
  return effect_task(execution_, name(), [this, stand_in](effects::Done<std::string> done) {
    return stand_in->body(name(), context_, std::move(done));
  });
}

// Heartbeats that come too close together wait for the end of the gap; the newest is written then.
void Step::note_heartbeat() {
  if (heartbeat_timer_ != 0) return;
  int64_t now_us = execution_.loop().clock().mono_us();
  int64_t due_us = last_heartbeat_us_ + k_heartbeat_gap_us;
  if (last_heartbeat_us_ != 0 && now_us < due_us) {
    heartbeat_timer_ = execution_.loop().start_timer(due_us - now_us, [this] {
      heartbeat_timer_ = 0;
      note_heartbeat();
    });
    return;
  }
  last_heartbeat_us_ = now_us;
  execution_.note(remark(Kind::heartbeat, journal::with_value({}, context_.last_progress)), true);
}

void Step::lasting() {
  if (phase_ != Phase::attempt || noted_started_) return;
  noted_started_ = true;
  std::string data = "{\"started\":" + std::to_string(attempt_started_us_) + ",\"attempt\":" + std::to_string(attempt_) + "}";
  execution_.note(remark(Kind::step_started, std::move(data)), true);
}

void Step::child_ended(task::Task& ended) {
  running_ = nullptr;
  execution_.loop().stop_timer(timer_);
  timer_ = 0;
  Phase phase = phase_;
  if (phase == Phase::attempt) {
    attempt_ended(ended);
  } else if (ended.failed && cancelled()) {
    finish(Kind::op_cancelled, {});
  } else if (ended.failed) {
    question_failed(*ended.error);
  } else {
    bool yes = truthy(ended.coroutine->encode_result());
    if (phase == Phase::condition) yes ? pass_gate() : finish(Kind::step_skipped, {});
    else if (phase == Phase::asking_on) yes ? decide_retry() : fail_for_good();
    else yes ? fail_for_good() : retry_later();
  }
  release(ended);
}

void Step::attempt_ended(task::Task& ended) {
  if (!ended.failed) {
    Result<std::string> value = judged(ended.coroutine->encode_result());
    Kind kind = spec_.compensation ? Kind::compensation_done : Kind::step_done;
    if (value.ok()) return finish(kind, journal::with_value({first_started_us_, attempt_, since_member()}, *value));
    return attempt_failed(std::move(value.error()));
  }
  if (timed_out_ && ended.cancel_reason != nullptr && ended.cancel_reason->code == code::k_timeout) {
    const char* code = spec_.once ? code::k_unknown_outcome : code::k_timeout;
    return attempt_failed(Error(code, "no answer within " + format_duration(spec_.timeout_us)));
  }
  if (cancelled()) return finish(Kind::op_cancelled, {});
  attempt_failed(*ended.error);
}

// What the body gave, past the gates of the step: their verdicts go with its outcome.
Result<std::string> Step::judged(Result<std::string> value) {
  if (spec_.gate != nullptr) {
    if (value.ok() && *value == "false") return Error(code::k_gate, "it did not hold");   // what stands in for it says so
    verdict(spec_.gate, nullptr);
    return std::string("null");
  }
  if (!value.ok() || spec_.expect == nullptr) return value;
  value = spec_.expect->check(*value, "the result of step '" + name() + "'");
  verdict(k_gate_expect, value.ok() ? nullptr : &value.error());
  return value;
}

void Step::verdict(const char* gate, const Error* failure) {
  execution_.note(remark(Kind::gate, gate_data(gate, failure)), false);
}

// `when` or a filter of retry raised: that is the step's failure. What a filter was asked about is not lost.
void Step::question_failed(const Error& error) {
  if (attempt_ > 0) earlier_.push_back(std::move(error_));
  set_error(error);
  fail_for_good();
}

void Step::set_error(Error error) {
  if (spec_.gate != nullptr && error.code != code::k_gate) {   // it broke: that is no yes
    Error failed(code::k_gate, error.message);
    failed.data = error.data;
    failed.traceback = error.traceback;
    failed.cause = std::make_shared<const Error>(std::move(error));
    error = std::move(failed);
  }
  error_ = std::move(error);
  if (error_.code == code::k_script) error_.code = code::k_step_failed;
  if (error_.step.empty()) error_.step = name();
  error_.attempt = attempt_;
}

void Step::attempt_failed(Error error) {
  if (attempt_ > 1) earlier_.push_back(std::move(error_));
  set_error(std::move(error));
  if (cancelled() || !may_retry(spec_.retry, error_, attempt_ - attempts_before_)) return fail_for_good();
  if (!ask(Phase::asking_on, code_->retry_on(error_))) decide_retry();
}

void Step::decide_retry() {
  if (!ask(Phase::asking_unless, code_->retry_unless(error_))) retry_later();
}

void Step::retry_later() {
  int64_t delay_us = retry_delay_us(spec_.retry, error_, attempt_ - attempts_before_, context_.random);
  int64_t due_us = execution_.loop().clock().wall_us() + delay_us;
  execution_.note(remark(Kind::attempt_failed, error_data("\"retry_at\":" + std::to_string(due_us))), true);
  back_off(due_us);
}

void Step::back_off(int64_t due_us) {
  phase_ = Phase::backoff;
  int64_t left_us = std::max<int64_t>(0, due_us - execution_.loop().clock().wall_us());
  timer_ = execution_.loop().start_timer(left_us, [this] {
    timer_ = 0;
    begin_attempt();
  });
}

// What a compensation undoes: whoever takes the run back must know.
std::string Step::since_member() const {
  return spec_.compensation ? "\"since\":" + std::to_string(spec_.since) : std::string();
}

std::string Step::error_data(std::string_view extra) const {
  return journal::with_error({attempt_started_us_ > 0 ? attempt_started_us_ : first_started_us_, attempt_, extra},
                             to_json_text(error_));
}

void Step::fail_for_good() {
  if (error_.step.empty()) error_.step = name();
  if (!ask_about_failure(hooks::Point::step_fail)) give_up(false);
}

void Step::give_up(bool escalate) {
  if (spec_.gate != nullptr) verdict(spec_.gate, &error_);
  bool before_all = spec_.gate == k_gate_preflight;   // nothing is done yet that an operator could mend
  bool pause = spec_.compensation || (execution_.pauses_on_error() && !before_all && !unknown_ && !cancelled());
  if (pause) {   // not recorded as an end: the next resume tries it again
    execution_.note(remark(Kind::attempt_failed, error_data(since_member())), true);
    return execution_.pause(error_);
  }
  for (Error& error : earlier_) error_.suppressed.push_back(std::move(error));
  earlier_.clear();
  finish(Kind::step_failed, error_data(escalate ? "\"escalate\":true" : ""));
}

void Step::finish(Kind kind, std::string data) {
  phase_ = Phase::idle;
  execution_.loop().stop_timer(heartbeat_timer_);   // nobody will need the progress
  heartbeat_timer_ = 0;
  execution_.drop(*this);
  if (kind == Kind::op_cancelled) record_cancelled();
  else record(kind, std::move(data));
}

void Step::teardown(const task::ErrorRef& reason) {
  if (running_ != nullptr) {
    execution_.scheduler().cancel(*running_, reason);   // its end finishes the step
  } else if (phase_ == Phase::mending) {
    asking_.reset();   // nobody waits for the answer any more
    finish(Kind::op_cancelled, {});
  } else if (gate_ != nullptr) {
    gate_->cancel(*reason);   // it says when what it began has ended
  } else if (phase_ == Phase::backoff) {
    execution_.loop().stop_timer(timer_);
    timer_ = 0;
    finish(Kind::op_cancelled, {});
  }   // phase intent: decided when the intent is committed
}

}  // namespace perilune::flow
