// Which locks a run holds, read off its records: those it has taken or been given and has not left. Uses record.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

struct HeldLock {
  std::string name;
  std::string task;          // whose section it is, and the call
  uint32_t op = 0;
  bool of_all_runs = false;
  int64_t since_us = 0;
};

// Of the records that count (generations.hpp), in the order of task and call. A run that is over holds none.
std::vector<HeldLock> held_locks(const std::vector<Record>& living);

}  // namespace perilune::journal
