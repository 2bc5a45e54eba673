// What a run waits for, read off its records alone: moments, signals, answers, other runs, locks, next attempts. The one place
// that knows which records say so; status, progress and `show` ask it.
//
// Fed with the records that count (generations.hpp), in order, live or from a store. It holds what is open, so it stays small
// however long the run is. Of the tasks of one run that wait for each other (channels, joins) a journal says nothing.
// Uses record and payload.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

struct Wait {
  enum class For : uint8_t { timer, signal, answer, run, lock, retry };
  For what = For::timer;
  std::string name;        // of the timer, the signal, the lock, the step; the question; the other run's workflow
  std::string task;        // who waits
  uint32_t op = 0;
  uint64_t seq = 0;        // of the record that says so: the number of a question
  int64_t since_us = 0;
  // When it ends by itself: the moment of a timer, a time-out, the next attempt (which runs once that is past). 0 = never.
  int64_t due_us = 0;
  std::string run;         // run: its id
  bool of_all_runs = false;   // lock: across runs
  std::string choices;     // answer: a list as JSON text, or empty
  std::string to;          // answer: whom it is for, or empty
  std::string error;       // retry: of the attempt that failed, as JSON text
  int attempt = 0;         // retry: the one that failed
};

// "timer", "signal", ...
std::string_view wait_name(Wait::For what);

class Waits {
 public:
  void apply(const Record& record);
  // In the order in which they began.
  std::vector<const Wait*> open() const;

 private:
  Wait& begin(const Record& record, Wait::For what, int64_t due_us);
  void end_of(const std::string& task, uint32_t newest);
  void noted(const Record& record);
  void signal_came(const Record& record);
  void signal_wait_began(const std::pair<std::string, uint32_t>& key, uint64_t after);

  std::map<std::pair<std::string, uint32_t>, Wait> open_;   // by task and number
  // Signals that nobody was seen to wait for, by name: a receive that was called before one of them was delivered has it.
  std::unordered_map<std::string, std::vector<uint64_t>> unclaimed_;
};

// The members that records say it with, for those who write them. `after`: the newest outcome that was delivered by then.
std::string signal_wait_members(uint64_t after);
std::string lock_wait_members(bool of_all_runs);
std::string run_wait_members(const std::string& run);

}  // namespace perilune::journal
