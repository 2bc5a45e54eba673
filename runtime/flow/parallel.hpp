// parallel, race and map: branches side by side, joined by a rule. Children end before it returns (but with rest = keep).
// What the join decides follows from the ends of the branches alone, so it needs no record; a time-out is a child of its own, a
// durable timer. scope_opened and branch_joined, and the records of branch.hpp, are for observers. Inside a step's attempt the same code runs without records.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/flow/execution.hpp"
#include "runtime/flow/state_view.hpp"

namespace perilune::flow {

struct ParallelSpec {
  const char* call = "parallel";   // or "race", "map"
  std::string name;                // given by the script, or the call
  size_t total = 0;
  size_t limit = 0;                // branches at once; 0 = all
  size_t need = 0;                 // go on when so many succeeded; 0 = all must
  bool keep_rest = false;          // with need: the rest runs on in the background of the run
  bool collect = false;            // every branch runs to its end; failures are results
  bool tolerant = false;           // `tolerate` was given:
  size_t tolerate = 0;             //   so many may fail
  int64_t timeout_us = 0;          // of the whole; 0 = none
  bool race = false;               // the first to finish, well or badly, decides
  MergeRule merge;                 // for what the branches have set of the run's state
  std::function<std::string(size_t)> label;   // JSON text of a branch's key
  std::function<bool(const task::Task&)> enough;   // asked of each branch that ended well: true = it decides, as in a race
};

class Parallel final : public task::Operation, public task::Scope {
 public:
  using MakeBranch = std::function<std::unique_ptr<task::Coroutine>(size_t index)>;
  enum class End : uint8_t { none, done, failed, cancelled };
  struct Branch {
    task::Task* task = nullptr;    // lives as long as this (null before its start, and when it was kept in background)
    End end = End::none;
    task::ErrorRef error;
  };

  Parallel(Execution& execution, ParallelSpec spec, MakeBranch make);

  // Starts it. True: there was nothing to do, task.outcome is set. False: the task must suspend.
  bool begin(task::Task& task);
  void cancel(const task::ErrorRef& reason) override;
  void child_ended(task::Task& task) override;
  std::string describe() const override;
  task::Waits waits_for() const override;
  task::Task* owner() override { return task_; }

  // ---- after the join
  const ParallelSpec& spec() const { return spec_; }
  const Branch& branch(size_t index) const { return branches_[index]; }
  size_t winner() const { return winner_; }     // race: index of the first to finish
  bool found() const { return found_; }         // `enough` has chosen the winner
  // {"reason","done","failed","cancelled","total","order"} as JSON text.
  std::string info() const;

 private:
  void start_more();
  void start_branch(size_t index);
  std::string label(size_t index) const;
  void decide(size_t index);
  void stop(const char* reason, task::ErrorRef error);
  void leave_rest();
  void start_timer();
  void time_over();
  // Branches that have not ended.
  size_t running() const { return live() - (timer_ == nullptr ? 0 : 1); }
  void finish_if_over();
  void join_states();
  task::Outcome outcome() const;
  Error broken(const std::string& what, const char* code) const;
  void note_scope(journal::Kind kind, std::string data);

  Execution& execution_;
  ParallelSpec spec_;
  MakeBranch make_;
  task::Task* task_ = nullptr;
  uint32_t number_ = 0;              // of the operation within its task
  uint32_t first_child_ = 0;         // child number of branch 0
  task::Task* timer_ = nullptr;      // until it has ended
  std::vector<Branch> branches_;
  std::vector<uint32_t> order_;      // indices in the order of their ends
  size_t next_ = 0;                  // the next branch to start
  size_t done_ = 0, failed_ = 0, cancelled_count_ = 0;
  size_t winner_ = 0;
  bool found_ = false;
  bool stopping_ = false;
  bool over_ = false;
  const char* reason_ = "all";
  task::ErrorRef error_;             // what the join raises
  std::vector<task::ErrorRef> conflicts_;   // of the branches' states, beside it
  task::ErrorRef cancelled_;
  task::ErrorRef sibling_reason_;
};

}  // namespace perilune::flow
