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
    return passes_run(of_run, of_workflow) && passes_kind(kind);
  }
  bool passes_run(const std::string& of_run, const std::string& of_workflow) const {
    return (run.empty() || run == of_run) && (workflow.empty() || workflow == of_workflow);
  }
  bool passes_kind(Kind kind) const {
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
  int64_t bytes = 4 << 20;      // of data in a page, about: the record that goes beyond is its last
};

struct RecordPage {
  std::vector<RunRecord> records;
  int64_t reached = 0;          // where to go on: all that passes up to here is in `records`
  bool more = false;            // a limit ended the page, not the journal
};

}  // namespace perilune::journal
