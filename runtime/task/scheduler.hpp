// The ready queue of one run: first in, first out, and the one place where coroutines are resumed.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "runtime/task/rules.hpp"
#include "runtime/task/task.hpp"

namespace perilune::task {

class Scheduler {
 public:
  // `seed` is the run's: each task's random stream is made from it and the task's id.
  explicit Scheduler(uint64_t seed, const Rules& rules = {}) : seed_(seed), rules_(rules) {}

  // Makes a task in `scope` and puts it in the ready queue; its id is the parent's plus its number among the parent's
  // children ("0" for the first task of a run, which has no parent). It inherits the parent's attempt and cancellation.
  Task& spawn(Task* parent, Scope& scope, std::unique_ptr<Coroutine> coroutine);

  // A task of a step's attempt: it has its own sources and takes no number among the children of the step's task.
  Task& spawn_attempt(Task& caller, Scope& scope, std::unique_ptr<Coroutine> coroutine, AttemptContext& attempt);

  // A task that ends before `owner` does, and a handle of it.
  // `maker` is the task whose child it is by number (the owner itself, or one that adds to the owner's group).
  std::shared_ptr<TaskHandle> spawn_into(Task& owner, Task& maker, std::unique_ptr<Coroutine> coroutine);

  // A task that waits for `operation`; to be called by the coroutine before it suspends.
  void wait(Task& task, Operation& operation);
  // Ends the wait of a task: it is resumed with `outcome`, or with its cancel reason when it is being cancelled.
  void wake(Task& task, Outcome outcome);

  // Asks a task to end: see the rules in task.hpp. The first reason stays.
  void cancel(Task& task, const ErrorRef& reason);
  // One shield less around a task that may wait: a cancellation that has waited for it gets through.
  void lower_shield(Task& task);

  bool idle() const { return ready_.empty(); }
  size_t live() const { return live_; }   // tasks that have not ended, attempts of steps too
  // Resumes ready tasks, at most `limit` of them. Returns how many.
  size_t drain(size_t limit);
  // The task that is running now, or null.
  Task* running() const { return running_; }

  // Called when a task's body and all that it spawned have ended, before the task itself ends. True: it spawned more into
  // the task, which then goes on waiting (compensations). Called again when those have ended.
  void set_before_end(std::function<bool(Task&)> hook) { before_end_ = std::move(hook); }

  // Drops everything that is still queued; no task is resumed any more.
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

 private:
  Task& enqueue(std::unique_ptr<Task> task, Scope& scope);
  void run(Task& task);
  void strike(Task& task);
  void body_ended(Task& task, Coroutine::State how);
  void end_or_go_on(Task& task);
  void end(Task& task);
  friend class SpawnScope;   // ends its owner when the last child has ended

  uint64_t seed_;
  Rules rules_;
  uint64_t made_ = 0;             // tasks made so far: ids when rules_.ids_by_parent is off
  size_t live_ = 0;
  std::deque<Task*> ready_;
  Task* running_ = nullptr;
  std::function<bool(Task&)> before_end_;
  bool stopped_ = false;
};

// The children that a task spawned. When the task's body has ended, they are waited for; the first error that nobody has
// awaited by then fails the task and cancels the rest.
class SpawnScope final : public Scope {
 public:
  SpawnScope(Scheduler& scheduler, Task& owner) : scheduler_(scheduler), owner_(owner) {}
  void child_ended(Task& task) override;
  Task* owner() override { return &owner_; }
  // The first error that nobody awaited, or null.
  ErrorRef unclaimed_error() const;

 private:
  Scheduler& scheduler_;
  Task& owner_;
  std::vector<std::shared_ptr<TaskHandle>> failed_;
};

}  // namespace perilune::task
