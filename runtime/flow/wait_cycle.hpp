// Finds a task that would wait for itself: over locks, awaited tasks and branches that are waited for.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/task/task.hpp"

namespace perilune::flow {

// `waiter` is about to wait for `first`. When that leads back to `waiter`, the waits on the way as text ("lock 'a' held by
// task 0.1 -> a spawned task 0.2"), else empty. A wait that ends by itself (a time-out) breaks a cycle.
std::string wait_cycle(const task::Task& waiter, const task::Task& first, const std::string& what);

}  // namespace perilune::flow
