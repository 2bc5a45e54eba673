// What a run is doing, read off its records: steps under way, what it waits for, branches that are done. Fed with records
// in order, live (progress) or from the store (status); it holds what is open, so it stays small however long the run
// is. Uses journal (waits). SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/journal/record.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::cli {

struct OpenOperation {
  enum class State : uint8_t { running, retrying, given_up };   // given_up: it has paused the run
  State state = State::running;
  std::string name;
  int64_t since_us = 0;  // of the state
  int attempt = 0;
  int64_t due_us = 0;  // retrying: the next attempt
  std::string error;   // of the attempt that failed: one line
  uint64_t order = 0;  // of appearance
};

struct OpenScope {
  std::string call;  // "parallel", "map", "race"
  std::string name;
  size_t total = 0, done = 0, failed = 0;
  int64_t since_us = 0;
  uint32_t op = 0;
};

class RunState {
 public:
  void apply(const journal::Record& record);

  // In the order of their appearance.
  std::vector<const OpenOperation*> operations() const;
  std::vector<const OpenScope*> scopes() const;
  const std::map<std::string, OpenScope>& scopes_by_task() const { return scopes_; }   // by the task that waits for it
  // What it waits for; the next attempts of steps are among the operations too.
  std::vector<const journal::Wait*> waits() const { return waits_.open(); }
  size_t steps_done() const { return steps_done_; }
  size_t steps_failed() const { return steps_failed_; }
  const std::string& last_error() const { return last_error_; }  // JSON of the newest failure of a step, or empty
  int64_t last_error_us() const { return last_error_us_; }

 private:
  OpenOperation& open(const journal::Record& record, OpenOperation::State state);
  void step_over(const journal::Record& record);

  std::map<std::pair<std::string, uint32_t>, OpenOperation> operations_;  // by task and number
  journal::Waits waits_;
  std::map<std::string, OpenScope> scopes_;                               // by the task that waits for it
  uint64_t appeared_ = 0;
  size_t steps_done_ = 0, steps_failed_ = 0;
  std::string last_error_;
  int64_t last_error_us_ = 0;
};

}  // namespace perilune::cli
