// The join rules of parallel, race and map; see parallel.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/parallel.hpp"

#include <algorithm>

#include "runtime/base/units.hpp"
#include "runtime/flow/branch.hpp"
#include "runtime/flow/timer_task.hpp"

namespace perilune::flow {

using journal::Kind;
using task::Outcome;
using task::Task;

Parallel::Parallel(Execution& execution, ParallelSpec spec, MakeBranch make)
    : execution_(execution), spec_(std::move(spec)), make_(std::move(make)), branches_(spec_.total) {}

bool Parallel::begin(Task& task) {
  task_ = &task;
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return over_ = true;
  }
  number_ = ++task.ops;
  first_child_ = task.child_count + 1;
  if (spec_.need > spec_.total) {
    task.outcome = Outcome::of_error(broken("need " + std::to_string(spec_.need) + " can't be met", code::k_step_failed));
    return over_ = true;
  }
  note_scope(Kind::scope_opened, "{\"call\":\"" + std::string(spec_.call) + "\",\"total\":" + std::to_string(spec_.total) + "}");
  if (spec_.total == 0) {
    note_scope(Kind::branch_joined, info());
    task.outcome = Outcome{};
    return over_ = true;
  }
  execution_.scheduler().wait(task, *this);
  if (spec_.timeout_us > 0) start_timer();
  start_more();
  return false;
}

// The first child: it ends, or is cancelled and waited for, before the join does.
void Parallel::start_timer() {
  std::string name = "timeout of " + spec_.name;
  timer_ = &execution_.scheduler().spawn(
      task_, *this, std::make_unique<TimerTask>(execution_, std::move(name), spec_.timeout_us, [this] { time_over(); }));
  ++first_child_;
}

void Parallel::time_over() {
  if (stopping_) return;
  reason_ = "timeout";   // the error says it too
  stop(reason_, std::make_shared<const Error>(broken("not done within " + format_duration(spec_.timeout_us), code::k_timeout)));
}

void Parallel::start_more() {
  while (!stopping_ && next_ < spec_.total && (spec_.limit == 0 || running() < spec_.limit)) start_branch(next_++);
}

void Parallel::start_branch(size_t index) {
  Task& branch = execution_.scheduler().spawn(task_, *this, make_(index));
  branches_[index].task = &branch;
  if (branch.journaled()) note_branch_started(execution_, branch, label(index), number_);
}

std::string Parallel::label(size_t index) const {
  return spec_.label ? spec_.label(index) : std::to_string(index + 1);
}

void Parallel::cancel(const task::ErrorRef& reason) {
  cancelled_ = reason;
  stopping_ = true;
  cancel_children(execution_.scheduler(), reason);
  finish_if_over();
}

void Parallel::child_ended(Task& task) {
  if (&task == timer_) {
    timer_ = nullptr;
    return finish_if_over();
  }
  size_t index = task.number - first_child_;
  Branch& branch = branches_[index];
  order_.push_back(static_cast<uint32_t>(index));
  if (!task.failed) {
    branch.end = End::done;
    ++done_;
  } else {
    branch.end = task.ended_cancelled() ? End::cancelled : End::failed;
    branch.error = task.error;
    ++(branch.end == End::failed ? failed_ : cancelled_count_);
  }
  if (task.journaled()) note_branch_done(execution_, task, label(index), number_);
  if (!stopping_) decide(index);
  start_more();
  finish_if_over();
}

void Parallel::decide(size_t index) {
  const Branch& branch = branches_[index];
  if (spec_.enough && branch.end == End::done && spec_.enough(*branch.task)) {
    winner_ = index;
    found_ = true;
    return stop("need", nullptr);
  }
  if (spec_.race) {
    winner_ = index;
    return stop("need", branch.end == End::done ? nullptr : branch.error);
  }
  if (spec_.need > 0 && done_ >= spec_.need && done_ < spec_.total) {
    if (spec_.keep_rest) return leave_rest();
    return stop("need", nullptr);
  }
  if (branch.end == End::done) return;
  size_t lost = failed_ + cancelled_count_;
  bool need_lost = spec_.need > 0 && spec_.total - lost < spec_.need;
  bool over_tolerance = spec_.tolerant && lost > spec_.tolerate;
  bool plain = spec_.need == 0 && !spec_.tolerant;
  if (plain && !spec_.collect) return stop("failed", branch.error);
  if (!need_lost && !over_tolerance) return;
  task::ErrorRef error = std::make_shared<const Error>(
      broken(need_lost ? "need " + std::to_string(spec_.need) + " can no longer be met"
                       : "more than " + std::to_string(spec_.tolerate) + " branches failed", code::k_step_failed));
  if (spec_.collect) error_ = error;   // raised when all have ended
  else stop("failed", error);
}

// Nothing more is started; what runs is cancelled and waited for.
void Parallel::stop(const char* reason, task::ErrorRef error) {
  stopping_ = true;
  reason_ = reason;
  error_ = std::move(error);
  sibling_reason_ = std::make_shared<const Error>(
      code::k_cancelled, reason_ == std::string_view("timeout") ? "the time of " + spec_.name + " is over"
                       : error_ ? "a sibling branch failed" : "the other branches are enough");
  cancel_children(execution_.scheduler(), sibling_reason_);
}

// What still runs becomes the run's; what has not started is started there too.
void Parallel::leave_rest() {
  while (next_ < spec_.total) start_branch(next_++);
  stopping_ = true;
  reason_ = "need";
  for (Branch& branch : branches_) {
    if (branch.end != End::none) continue;
    if (spec_.merge.kind != MergeRule::Kind::error && branch.task->journaled())
      StateView::of(*branch.task).rule = spec_.merge;
    hand_over(*branch.task, execution_.background());
    branch.task = nullptr;
  }
}

void Parallel::finish_if_over() {
  if (over_ || running() > 0 || (!stopping_ && next_ < spec_.total)) return;
  if (timer_ != nullptr)   // the last child
    return execution_.scheduler().cancel(*timer_, std::make_shared<const Error>(code::k_cancelled, "the branches have ended"));
  over_ = true;
  if (reason_ == std::string_view("all") && failed_ > 0 && spec_.tolerant && !error_) reason_ = "tolerated";
  join_states();
  note_scope(Kind::branch_joined, info());
  execution_.scheduler().wake(*task_, cancelled_ ? Outcome::of_error(cancelled_) : outcome());
}

// In the order in which the branches ended. What can't be joined is raised, unless something else is.
void Parallel::join_states() {
  for (uint32_t index : order_) {
    const Branch& branch = branches_[index];
    if (branch.task == nullptr || (spec_.race && index != winner_)) continue;
    Result<void> joined = execution_.join_state(*task_, *branch.task, spec_.merge);
    if (joined.ok()) continue;
    auto error = std::make_shared<const Error>(std::move(joined.error()));
    if (error_ == nullptr) error_ = error;
    else conflicts_.push_back(error);
  }
}

Outcome Parallel::outcome() const {
  if (error_ == nullptr) return {};
  Error error = *error_;
  for (uint32_t index : order_) {
    const Branch& branch = branches_[index];
    if (branch.end == End::failed && branch.error != error_) error.suppressed.push_back(*branch.error);
  }
  for (const task::ErrorRef& conflict : conflicts_) error.suppressed.push_back(*conflict);
  if (spec_.need > 0 || spec_.tolerant) error.data = info();
  return Outcome::of_error(std::move(error));
}

Error Parallel::broken(const std::string& what, const char* code) const {
  std::string text = std::string(spec_.call) + (spec_.name == spec_.call ? "" : " '" + spec_.name + "'") + ": " + what +
                     " (" + std::to_string(done_) + " done, " + std::to_string(failed_) + " failed of " +
                     std::to_string(spec_.total) + ")";
  Error error(code, text);
  error.data = info();
  return error;
}

std::string Parallel::info() const {
  std::string order;
  for (uint32_t index : order_) {
    if (branches_[index].end == End::cancelled) continue;
    if (!order.empty()) order += ',';
    order += label(index);
  }
  size_t cancelled = spec_.total - done_ - failed_;
  if (spec_.keep_rest) cancelled = cancelled_count_;
  return "{\"reason\":\"" + std::string(reason_) + "\",\"done\":" + std::to_string(done_) + ",\"failed\":" +
         std::to_string(failed_) + ",\"cancelled\":" + std::to_string(cancelled) + ",\"total\":" +
         std::to_string(spec_.total) + ",\"order\":[" + order + "]}";
}

void Parallel::note_scope(Kind kind, std::string data) {
  if (!task_->journaled() || execution_.noted(*task_, number_, kind)) return;
  journal::Record record;
  record.kind = kind;
  record.task = task_->id;
  record.op = number_;
  record.name = spec_.name;
  record.data = std::move(data);
  execution_.note(std::move(record), false);
}

// All branches, unless some of them are enough.
task::Waits Parallel::waits_for() const {
  task::Waits waits;
  if (timer_ != nullptr) return waits;   // it ends without any
  for (auto& child : children())
    if (child->state != Task::State::ended) waits.tasks.push_back(child.get());
  waits.needed = waits.tasks.size();
  if (!stopping_ && (spec_.race || spec_.enough)) waits.needed = 1;
  if (!stopping_ && spec_.need > 0) waits.needed = std::min(waits.needed, spec_.need - std::min(done_, spec_.need - 1));
  return waits;
}

std::string Parallel::describe() const {
  std::string text = spec_.call;
  if (spec_.name != spec_.call) text += " '" + spec_.name + "'";
  return text + ": " + std::to_string(order_.size()) + " of " + std::to_string(spec_.total) + " branches";
}

}  // namespace perilune::flow
