// `state` as scripts see it: tables that read and write the running task's view (flow/state_view.hpp).
//
//   state --key--> what lies under it in the view of the task that runs
//   state.cart --> a table that stands for the plain one behind it; so do the tables within
//
// What is assigned is copied, as it will be after a crash: plain data, refused otherwise with its place. So each plain
// table lies at one place of one view, and a table that has been replaced, or is another task's, can be told and refuses
// writes. In a step they are read-only. Plain tables are made from the view's texts when they are first read, and written
// back (write_back) before the script goes on without them.
// Everything here may raise and holds nothing with a destructor, unless it says noexcept.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "bindings/lua/script.hpp"
#include "runtime/flow/state_view.hpp"

namespace perilune::lua {

// Pushes the table `state`.
void push_state(lua_State* L);

// `state` itself, or a table in it.
bool is_state_table(lua_State* L, int index) noexcept;
// Pushes the plain table behind a state table. It is to be read only, and what is read of it goes through push_inside().
void push_behind_state(lua_State* L, int index);
// The value on top of the stack lies under `key` (a stack index) of the table behind `table`: a table is replaced by the
// one that stands for it.
void push_inside(lua_State* L, int table, int key);

// The running task's state as a JSON object, with what its tables hold. For the codec.
Result<void> write_state(lua_State* L, std::string& out) noexcept;

// The key under which the table that stands for a plain one has it.
const void* state_plain_key();

// What the running task has changed is in its view: raises "validation" with the place of what can't be saved.
void settle_state(lua_State* L, LuaScript& script);

}  // namespace perilune::lua
