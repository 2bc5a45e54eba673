// API functions in a script that has hooks: instead of doing their work they call their namesake in stdlib/perilune/hooks.lua,
// which asks the hooks and then does the work through what is lent to it here. Scripts without hooks pay one look at a flag.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/lua_task.hpp"

namespace perilune::api {

// The running task meets the hooks of these families: one of them listens, and no hook is being called in it.
bool meets_hooks(lua::LuaScript& script, std::initializer_list<hooks::Family> families);

// Calls the module's function of this name with `host` and what is on the stack: the body of the API function. The function
// gives true and the results, or false and an error to raise.
int call_hooked(lua_State* L, const char* name);

// A loop's snapshot was put back: iterations that are not run again may have added hooks.
void hear_restored_hooks(lua_State* L, lua::LuaScript& script);

// The replies at `index` (a list of texts that host.reply made, or nil), put together, into script.told().decided.
void take_replies(lua_State* L, lua::LuaScript& script, int index, hooks::Point point) noexcept;
// The rest of script.told(): the input at `index`, or 0; and the number of the operation that is repeated at `again`, or nil.
// Raises when the input can't be recorded.
void take_told(lua_State* L, lua::LuaScript& script, int input, int again);

// host.step and host.effect (api_step.cpp, effect_binding.cpp).
int l_host_step(lua_State* L);
int l_host_effect(lua_State* L);
// What they give: "done", "skipped", "failed" or "cancelled", the value or error, and a table of facts.
int push_step_end(lua_State* L, lua::LuaTask& task, task::Outcome& outcome);

// The metatable of what skip(...) and its like give.
inline constexpr const char* k_reply_type = "hook result";

}  // namespace perilune::api
