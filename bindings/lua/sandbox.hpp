// The globals of a script, built from an allow list, and the deterministic replacements of what Lua would leave open.
// Base: assert error getmetatable setmetatable(no __gc, no __mode) ipairs next pairs pcall xpcall print rawequal rawget
// rawlen rawset select tonumber tostring type load(text only) require _VERSION; string (no dump), table, math, utf8,
// coroutine (coroutine_library.cpp), os (time clock date difftime only), debug (traceback only).
// Library tables and the string metatable are read-only. Reading an undefined global raises with a near-name hint.
// Assigning a global that would hide the API raises. The golden list of all reachable names is
// tests/lua/globals.golden.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/state.hpp"

namespace perilune::lua {

// Called by State::create in a protected call: fills the globals table.
void open_sandbox(lua_State* L);

// Adds an API function or table under a global name; it is then read-only for scripts like the rest. `open` is called
// at the first access of the name (API tables are built on first use) and leaves exactly one value on the stack. A
// table without a metatable is wrapped by a read-only one (push_locked); one with a metatable of its own looks after
// itself.
struct LazyGlobal {
  const char* name;
  lua_CFunction open;   // called with no arguments, returns 1 value
};
void add_lazy_globals(lua_State* L, const LazyGlobal* globals, size_t count);   // `globals` must outlive the state

// Replaces the table on top of the stack by a read-only view of it, which pairs, next and rawget see through.
void push_locked(lua_State* L);

// All names that a script can reach, sorted ("print", "string.format", ...), built as far as they were not yet: for the
// golden list, completion and docs.
Result<std::vector<std::string>> reachable_names(State& state);

// Compiles a file's text (never bytecode) to a function in the sandbox's environment; bytes that begin with ESC are
// refused, a byte order mark and a `#!` line before the Lua are passed over. Leaves the function on the stack; an error
// has code "syntax" and the message of the compiler, with the line. The stack is then as it was. Never raises.
Result<void> load_text(lua_State* L, std::string_view file_text, const char* chunk_name);

// The bytecode of a text, made by the host and given to load_bytecode alone: states that run the same bundle share it.
Result<std::string> compile_text(std::string_view file_text, const char* chunk_name);
Result<void> load_bytecode(lua_State* L, std::string_view bytecode, const char* chunk_name);

// The private first value of every yield of the runtime's own (a light userdata): the coroutine library passes such
// yields on to the next resume outside, up to the task's own.
void* await_sentinel();

// The registry keys (lua_rawgetp) of what a snapshot must reach: the table of loaded modules, name -> value.
const void* modules_key();

}  // namespace perilune::lua
