// Beginning other runs and waiting for them; see child.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/child.hpp"

#include <algorithm>
#include <array>

#include "runtime/base/ids.hpp"
#include "runtime/journal/payload.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;
using task::Task;

ChildStart::ChildStart(Execution& execution, ChildRuns& runs, ChildRuns::Request request)
    : Durable(execution, request.workflow,
              flow::fingerprint({request.input, request.id, request.detached ? "detached" : ""})),
      runs_(runs), request_(std::move(request)) {}

ChildStart::~ChildStart() {
  *gone_ = true;
  if (active_) execution_.drop(*this);
}

// The same in every life, also when the record of the start was lost with the process.
std::string ChildStart::child_id() const {
  if (!request_.id.empty()) return request_.id;
  auto digest = sha256("child|" + execution_.operation_key(task(), number()));
  std::array<uint8_t, 16> bytes;
  std::copy_n(digest.begin(), bytes.size(), bytes.begin());
  return uuid_from_bytes(bytes);
}

void ChildStart::start() {
  active_ = true;
  execution_.hold(*this);
  request_.id = child_id();
  runs_.start_child(request_, [this, gone = gone_](Result<void> result) {
    if (!*gone) started(std::move(result));
  });
}

// Cancelled before this life started anything: an earlier life may have.
void ChildStart::cancelled_early() {
  if (runs_.child_exists(child_id())) start();
  else record_cancelled();
}

void ChildStart::started(Result<void> result) {
  active_ = false;
  execution_.drop(*this);
  if (result.ok()) record(Kind::child_started, journal::with_value({}, "\"" + request_.id + "\""));
  else record(Kind::step_failed, journal::with_error({}, to_json_text(result.error())));
  execution_.ask_turn();
}

ChildWait::ChildWait(Execution& execution, ChildRuns& runs, std::string workflow, std::string run, bool attached)
    : Durable(execution, std::move(workflow), flow::fingerprint({run})), runs_(runs), run_(std::move(run)),
      attached_(attached) {}

ChildWait::~ChildWait() {
  *gone_ = true;
  stop_waiting();
}

void ChildWait::stop_waiting() {
  if (waiting_) execution_.left_other(run_, stuck_);
  waiting_ = stuck_ = false;
}

bool ChildWait::begin(Task& task) {
  if (!attached_) return execution_.begin(*this, task);
  ++task.shield;
  bool ready = execution_.begin(*this, task);
  if (ready) --task.shield;
  else execution_.scheduler().lower_shield(task);
  return ready;
}

void ChildWait::start() {
  waiting_ = true;
  execution_.awaits_other(run_);
  note_wait(journal::run_wait_members(run_));
  runs_.watch_child(run_, attached_, [this, gone = gone_](const Ending& ending) { return !*gone && ended(ending); });
}

void ChildWait::cancelled_early() {
  if (!attached_) return record_cancelled();
  start();
  teardown(cancel_cause());
}

bool ChildWait::ended(const Ending& ending) {
  if (cancelled()) {
    stop_waiting();
    record_cancelled();
  } else if (!store::is_final(ending.status)) {
    stuck_ = true;
    std::string why = ending.error ? ": " + ending.error->message : std::string();
    execution_.other_stuck(Error(code::k_paused, "run " + run_ + " of workflow '" + name() + "' is " +
                                                     std::string(store::status_name(ending.status)) + why));
  } else {
    stop_waiting();
    if (ending.status == store::Status::completed) record(Kind::child_done, journal::with_value({}, ending.output));
    else record(Kind::child_done, journal::with_error({}, to_json_text(*ending.error)));
  }
  execution_.ask_turn();
  return true;
}

void ChildWait::teardown(const task::ErrorRef& reason) {
  if (attached_) runs_.cancel_child(run_, *reason);
  if (attached_ && !stuck_) return;   // the wait ends when the child has
  stop_waiting();
  record_cancelled();
}

Outcome ChildWait::delivered(const journal::Record& record) {
  if (record.kind == Kind::child_done && journal::holds_error(record.data))
    return Outcome::of_error(error_from_json_text(journal::error_of(record.data)));
  return Durable::delivered(record);
}

task::Coroutine::State ChildTask::resume(Task& task) {
  if (wait_ == nullptr) {
    wait_ = std::make_unique<ChildWait>(execution_, runs_, workflow_, run_, true);
    bool ready = wait_->begin(task);
    execution_.scheduler().lower_shield(task);
    if (!ready) return State::suspended;
  }
  if (task.outcome.kind == Outcome::Kind::error) {
    error_ = *task.outcome.error;
    return State::failed;
  }
  *output_ = task.outcome.kind == Outcome::Kind::value ? task.outcome.value : "null";
  return State::finished;
}

std::shared_ptr<task::TaskHandle> spawn_child_task(Execution& execution, Task& owner, ChildRuns& runs,
                                                   std::string workflow, std::string run,
                                                   std::shared_ptr<std::string> output) {
  auto coroutine =
      std::make_unique<ChildTask>(execution, runs, std::move(workflow), std::move(run), std::move(output));
  auto handle = execution.scheduler().spawn_into(owner, owner, std::move(coroutine));
  ++handle->task->shield;
  return handle;
}

ChildCancel::ChildCancel(Execution& execution, ChildRuns& runs, std::string run)
    : Durable(execution, "cancel", flow::fingerprint({run})), runs_(runs), run_(std::move(run)) {}

void ChildCancel::start() {
  runs_.cancel_child(run_, Error(code::k_cancelled, "cancelled by run " + execution_.row().id));
  record(Kind::signal_sent, journal::with_value({}, {}));
}

}  // namespace perilune::flow
