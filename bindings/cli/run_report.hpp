// The completion report of a run: its steps with durations and attempts, its gates and rules with their verdicts, what was
// undone, and how long it worked and waited. Read off the records that count, in their order; a run that goes on has one too.
// Uses journal, flow/gate.hpp (verdicts).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bindings/cli/terminal.hpp"
#include "runtime/store/store.hpp"

namespace perilune::cli {

// Time that is covered by intervals which come in the order of their ends. Overlaps count once.
class CoveredTime {
 public:
  void add(int64_t from_us, int64_t to_us);
  int64_t total_us() const;

 private:
  std::vector<std::pair<int64_t, int64_t>> spans_;   // apart from each other, in order
  int64_t before_us_ = 0;                            // of spans that are so old that nothing reaches back to them
};

class RunReport {
 public:
  struct Steps {               // all of one name
    std::string name;
    int64_t count = 0, done = 0, failed = 0, skipped = 0, cancelled = 0;
    int64_t attempts = 0, retries = 0;
    int64_t duration_us = 0;   // of their work, back-off left out, one after the other
  };
  struct Gate {                // all verdicts of one gate
    std::string gate, name;
    int64_t held = 0, failed = 0;
    std::string message;       // of the newest that did not hold
  };
  struct Rule {
    std::string name;
    int64_t checked = 0, broken = 0;   // checked: known once the run has ended
    bool tallied = false;
    std::string message;       // of the newest time that it was broken
  };
  struct Undone {
    std::string name;
    bool done = true;          // false: it failed, and nothing has undone it since
    std::string error;
  };

  // Without `each_step` they are only counted: it stays small however long the run is.
  explicit RunReport(bool each_step) : each_step_(each_step) {}
  void apply(const journal::Record& record);

  const Steps& all_steps() const { return all_; }
  const std::vector<Steps>& steps() const { return steps_; }     // in the order of their first appearance
  const std::vector<Gate>& gates() const { return gates_; }      // without `each_step` those alone that did not hold
  const std::vector<Rule>& rules() const { return rules_; }
  const std::vector<Undone>& undone() const { return undone_; }  // in the order in which that was tried
  int64_t worked_us() const { return worked_.total_us(); }

 private:
  Steps* steps_of(const journal::Record& record);
  void work(const journal::Record& record);
  void ended(const journal::Record& record, int64_t Steps::*how);
  void undo(const journal::Record& record, const std::string& error);
  void judge(const journal::Record& record);

  bool each_step_;
  Steps all_;
  std::vector<Steps> steps_;
  std::unordered_map<std::string, size_t> by_name_;
  std::unordered_map<std::string, int64_t> again_us_;   // operations that back off: until when
  std::vector<Gate> gates_;
  std::unordered_map<std::string, size_t> by_gate_;
  std::vector<Rule> rules_;
  std::vector<Undone> undone_;
  CoveredTime worked_;
};

// `records`: the whole journal. `now_us` is the end of what has not ended.
RunReport report_of(const std::vector<journal::Record>& records);
std::string report_json(const store::RunRow& row, const RunReport& report, int64_t now_us);
std::string report_text(const store::RunRow& row, const RunReport& report, int64_t now_us, const Terminal& terminal);
// A line, and one for each gate that did not hold.
std::vector<std::string> report_short(const RunReport& report, int64_t elapsed_us);

}  // namespace perilune::cli
