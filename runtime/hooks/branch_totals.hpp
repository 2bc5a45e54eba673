// What the branches of a scope (parallel, race, map, group) did, told at the join in one piece: for observers who do not
// want each record of a thousand branches. Records of a branch, and of all below it, are counted and dropped; the record of
// the join passes with the totals, one a branch in the order of the branches.
//
//   scope_opened  branch_started  step_done  attempt_failed  step_done  branch_done  ...  branch_joined + totals
//        |              \________________ counted, dropped _______________/                    |
//      passes                                                                                passes
//
// Whoever begins to observe inside a scope gets the rest of that scope record by record. Holds a few numbers for each branch
// that is open. Uses journal.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/journal/run_record.hpp"

namespace perilune::hooks {

struct BranchTotals {
  std::string task;            // "0.2"
  std::string name;            // JSON text, as the journal has it
  uint64_t records = 0;        // dropped
  uint64_t steps_done = 0, steps_failed = 0, steps_skipped = 0, attempts_failed = 0;
  int64_t began_us = 0, ended_us = 0;   // 0 = it never did
};

class BranchGatherer {
 public:
  // Takes the records of any number of runs, each run's in order. False: the record is counted and to be dropped. At a join
  // `totals` gets what its branches did.
  bool passes(const journal::RunRecord& record, std::vector<BranchTotals>& totals);

 private:
  struct Scope {
    std::string task;          // that opened it
    uint32_t op = 0;
    std::map<uint64_t, BranchTotals> branches;   // by their number among the task's children
  };
  using Scopes = std::vector<Scope>;             // of a run: the outermost ones that are open

  static bool count(Scopes& scopes, const journal::Record& record);
  std::unordered_map<std::string, Scopes> runs_;
};

}  // namespace perilune::hooks
