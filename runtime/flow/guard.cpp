// See guard.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/guard.hpp"

#include "runtime/flow/state_view.hpp"

namespace perilune::flow {

using task::Outcome;
using task::Task;

bool Guard::begin(Task& task, std::unique_ptr<task::Coroutine> coroutine) {
  task_ = &task;
  task.outcome = {};
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  execution_.scheduler().spawn(&task, *this, std::move(coroutine));
  execution_.watch(*this);
  execution_.scheduler().wait(task, *this);
  return false;
}

void Guard::look() {
  if (task_->state == Task::State::waiting && ask()) execution_.scheduler().wake(*task_, {});
}

bool Guard::go_on() {
  if (!over_ && task_->cancelling()) cancel(task_->cancel_reason);   // it came while the condition was to be asked
  return wait_or_over();
}

bool Guard::stop(task::ErrorRef error) {
  stopping_ = true;
  error_ = std::move(error);
  auto reason = std::make_shared<const Error>(code::k_cancelled, "the guard's condition holds no longer");
  cancel_children(execution_.scheduler(), reason);
  if (!over_ && task_->cancelling()) cancelled_ = task_->cancel_reason;
  return wait_or_over();
}

bool Guard::wait_or_over() {
  if (over_) return true;
  execution_.scheduler().wait(*task_, *this);
  return false;
}

void Guard::cancel(const task::ErrorRef& reason) {
  cancelled_ = reason;
  stopping_ = true;
  cancel_children(execution_.scheduler(), reason);
}

void Guard::child_ended(Task& task) {
  over_ = true;
  if (Result<void> joined = execution_.join_state(*task_, task, {}); !joined.ok() && error_ == nullptr && !task.failed)
    error_ = std::make_shared<const Error>(std::move(joined.error()));
  execution_.unwatch(*this);
  if (task_->state == Task::State::waiting) execution_.scheduler().wake(*task_, {});
}

task::ErrorRef Guard::error() const {
  if (cancelled_ != nullptr) return cancelled_;
  if (error_ != nullptr) return error_;
  return child().failed && !withdrawn() ? child().error : nullptr;
}

bool Guard::withdrawn() const { return stopping_ && child().ended_cancelled(); }

task::Waits Guard::waits_for() const {
  if (over_ || children().empty()) return {};
  return {{&child()}, 1};
}

}  // namespace perilune::flow
