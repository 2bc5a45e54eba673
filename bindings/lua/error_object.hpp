// Error <-> the error object of scripts: a table with the fields code message step attempt cause suppressed data
// traceback retry retry_after, and a protected metatable (tostring = one line; __name = "error").
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/state.hpp"

namespace perilune::lua {

// Pushes the error object; may raise a memory error, nothing else (holds nothing with a destructor).
void push_error(lua_State* L, const Error& error);

// True when the value at index is an error object.
bool is_error_object(lua_State* L, int index);

// The Error for whatever error(x) raised: an error object gives back all its fields; a string its text with `code`
// (position "file:line:" is kept in the message); a table that can be encoded goes to `data`; nil is "nil error".
// Runs no script code (no __tostring) and never raises.
Error error_from_value(lua_State* L, int index, const char* code);

// Pushes the error object and raises it. Never returns; `error` is anchored by the State until the raise.
[[noreturn]] void raise(lua_State* L, Error error);

// The script frames of a coroutine, newest first, one a line ("order.lua:31: in function 'charge'"), without frames of
// the runtime. Never raises (at most 32 frames, the middle is cut).
std::string traceback_of(lua_State* coroutine);

// The chunk with this source is the runtime's own Lua: a reader of messages looks for the workflow's lines.
bool is_own_chunk(const char* source);

}  // namespace perilune::lua
