// What of a journal still counts. Nothing is rewritten: an operator who takes a run back appends a record, a rewind, that
// says up to where the journal goes on counting. What lies between is history of an earlier generation: shown, never
// replayed. Signals, modules and the acts of operators outlive every rewind.
//
//   1 run_started  2 step_done a  3 checkpoint  4 step_done b  5 signal  6 rollback {keep 3}  7 step_done b
//   living: 1 2 3 5 6 7
//
// The living records are in the order of the journal, so everything that reads a journal can read them.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

struct Rewind {
  uint64_t keep = 0;          // living records up to this one stay
  std::string task;           // the operation whose attempts are forgotten too, so that it has fresh ones;
  uint32_t op = 0;            //   0 = none
  uint32_t generation = 0;    // of the records from here on
  bool undone = false;        // what was done since was undone: effects that come again are others, with keys of their own
};
// The members of a record's data, and back. Nothing for a record that is no rewind.
std::string rewind_members(const Rewind& rewind);
std::optional<Rewind> rewind_of(const Record& record);

// Who did it: the member "by" of what operators do, or empty.
std::string operator_of(const Record& record);

std::vector<Record> living(std::vector<Record> records);

// A rollback to a checkpoint that was begun and is not done: its compensations run before anything else.
struct OpenRollback {
  uint64_t since = 0;         // the record that began it
  uint64_t checkpoint = 0;    // the checkpoint's record
  std::string name;           // of the checkpoint
  std::string by;
};
std::optional<OpenRollback> open_rollback(const std::vector<Record>& living);

}  // namespace perilune::journal
