// What came of a run, summed up: its steps with their time and attempts, what its gates said, the time that retries took,
// what was undone, and what operators did. The completion report. Uses json_view, gate, journal and store.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/cli/json_view.hpp"

namespace perilune::cli {

struct RunSummary {
  struct Step {
    std::string name, status;
    int64_t count = 0;        // times that the step was called
    int64_t attempts = 0;     // of all of them
    int64_t time_us = 0;      // of the attempts that ended
    std::string error;        // JSON of its newest failure, or empty
  };
  struct Gate {
    std::string gate, name;   // "expect" of the step "charge"; of a gate of the run the name is that of the gate
    std::string message;      // why it did not hold; empty = it held
  };
  std::vector<Gate> gates;                       // in the order of their verdicts
  std::vector<Step> steps;                       // in the order of their first appearance
  int64_t took_us = 0, steps_us = 0;             // from the first record to the newest; within steps
  int64_t retries = 0, retries_us = 0;           // attempts that failed and came again: their time, and the pauses behind them
  std::vector<std::string> undone;               // names, in the order in which it was done
  std::vector<std::string> acts;                 // "skip by ana@desk"
};
RunSummary summary_of(const store::RunRow& row, const std::vector<journal::Record>& records);

std::string summary_text(const store::RunRow& row, const RunSummary& summary);
std::string summary_json(const store::RunRow& row, const RunSummary& summary);

}  // namespace perilune::cli
