// The groups of measures. Each takes its raw limits and its workload in turns, so that both see the same machine.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "tests/bench/measuring.hpp"
#include "tests/bench/report.hpp"

namespace perilune::bench {

void measure_raw(const Sizes& sizes, Report& report);       // the limits that belong to no workload
void measure_empty(const Sizes& sizes, Report& report);     // W0
void measure_sequence(const Sizes& sizes, Report& report);  // W1
void measure_many(const Sizes& sizes, Report& report);      // W2
void measure_parallel(const Sizes& sizes, Report& report);  // W3
void measure_resume(const Sizes& sizes, Report& report);    // W4
void measure_process(const Sizes& sizes, Report& report);   // W5
void measure_flat(const Sizes& sizes, Report& report);      // W6
void measure_events(const Sizes& sizes, Report& report);    // E
void measure_memory(const Sizes& sizes, Report& report);    // M

// The program of its own that measure_memory starts: prints the resident bytes that `runs` waiting runs take, and those
// of the whole process.
int print_memory_of_waiting(const std::string& directory, int runs, bool evicted);

}  // namespace perilune::bench
