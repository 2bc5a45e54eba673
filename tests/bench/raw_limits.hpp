// The raw limits: what the disk, SQLite and Lua do when nothing of Perilune stands between. Each call measures once.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "tests/bench/measuring.hpp"

namespace perilune::bench {

// ---- raw_disk.cpp
// Seconds for one append of 256 bytes and its fdatasync.
double append_and_sync_s(const std::string& directory, int times, bool preallocated);
// Seconds from the start of a process in `directory` to its end, which must be a success. Its output is dropped.
double process_s(const std::vector<std::string>& command, const std::string& directory, int times);

// ---- raw_sqlite.cpp: the store's tables, indexes and pragmas, under plain SQLite
// Seconds for one commit of `rows` records, after `warm_up` commits; the transactions come from this thread.
double commit_s(const std::string& directory, int warm_up, int times, int rows);
// The same with one record, which a second thread commits: what handing over and back costs.
double handed_over_commit_s(const std::string& directory, int warm_up, int times);
// Seconds to read the `rows` records of one run into strings.
double read_s(const std::string& directory, int rows);

// ---- raw_lua.cpp
struct LuaCosts {
  double yield_s = 0;      // a call of a C function that yields, and the resume
  double state_s = 0;      // a new state with its libraries, and its end
  double coroutine_s = 0;  // a new coroutine
};
LuaCosts lua_costs(int times);

// ---- floor.cpp
// Durable steps a second of runs (a Lua state each), a queue, a committer, and nothing else: what no engine of this
// construction can pass.
double floor_steps_per_s(const std::string& directory, int runs, int steps, int at_once);

}  // namespace perilune::bench
