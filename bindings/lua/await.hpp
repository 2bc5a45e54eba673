// Entering and leaving an API function that may suspend: the picture is in script.hpp.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/lua_task.hpp"

namespace perilune::lua {

// Where a call may stand.
enum class Place : uint8_t {
  anywhere,      // in the body and in a step
  body,          // not inside a step
};

// The running task's script, or an error: not inside a run (a file that is only inspected ends here), inside a function
// that can't suspend (table.sort, string.gsub, string.format, ...), or, for Place::body, inside a step.
LuaScript& enter(lua_State* L, const char* call, Place place);

// As enter(), for functions that do not suspend.
LuaScript& enter_now(lua_State* L, const char* call, Place place = Place::anywhere);

// Ends an API function: pushes the outcome when it is `ready`, else suspends the task until it is.
int await(lua_State* L, bool ready);

// Suspends the task; `then` is the continuation and finds the outcome in the task.
int suspend(lua_State* L, lua_KFunction then);

// Raises the error of what was awaited: its traceback goes on with the frames that waited.
[[noreturn]] void raise_awaited(lua_State* L, const Error& error);

// The usual push: raises an error, else one value (nil for nothing).
int push_outcome(lua_State* L, LuaTask& task, task::Outcome& outcome);

}  // namespace perilune::lua
