// The run's state as the run sees it: it is made known with the commits, and a task that ends hands over what it has set.
// See state_view.hpp and state_records.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/loop.hpp"
#include "runtime/flow/root_scope.hpp"
#include "runtime/flow/state_records.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;
using task::Task;

void Execution::read_state(const Record& record) {
  if (record.kind != Kind::state_changed && state_in_snapshot(record).empty()) return;
  if (published_ == nullptr) published_ = std::make_unique<PublishedState>();
  published_->apply(record);
}

void Execution::publish_state() {
  if (replaying_ || rolling_ || stopped_ || over_ || deciding_) return;
  const Task* main = root_->owner();
  StateView* view = main == nullptr ? nullptr : StateView::find(*main);
  if (view == nullptr || (!view->has_news() && state_known_)) return;
  state_known_ = true;
  if (published_ == nullptr) published_ = std::make_unique<PublishedState>();
  std::string data = published_->publish(*view);
  if (data.empty()) return;
  Record record;
  record.kind = Kind::state_changed;
  record.task = main->id;
  record.data = std::move(data);
  append(std::move(record), nullptr, {}, false);
}

namespace {
void end_failed(Task& task, Error error) {
  if (task.failed) return;
  task.failed = true;
  task.error = std::make_shared<const Error>(std::move(error));
}
}  // namespace

// A task that leaves its state as it can't be kept has failed.
void Execution::settle_state(Task& task) {
  StateView* view = StateView::find(task);
  if (view == nullptr) return;
  if (Result<void> settled = view->settle(); !settled.ok()) end_failed(task, std::move(settled.error()));
}

// Spawned tasks, and those that were left to the run, are joined by nobody: what they have set goes over at their end.
// Branches wait for their join, cancelled tasks lose it.
void Execution::hand_over_state(Task& task) {
  StateView* view = StateView::find(task);
  Task* owner = task.scope->owner();
  bool joined = task.handle == nullptr && task.scope != root_.get();
  if (view == nullptr || joined || owner == nullptr || owner == &task || task.ended_cancelled()) return;
  if (Result<void> merged = merge_view(StateView::of(*owner), *view, view->rule); !merged.ok()) end_failed(task, std::move(merged.error()));
}

Result<void> Execution::join_state(Task& parent, Task& branch, const MergeRule& rule) {
  StateView* view = StateView::find(branch);
  if (view == nullptr || !parent.journaled() || branch.ended_cancelled()) return {};
  return merge_view(StateView::of(parent), *view, rule);
}

}  // namespace perilune::flow
