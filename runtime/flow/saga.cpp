// Registration and running of compensations; see saga.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/saga.hpp"

#include <algorithm>

namespace perilune::flow {

using task::Task;

Saga& Saga::of(Task& task) {
  if (task.saga == nullptr) task.saga = std::make_unique<Saga>();
  return static_cast<Saga&>(*task.saga);
}

void Saga::add(Execution& execution, std::string name, std::unique_ptr<UndoAction> action) {
  uint64_t since = std::max<uint64_t>(1, execution.delivered_seq());
  entries_.push_back({execution.next_undo_order(), since, std::move(name), std::move(action)});
}

Compensation Saga::take_newest() {
  Compensation newest = std::move(entries_.back());
  entries_.pop_back();
  return newest;
}

void Saga::join(Saga& other) {
  for (Compensation& entry : other.entries_) entries_.push_back(std::move(entry));
  other.entries_.clear();
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Compensation& a, const Compensation& b) { return a.order < b.order; });
}

namespace {

// Undoes one after the other, as the steps of a task of its own. Reads the saga of `owner`, which outlives it.
class Compensator final : public task::Coroutine {
 public:
  Compensator(Execution& execution, Task& owner, uint64_t mark) : execution_(execution), owner_(owner), mark_(mark) {
    execution_.undoing(+1);
  }

  State resume(Task& task) override {
    State state = go_on(task);
    if (state != State::suspended) execution_.undoing(-1);
    return state;
  }
  Error take_error() override { return std::move(error_); }
  Result<std::string> encode_result() override { return std::string("null"); }

 private:
  State go_on(Task& task) {
    if (step_ != nullptr && task.outcome.kind == task::Outcome::Kind::error) {
      error_ = *task.outcome.error;   // only a run that is ended by force comes here: failures pause it
      return State::failed;
    }
    Saga& saga = Saga::of(owner_);
    while (saga.has_newer(mark_)) {
      current_ = saga.take_newest();
      StepSpec spec;
      spec.name = current_.name;
      spec.compensation = true;
      spec.since = current_.since;
      step_ = std::make_unique<Step>(execution_, std::move(spec), current_.action->code());
      if (!execution_.begin(*step_, task)) return State::suspended;
    }
    return State::finished;
  }

  Execution& execution_;
  Task& owner_;
  uint64_t mark_;
  Compensation current_;
  std::unique_ptr<Step> step_;
  Error error_;
};

}  // namespace

void undo_all(Execution& execution, Task& maker, Task& owner, task::Scope& scope, uint64_t mark) {
  Task& task = execution.scheduler().spawn(&maker, scope, std::make_unique<Compensator>(execution, owner, mark));
  if (task.view == nullptr && owner.view != nullptr) task.view = owner.view->branch();
  task.cancel_reason = nullptr;
  task.shield = 1;   // cancellation waits for it
  execution.ask_turn();
}

bool settle_saga(Execution& execution, Task& task) {
  Saga* saga = Saga::find(task);
  if (saga == nullptr || saga->empty()) return false;
  bool is_main = task.number == 0 && task.journaled();
  bool undo = (is_main ? task.failed : task.ended_cancelled()) && !execution.completes_through(task);
  if (undo) {
    if (task.spawned == nullptr) task.spawned = std::make_unique<task::SpawnScope>(execution.scheduler(), task);
    undo_all(execution, task, task, *task.spawned, 0);
    return true;
  }
  Task* owner = task.scope->owner();
  if (is_main) execution.keep_for_rollback(*saga);
  else if (owner != nullptr && owner != &task) Saga::of(*owner).join(*saga);
  return false;
}

Rollback::To Rollback::beginning(Task& task) {
  StateView* view = StateView::find(task);
  return {0, true, view == nullptr ? nullptr : view->origin()};
}

bool Rollback::begin(Task& task) {
  Saga* saga = Saga::find(task);
  task.outcome = {};
  task_ = &task;
  if (saga == nullptr || !saga->has_newer(to_.undo_order)) {
    restore_state();
    return true;
  }
  ++task.shield;
  execution_.scheduler().wait(task, *this);
  undo_all(execution_, task, task, *this, to_.undo_order);
  return false;
}

void Rollback::restore_state() {
  StateView* view = StateView::find(*task_);
  if (!to_.restore || view == nullptr) return;
  view->restore(to_.state == nullptr ? std::make_shared<const StateMap>() : to_.state);
}

void Rollback::child_ended(Task& task) {
  --task_->shield;
  if (!task.failed) restore_state();
  execution_.scheduler().wake(*task_, task.failed ? task::Outcome::of_error(task.error) : task::Outcome{});
}

}  // namespace perilune::flow
