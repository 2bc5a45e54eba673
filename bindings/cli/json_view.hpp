// Runs and records as the JSON that scripts may rely on (`--json`): what `run`, `resume`, `list` and `show` print.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/cli/json_text.hpp"
#include "runtime/store/store.hpp"

namespace perilune::cli {

// How a run stands when a verb has done with it. Without a run (it could not be started) `run` is empty.
struct RunResult {
  std::string run, workflow;
  std::optional<store::Status> status;
  std::string output;  // JSON text, or empty
  std::shared_ptr<const Error> error;
  uint64_t records = 0;
  int64_t duration_us = 0;  // from the start of the run to its newest record
  bool existed = false;     // it was over before
};

// {"run","workflow","status","output","error","records","duration_ms"}
std::string run_json(const RunResult& result);
// The same facts from a row of the store.
RunResult result_of(const store::RunRow& row);

// A row of `list --json`: without input and output, which may be large.
std::string row_json(const store::RunRow& row);
// `show --json`: as run_json, with "records" as the array of records, "steps", "input" and so on. Records that no longer
// count, because somebody took the run back, have "history": true and their "generation".
std::string show_json(const store::RunRow& row, const std::vector<journal::Record>& records);

// A step by name: its latest occurrence.
struct StepView {
  std::string name;
  std::string status;  // running retrying completed failed skipped cancelled
  int64_t started_us = 0, completed_us = 0;
  int attempts = 0;
  std::string output, error;  // JSON text, or empty
  int64_t count = 0;          // occurrences
};
// In the order of their first appearance.
std::vector<StepView> steps_of(const std::vector<journal::Record>& records);

}  // namespace perilune::cli
