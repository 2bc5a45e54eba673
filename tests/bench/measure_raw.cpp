// Raw limits that belong to no workload: the disk, batches, Lua.
// SPDX-License-Identifier: MIT
#include "tests/bench/raw_limits.hpp"
#include "tests/bench/workloads.hpp"

namespace perilune::bench {

void measure_raw(const Sizes& sizes, Report& report) {
  int times = sizes.scaled(500, 20);
  std::vector<double> growing, preallocated, batch, yield, state, coroutine;
  for (int round = 0; round < sizes.rounds; ++round) {
    growing.push_back(append_and_sync_s(sizes.directory, times, false) * 1e6);
    preallocated.push_back(append_and_sync_s(sizes.directory, times, true) * 1e6);
    batch.push_back(100 / commit_s(sizes.directory, times / 5, times / 5, 100));
    LuaCosts costs = lua_costs(times * 4);
    yield.push_back(costs.yield_s * 1e9);
    state.push_back(costs.state_s * 1e6);
    coroutine.push_back(costs.coroutine_s * 1e9);
  }
  report.add({"raw", "append 256 B + fdatasync, growing file", median(growing), "us", "", 0, {}});
  report.add({"raw", "append 256 B + fdatasync, preallocated", median(preallocated), "us", "", 0, {}});
  report.add({"raw", "bare SQLite, 100 records a commit", median(batch), "rows/s", "", 0, {}});
  report.add({"raw", "Lua call + yield + resume", median(yield), "ns", "", 0, {}});
  report.add({"raw", "Lua state, made and closed", median(state), "us", "", 0, {}});
  report.add({"raw", "Lua coroutine", median(coroutine), "ns", "", 0, {}});
}

}  // namespace perilune::bench
