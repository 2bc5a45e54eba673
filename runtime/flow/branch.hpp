// What the journal says of tasks that run beside others: that one has begun, and how it ended. For those who look at a run;
// a replay needs neither record, so a result that is long or no plain data is left out.
// Uses execution.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

// `label` is JSON text; `scope` is the number of the operation (parallel, race, map) in the parent task whose branch it is,
// 0 for a task that was spawned. A task of a step's attempt leaves no records.
void note_branch_started(Execution& execution, const task::Task& task, std::string label, uint32_t scope);
// The task has ended.
void note_branch_done(Execution& execution, const task::Task& task, std::string label, uint32_t scope);

// As Scheduler::spawn_into, with both records.
std::shared_ptr<task::TaskHandle> spawn_noted(Execution& execution, task::Task& owner, task::Task& maker,
                                              std::unique_ptr<task::Coroutine> coroutine, std::string label);

// A name as a label.
std::string label_of(std::string_view name);

}  // namespace perilune::flow
