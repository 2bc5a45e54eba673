// Why a run does not go on: what it waits for, since when, what would move it, and the same of the runs that it waits for. Read
// off the journals; of the process that owns the store one thing is asked: whether it executes the run.
// Uses store_view, run_state, held_locks, open_acts.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/cli/open_acts.hpp"
#include "bindings/cli/store_view.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::cli {

struct Explanation;

// One thing that keeps a run from going on.
struct Cause {
  enum class Kind : uint8_t { wait, step, limit, script };
  Kind kind = Kind::script;
  journal::Wait wait;              // wait
  std::string name;                // step: its name; limit: that of the scope
  std::string task;
  uint32_t op = 0;
  int attempt = 0;                 // step
  size_t begun = 0, over = 0, total = 0;   // limit: branches
  int64_t since_us = 0;
  std::string moved_by;            // "the signal", for people
  std::string command;             // what to type to bring it about; empty = nothing can be typed
  std::string holder_run, holder_task;     // a lock: who has it; empty = nobody
  std::unique_ptr<Explanation> run;        // the run that is waited for, or that holds the lock; null = none
};

struct Explanation {
  // executed: by the owner of the store; unasked: the owner does not answer; idle: there is an owner, which executes others;
  // interrupted: no process executes it.
  enum class Standing : uint8_t { over, stuck, paused, executed, unasked, idle, interrupted };
  store::RunRow row;
  Standing standing = Standing::interrupted;
  int64_t owner = 0;               // pid, 0 = none
  std::vector<Cause> causes;       // none when it is over
  std::vector<OfferedAct> acts;    // what can be done with it now
  bool circle = false;             // it stands further up: not explained again
};

std::string_view standing_name(Explanation::Standing standing);

Result<Explanation> explain(const StoreView& view, store::RunRow row, const CommonOptions& options);

std::string explanation_text(const Explanation& explanation);
std::string explanation_json(const Explanation& explanation);

}  // namespace perilune::cli
