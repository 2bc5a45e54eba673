// What parallel, race and map have in common on the Lua side: the plan of their branches, kept in one Lua table while the
// operation runs, and the values that the branches return.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "bindings/lua/lua_task.hpp"
#include "runtime/flow/parallel.hpp"

namespace perilune::api {

// The plan: a table with these fields, referenced from the registry by the task's slot.
enum PlanField { k_plan_keys = 1, k_plan_functions = 2, k_plan_items = 3, k_plan_each = 4, k_plan_labels = 5 };

// Makes the coroutine of branch `index` (from 0): function(item, number), or function() when there are no items.
std::unique_ptr<task::Coroutine> make_branch(lua::LuaScript& script, int plan_ref, size_t index);

// The key of a branch as JSON text.
std::string branch_label(lua::LuaScript& script, int plan_ref, size_t index);

// Pushes the first value that a task returned which has ended well (nil when it returned none).
void push_task_value(lua_State* L, task::Task& task);

// Pushes what branch `index` returned (its first value; nil when it did not finish).
void push_branch_value(lua_State* L, const flow::Parallel& parallel, size_t index);

}  // namespace perilune::api
