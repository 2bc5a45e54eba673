// Where in a journal things happened to which an operator goes back: the failure, the checkpoints, what was undone.
// Works on living records (journal/generations.hpp).
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/journal/record.hpp"

namespace perilune::engine {

struct Finding;

// The record of the step, or compensation, whose failure paused the run; null when something else did.
const journal::Record* paused_by(const std::vector<journal::Record>& living);
// A failed attempt to undo, or something that was undone: what it undid was done at its record "since".
bool undoes(const journal::Record& record);

// Errors: "not_found" (names those that there are).
Result<const journal::Record*> checkpoint_named(const std::vector<journal::Record>& living, const std::string& name);
const journal::Record* newest_checkpoint(const std::vector<journal::Record>& living);
// A compensation since the record `to` of something that was done before it, or null.
const journal::Record* undone_before(const std::vector<journal::Record>& living, const journal::Record& to);

// Loops let go of records that their snapshots replace. The first record of those up to `seq` that is missing and that no
// snapshot up to `seq` replaces, or 0.
uint64_t first_gap(const std::vector<journal::Record>& living, const std::vector<journal::Record>& journal, uint64_t seq);

// A lock across runs that the run held at the record `seq` and does not hold any more: somebody else may have had it since,
// so nobody goes back to within its section. The record that granted it, or null.
const journal::Record* lock_lost(const Finding& run, uint64_t seq);
// One that it held there.
const journal::Record* lock_held(const std::vector<journal::Record>& living, uint64_t seq);

// The seq of the record that ended the run, or one past the newest.
uint64_t end_of(const std::vector<journal::Record>& living);

struct RetryPoint {
  uint64_t keep = 0;        // the last record that stays
  std::string task;         // of the step that failed, 0 = none
  uint32_t op = 0;
  bool undone = false;
  std::string does;
};
// Of a failed run.
RetryPoint retry_point(const Finding& run);

}  // namespace perilune::engine
