// The script API: the globals of docs/api, each table in a file of its own (api_NAME.cpp), built at its first use.
// SPDX-License-Identifier: MIT
#pragma once

struct lua_State;

namespace perilune::api {

// Adds the names of the API to a state's globals. Raises memory errors only; called within a protected call.
void open(lua_State* L);

// The same for hook files: without what says something of the workflow that a script is.
void open_for_hooks(lua_State* L);

}  // namespace perilune::api
