// The parts of the sandbox that scripts see, each a file: what open_sandbox puts together.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/state.hpp"

namespace perilune::lua {

// A base function (print, pairs, ...): made when its name is first read.
struct BaseFunction {
  const char* name;
  lua_CFunction function;
};
// Ends with a null name.
const BaseFunction* base_functions();  // sandbox_base.cpp

// Each pushes a new, ordinary table; the sandbox locks it.
int l_open_string(lua_State* L);  // string_library.cpp
int l_open_table(lua_State* L);   // table_library.cpp
int l_open_utf8(lua_State* L);
int l_open_math(lua_State* L);  // seeded_libraries.cpp
int l_open_os(lua_State* L);
int l_open_debug(lua_State* L);      // sandbox_base.cpp
int l_open_coroutine(lua_State* L);  // coroutine_library.cpp

int l_next(lua_State* L);  // ordered_pairs.cpp
int l_pairs(lua_State* L);
// Pushes the keys of the table at `table` (an absolute index) as a list in the order of pairs. Raises, naming `who`,
// for a key that has no place in it.
void push_sorted_keys(lua_State* L, int table, const char* who);
int l_require(lua_State* L);       // require.cpp
int l_load(lua_State* L);          // load.cpp
int l_getmetatable(lua_State* L);  // metatables.cpp
int l_setmetatable(lua_State* L);
int l_rawset(lua_State* L);

// Pushes the text of the value at index as tostring gives it: stable ids in place of addresses. May run __tostring
// (which can't await here); may raise.
void push_text(lua_State* L, int index);  // object_text.cpp
int l_tostring(lua_State* L);

// The table behind the read-only one at index is pushed and true returned; else nothing is pushed.
bool push_behind_lock(lua_State* L, int index);
// True when the string at index is a name of the API.
bool is_api_name(lua_State* L, int index);

// Makes the host's tables of a new state: metatables, id table and so on.
void open_error_objects(lua_State* L);  // error_object.cpp
void open_guard(lua_State* L);          // metatables.cpp

}  // namespace perilune::lua
