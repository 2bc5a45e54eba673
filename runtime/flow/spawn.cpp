// Spawned tasks and groups; see spawn.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/spawn.hpp"

#include "runtime/flow/branch.hpp"
#include "runtime/flow/wait_cycle.hpp"

namespace perilune::flow {

using task::Outcome;
using task::Task;

Outcome AwaitTask::outcome() const { return handle_->failed ? Outcome::of_error(handle_->error) : Outcome{}; }

bool AwaitTask::begin(Task& task) {
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  handle_->claimed = true;
  if (handle_->task == nullptr) {
    task.outcome = outcome();
    return true;
  }
  std::string cycle = wait_cycle(task, *handle_->task, describe());
  if (!cycle.empty()) {
    task.outcome = Outcome::of_error(Error(code::k_deadlock, "the await would never end: " + cycle));
    return true;
  }
  task_ = &task;
  execution_.scheduler().wait(task, *this);
  handle_->on_end.push_back([this, gone = gone_] {
    if (!*gone && task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), outcome());
  });
  return false;
}

void AwaitTask::cancel(const task::ErrorRef& reason) {
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), Outcome::of_error(reason));
}

Group::Group(Execution& execution, Task& owner, size_t limit, MergeRule merge)
    : execution_(execution), owner_(&owner), owner_life_(owner.life()), limit_(limit), merge_(std::move(merge)) {}

Result<size_t> Group::add(Task& maker, std::unique_ptr<task::Coroutine> coroutine) {
  if (closed_) return Error(code::k_usage, "the group is closed: nothing can be added any more");
  if (owner_life_.expired() || owner_->state == Task::State::ended)
    return Error(code::k_usage, "the group has ended with the task that made it");
  size_t index = members_.size();
  members_.emplace_back();
  if (limit_ != 0 && running_ >= limit_) {
    queue_.push_back({index, ++maker.child_count, maker.id, std::move(coroutine)});
    return index;
  }
  start(index, maker, std::move(coroutine));
  return index;
}

void Group::start(size_t index, Task& maker, std::unique_ptr<task::Coroutine> coroutine) {
  ++running_;
  auto handle = spawn_noted(execution_, *owner_, maker, std::move(coroutine), std::to_string(index + 1));
  handle->claimed = claimed_;
  members_[index].handle = handle;
  if (merge_.kind != MergeRule::Kind::error) StateView::of(*handle->task).rule = merge_;
  handle->on_end.push_back([group = shared_from_this(), index] { group->ended(index); });
}

void Group::ended(size_t index) {
  const task::TaskHandle& handle = *members_[index].handle;
  --running_;
  order_.push_back(static_cast<uint32_t>(index));
  if (!handle.failed) {
    ++done_;
  } else if (handle.cancelled) {
    ++cancelled_;
  } else {
    ++failed_;
    if (first_error_ == nullptr) first_error_ = handle.error;
  }
  start_next();
  changed();
}

void Group::start_next() {
  if (owner_->failed || owner_->cancelling()) drop_queue();
  if (queue_.empty()) return;
  Queued next = std::move(queue_.front());
  queue_.pop_front();
  Task stand_in;   // the maker may have ended: only its id, its sources and the number that it gave count
  stand_in.id = next.id;
  stand_in.child_count = next.number - 1;
  stand_in.attempt = owner_->attempt;
  start(next.index, stand_in, std::move(next.coroutine));
}

void Group::drop_queue() {
  for (Queued& queued : queue_) {
    members_[queued.index].cancelled = true;
    ++cancelled_;
  }
  queue_.clear();
}

void Group::claim() {
  if (std::exchange(claimed_, true)) return;
  for (Member& member : members_)
    if (member.handle != nullptr) member.handle->claimed = true;
}

void Group::changed() {
  auto watchers = std::move(watchers_);
  watchers_.clear();
  for (auto& watcher : watchers) watcher();
}

void Group::close() {
  closed_ = true;
  changed();
}

void Group::cancel(const task::ErrorRef& reason) {
  closed_ = true;
  drop_queue();
  for (size_t i = 0; i < members_.size(); ++i)
    if (auto& handle = members_[i].handle; handle && handle->task) execution_.scheduler().cancel(*handle->task, reason);
  changed();
}

std::string Group::info(const char* reason) const {
  std::string order;
  for (uint32_t index : order_) {
    const Member& member = members_[index];
    if (member.handle->cancelled) continue;
    if (!order.empty()) order += ',';
    order += std::to_string(index + 1);
  }
  return "{\"reason\":\"" + std::string(reason) + "\",\"done\":" + std::to_string(done_) + ",\"failed\":" +
         std::to_string(failed_) + ",\"cancelled\":" + std::to_string(cancelled_) + ",\"total\":" +
         std::to_string(total()) + ",\"order\":[" + order + "]}";
}

bool GroupWait::decided(Outcome& outcome) const {
  bool over = group_->closed() && group_->live() == 0;
  switch (until_) {
    case Until::need:
      return need_decided(outcome);
    case Until::stopped:
      return over;
    case Until::next:
      return over || group_->total() - group_->live() > count_;
    case Until::all:
      break;
  }
  if (group_->first_error() == nullptr) return over;
  outcome = Outcome::of_error(group_->first_error());
  group_->cancel(std::make_shared<const Error>(code::k_cancelled, "a sibling branch failed"));
  return group_->live() == 0;
}

bool GroupWait::need_decided(Outcome& outcome) const {
  if (group_->done() >= count_) return true;
  if (!group_->closed() || group_->done() + group_->live() >= count_) return false;
  Error error(code::k_step_failed, "group: need " + std::to_string(count_) + " can no longer be met");
  error.data = group_->info("failed");
  if (group_->first_error()) error.suppressed.push_back(*group_->first_error());
  outcome = Outcome::of_error(std::move(error));
  return true;
}

bool GroupWait::begin(Task& task) {
  if (task.cancelling()) {
    task.outcome = Outcome::of_error(task.cancel_reason);
    return true;
  }
  task.outcome = {};
  group_->claim();
  if (decided(task.outcome)) return true;
  task_ = &task;
  execution_.scheduler().wait(task, *this);
  look();
  return false;
}

void GroupWait::look() {
  group_->watchers_.push_back([this, gone = gone_] {
    if (*gone || task_ == nullptr) return;
    Outcome outcome;
    if (decided(outcome)) execution_.scheduler().wake(*std::exchange(task_, nullptr), std::move(outcome));
    else if (task_ != nullptr) look();
  });
}

void GroupWait::cancel(const task::ErrorRef& reason) {
  if (task_ != nullptr) execution_.scheduler().wake(*std::exchange(task_, nullptr), Outcome::of_error(reason));
}

std::string GroupWait::describe() const {
  return "group: " + std::to_string(group_->done()) + " of " + std::to_string(group_->total()) +
         (group_->closed() ? "" : ", not closed yet");
}

}  // namespace perilune::flow
