// The ready queue, the life of a task, and cancellation. See task.hpp for the rules.
// SPDX-License-Identifier: MIT
#include "runtime/task/scheduler.hpp"

#include <algorithm>
#include <cassert>

#include "runtime/base/ids.hpp"

namespace perilune::task {

Scope::~Scope() = default;

void Scope::cancel_children(Scheduler& scheduler, const ErrorRef& reason) {
  // By index: a cancelled child may end at once, and an ended one may be released.
  std::vector<Task*> alive;
  for (auto& child : children_)
    if (child->state != Task::State::ended) alive.push_back(child.get());
  for (Task* child : alive) scheduler.cancel(*child, reason);
}

void Scope::hand_over(Task& task, Scope& to) {
  auto at = std::find_if(children_.begin(), children_.end(), [&](auto& child) { return child.get() == &task; });
  assert(at != children_.end());
  to.children_.push_back(std::move(*at));
  children_.erase(at);
  task.scope = &to;
  if (task.state != Task::State::ended) {
    --live_;
    ++to.live_;
  }
}

void Scope::release(Task& task) {
  auto at = std::find_if(children_.begin(), children_.end(), [&](auto& child) { return child.get() == &task; });
  assert(at != children_.end());
  std::swap(*at, children_.back());
  children_.pop_back();
}

Task& Scheduler::spawn(Task* parent, Scope& scope, std::unique_ptr<Coroutine> coroutine) {
  auto task = std::make_unique<Task>();
  if (parent != nullptr) {
    task->number = ++parent->child_count;
    task->id = parent->id + "." + std::to_string(task->number);
    if (!rules_.ids_by_parent) task->id = "n" + std::to_string(made_);
    task->attempt = parent->attempt;
    if (parent->cancelling()) task->cancel_reason = parent->cancel_reason;
    if (Task* owner = scope.owner(); owner != nullptr && owner->view != nullptr) task->view = owner->view->branch();
  } else {
    task->id = "0";
  }
  task->coroutine = std::move(coroutine);
  task->random = Random(hash64(task->id, seed_));
  return enqueue(std::move(task), scope);
}

Task& Scheduler::spawn_attempt(Task& caller, Scope& scope, std::unique_ptr<Coroutine> coroutine,
                               AttemptContext& attempt) {
  auto task = std::make_unique<Task>();
  task->id = caller.id + "#";
  task->attempt = &attempt;
  attempt.caller = &caller;
  task->coroutine = std::move(coroutine);
  return enqueue(std::move(task), scope);
}

Task& Scheduler::enqueue(std::unique_ptr<Task> task, Scope& scope) {
  ++made_;
  ++live_;
  Task& reference = *task;
  reference.scope = &scope;
  scope.children_.push_back(std::move(task));
  ++scope.live_;
  ready_.push_back(&reference);
  return reference;
}

void Scheduler::wait(Task& task, Operation& operation) {
  assert(task.state == Task::State::running);
  task.awaiting = &operation;
}

void Scheduler::wake(Task& task, Outcome outcome) {
  assert(task.state == Task::State::waiting);
  task.awaiting = nullptr;
  task.outcome = task.cancelling() ? Outcome::of_error(task.cancel_reason) : std::move(outcome);
  task.state = Task::State::ready;
  ready_.push_back(&task);
}

void Scheduler::cancel(Task& task, const ErrorRef& reason) {
  if (task.cancel_reason != nullptr || task.state == Task::State::ended) return;
  task.cancel_reason = reason;
  if (task.shield == 0) return strike(task);
  for (ShieldWatch* watch : std::vector<ShieldWatch*>(task.shields)) watch->cancel_waits();
}

void Scheduler::lower_shield(Task& task) {
  if (--task.shield == 0 && task.cancel_reason != nullptr) strike(task);
}

// The cancellation reaches what the task waits for.
void Scheduler::strike(Task& task) {
  if (task.state == Task::State::waiting) {
    task.awaiting->cancel(task.cancel_reason);
  } else if (task.state == Task::State::closing && task.spawned != nullptr) {
    if (!task.failed) {   // its own code had ended well, what belongs to it has not
      task.failed = true;
      task.error = task.cancel_reason;
    }
    task.spawned->cancel_children(*this, task.cancel_reason);
  }
}

size_t Scheduler::drain(size_t limit) {
  size_t count = 0;
  while (!ready_.empty() && count < limit && !stopped_) {
    Task* task = ready_.front();
    ready_.pop_front();
    run(*task);
    ++count;
  }
  return count;
}

void Scheduler::run(Task& task) {
  if (task.state == Task::State::created && task.cancelling()) {   // cancelled before its first instruction
    task.failed = true;
    task.error = task.cancel_reason;
    end(task);
    return;
  }
  task.state = Task::State::running;
  running_ = &task;
  Coroutine::State how = task.coroutine->resume(task);
  running_ = nullptr;
  if (stopped_) return;
  if (how == Coroutine::State::suspended) {
    assert(task.awaiting != nullptr || task.state == Task::State::ready);
    if (task.state != Task::State::running) return;
    task.state = Task::State::waiting;
    if (task.cancelling()) strike(task);   // it began to wait behind a shield that is down again
  } else {
    body_ended(task, how);
  }
}

void Scheduler::body_ended(Task& task, Coroutine::State how) {
  if (how == Coroutine::State::failed) {
    task.failed = true;
    Error error = task.coroutine->take_error();
    bool is_cancellation = task.cancel_reason != nullptr && error.code == task.cancel_reason->code &&
                           error.message == task.cancel_reason->message;
    task.error = is_cancellation ? task.cancel_reason : std::make_shared<const Error>(std::move(error));
  } else if (task.cancelling()) {   // it swallowed its cancellation: it is cancelled all the same
    task.failed = true;
    task.error = task.cancel_reason;
  }
  if (task.spawned != nullptr && !task.failed) {
    task.error = static_cast<SpawnScope&>(*task.spawned).unclaimed_error();
    task.failed = task.error != nullptr;
  }
  if (task.spawned != nullptr && task.spawned->live() > 0) {
    task.state = Task::State::closing;
    if (task.failed) task.spawned->cancel_children(*this, task.error);
    return;
  }
  end_or_go_on(task);
}

void Scheduler::end_or_go_on(Task& task) {
  task.state = Task::State::closing;
  if (before_end_ && before_end_(task)) return;
  end(task);
}

void Scheduler::end(Task& task) {
  task.state = Task::State::ended;
  task.coroutine->ended(task);
  if (auto handle = task.handle) {
    handle->task = nullptr;
    handle->failed = task.failed;
    handle->cancelled = task.ended_cancelled();
    handle->error = task.error;
    auto waiters = std::move(handle->on_end);
    for (auto& waiter : waiters) waiter();
  }
  --live_;
  --task.scope->live_;
  task.scope->child_ended(task);   // may destroy the task
}

std::shared_ptr<TaskHandle> Scheduler::spawn_into(Task& owner, Task& maker, std::unique_ptr<Coroutine> coroutine) {
  if (owner.spawned == nullptr) owner.spawned = std::make_unique<SpawnScope>(*this, owner);
  Task& task = spawn(&maker, *owner.spawned, std::move(coroutine));
  task.handle = std::make_shared<TaskHandle>();
  task.handle->task = &task;
  return task.handle;
}

ErrorRef SpawnScope::unclaimed_error() const {
  for (auto& handle : failed_)
    if (!handle->claimed) return handle->error;
  return nullptr;
}

void SpawnScope::child_ended(Task& task) {
  if (task.failed && !task.ended_cancelled() && task.handle != nullptr) failed_.push_back(task.handle);
  release(task);
  if (owner_.state != Task::State::closing) return;
  if (!owner_.failed) {
    owner_.error = unclaimed_error();
    owner_.failed = owner_.error != nullptr;
    if (owner_.failed) cancel_children(scheduler_, owner_.error);
  }
  if (live() == 0 && owner_.state == Task::State::closing) scheduler_.end_or_go_on(owner_);
}

}  // namespace perilune::task
