// workflow{...}: what it accepts, the value that it gives, and how a file's definitions are found again.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/lua/script.hpp"

namespace perilune::lua {

// The function behind the global `workflow`.
int l_workflow(lua_State* L);

// When the value at `index` is a definition, or a list of them: pushes the `run` function of the one called `name` and
// gives true. Raises when it has none, or when the list has no such workflow. False for every other value.
bool push_workflow_run(lua_State* L, int index, const char* name);

// Of a definition that push_workflow_run found: pushes its preflight and its postflight, a function or nil each.
void push_workflow_gates(lua_State* L, int index, const char* name);

// The names of the definitions that the value at `index` holds; empty when it is none. Never raises.
std::vector<std::string> defined_names(lua_State* L, int index);

}  // namespace perilune::lua
