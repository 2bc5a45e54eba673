// Finds a task that would wait for itself: over locks, awaited tasks and branches that are waited for.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/task/task.hpp"

namespace perilune::flow {

// `waiter` is about to wait for `first`. When it could then never go on, the waits on the way as text ("task 0.1 ->
// lock 'a' -> task 0.2 -> lock 'b' -> task 0.1"), else empty. A wait that ends by itself (a time-out) breaks a cycle, and so
// does a race with a branch that can go on.
// Over tasks of other runs only with Reach::all_runs: how those stand does not follow from the order of this run.
enum class Reach : uint8_t { this_run, all_runs };
std::string wait_cycle(const task::Task& waiter, const task::Task& first, const std::string& what,
                       Reach reach = Reach::this_run);

}  // namespace perilune::flow
