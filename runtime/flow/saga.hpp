// Undoing: the compensations of a task, and their running, newest first, each a journaled step, shielded.
//
//   compensate / undo= --> the task's saga.  A branch that ends well, or fails, hands its saga to the task that waits for it;
//   a cancelled branch runs its own before it ends; the main task runs its own when it fails or is cancelled.
//   saga(fn) and rollback() run a part of it: those that are newer than a mark.
//
// A compensation that fails for good pauses the run: nothing is dropped, a resume tries it again.
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "runtime/flow/durable.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::flow {

// How an undo action is run: makes the code of its step. Implemented by the binding.
class UndoAction {
 public:
  virtual ~UndoAction() = default;
  virtual std::unique_ptr<StepCode> code() = 0;
};

struct Compensation {
  uint64_t order = 0;        // when it was registered, in the run
  uint64_t since = 1;        // the record that was delivered last then: as a rule, of what it undoes
  std::string name;
  std::unique_ptr<UndoAction> action;
};

class Saga final : public task::Attachment {
 public:
  static Saga& of(task::Task& task);                       // made at its first use
  static Saga* find(task::Task& task) { return static_cast<Saga*>(task.saga.get()); }

  void add(Execution& execution, std::string name, std::unique_ptr<UndoAction> action);
  const std::vector<Compensation>& entries() const { return entries_; }   // oldest first
  // What a loop's snapshot holds takes the place of what was registered since: the `kept` oldest stay.
  void keep_oldest(size_t kept) { entries_.resize(std::min(kept, entries_.size())); }
  void put_back(Compensation entry) { entries_.push_back(std::move(entry)); }
  bool empty() const { return entries_.empty(); }
  bool has_newer(uint64_t mark) const { return !entries_.empty() && entries_.back().order > mark; }
  Compensation take_newest();
  // Takes all of `other`'s, in the order of their registration.
  void join(Saga& other);

 private:
  std::vector<Compensation> entries_;   // oldest first
};

// What the scheduler asks before a task ends: true when compensations are to run first.
bool settle_saga(Execution& execution, task::Task& task);

// Runs those of `owner` that are newer than `mark`, in a task of its own, a child of `maker`. `owner` outlives it.
void undo_all(Execution& execution, task::Task& maker, task::Task& owner, task::Scope& scope, uint64_t mark);

// Runs the compensations of the calling task that are newer than a mark; the task waits for their end. Then its view of
// the run's state is as it was.
class Rollback final : public task::Operation, public task::Scope {
 public:
  struct To {
    uint64_t undo_order = 0;
    bool restore = false;            // the state too;
    StateMapRef state;               //   null: there was none
  };
  static To beginning(task::Task& task);   // of the task
  Rollback(Execution& execution, To to) : execution_(execution), to_(std::move(to)) {}
  // True: there was nothing to undo, it is done.
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef&) override {}           // shielded: it goes on
  void child_ended(task::Task& task) override;
  std::string describe() const override { return "compensations"; }

 private:
  void restore_state();
  Execution& execution_;
  To to_;
  task::Task* task_ = nullptr;
};

}  // namespace perilune::flow
