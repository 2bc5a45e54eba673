// A run as a Chrome trace (chrome://tracing, Perfetto): a row a task, a bar a step, a failed attempt, a timer and a branch, and a
// mark for what takes no time. Uses journal and store.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/store/store.hpp"

namespace perilune::cli {

// {"traceEvents": [...]}, in the JSON object form of the trace event format. Times are microseconds since the run began.
std::string trace_json(const store::RunRow& row, const std::vector<journal::Record>& living);

}  // namespace perilune::cli
