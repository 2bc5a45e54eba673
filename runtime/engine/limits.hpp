// What a workflow allows a run of it to use, beside what the configuration allows: limits { cpu, memory, records, duration }.
// 0 = nothing is said. They are kept in the run's first record; a child has at most what its parent has left.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/engine/settings.hpp"

namespace perilune::engine {

struct Limits {
  int64_t cpu_us = 0;        // between durable calls
  int64_t memory_bytes = 0;  // of the Lua state
  int64_t records = 0;       // that the run writes before its end
  int64_t duration_us = 0;   // of running time
  bool any() const { return cpu_us != 0 || memory_bytes != 0 || records != 0 || duration_us != 0; }
};

// The tighter one of each.
Limits tightest(const Limits& a, const Limits& b);
// A workflow can't allow itself more than the configuration allows. Errors: "validation", which names both.
Result<void> check_limits(const Limits& limits, const Settings& settings, const std::string& workflow);

}  // namespace perilune::engine
