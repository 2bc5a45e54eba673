// What an operator may do with a run that nobody executes: which acts are open, what each will do, and the records that
// do it. Reads a row and its journal, writes nothing; operator.hpp carries it out.
//
// A retry goes back to the record at which the run failed. Where compensations ran since, what they undid must be done
// again: it goes back to before the first thing that was undone (docs/decisions/0006).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/engine/operator.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/store/store.hpp"

namespace perilune::engine {

// A run as an operator finds it.
struct Finding {
  Finding(store::RunRow row_, const std::vector<journal::Record>& records)
      : row(std::move(row_)), journal(records), living(journal::living(records)) {}
  store::RunRow row;
  const std::vector<journal::Record>& journal;   // all of it
  std::vector<journal::Record> living;           // what counts
};

// What is to be appended: seq and time are set by whoever does it.
struct Plan {
  std::vector<journal::Record> records;
  store::RunPatch patch;
  std::string does;        // "goes on from step 'charge' (record 12)": for people
  bool destroys = false;   // it undoes or gives up something: to be asked before
};

// Errors: "usage" (the act is not open: says why, and which are), "not_found" (no such checkpoint).
Result<Plan> plan_act(const Finding& run, const Order& order);

// The acts that are open for the run, the mildest first.
struct OpenAct {
  std::string verb;
  std::string target;      // rollback: the newest checkpoint; fork: the newest record
  std::string does;
};
std::vector<OpenAct> open_acts(const Finding& run);

// The journal of a fork that goes on from a record of `run`: what counted then, or why it can't.
Result<std::vector<journal::Record>> plan_fork(const Finding& run, uint64_t at);
// The newest record that a fork can start from.
uint64_t newest_fork(const Finding& run);

}  // namespace perilune::engine
