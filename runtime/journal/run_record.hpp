// A record together with whose it is and where it stands in the order of all commits of a store; and what a reader of that
// order asks for and gets.
//
// Positions rise in the order of commit, over all runs. They may leave gaps (records are forgotten), and none is ever given
// to two records, not even after the first of them is gone: a position is a cursor that stays good.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

struct RunRecord {
  std::string run, workflow;
  Record record;
  int64_t position = 0;
};

// Which records are wanted. What is empty lets everything pass.
struct RecordFilter {
  std::string run;              // an id
  std::string workflow;
  std::vector<Kind> kinds;

  bool passes(const std::string& of_run, const std::string& of_workflow, Kind kind) const {
    if (!run.empty() && run != of_run) return false;
    if (!workflow.empty() && workflow != of_workflow) return false;
    if (kinds.empty()) return true;
    for (Kind wanted : kinds)
      if (wanted == kind) return true;
    return false;
  }
};

struct RecordQuery {
  int64_t after = 0;            // a position: what was committed behind it
  RecordFilter filter;
  int64_t limit = 1000;         // of records that are looked at, whether they pass or not: a query takes bounded time
};

struct RecordPage {
  std::vector<RunRecord> records;
  int64_t reached = 0;          // where to go on: all that passes up to here is in `records`
  bool more = false;            // the limit ended the page, not the journal
};

}  // namespace perilune::journal
