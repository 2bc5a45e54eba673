// sequential and concurrent: written in Lua (stdlib/perilune/steps.lua). Here is what opens them, and what the host lends
// for their checks.
// SPDX-License-Identifier: MIT
#include <vector>

#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/state.hpp"
#include "runtime/base/nearest.hpp"

namespace perilune::api {

namespace {

std::string_view text_at(lua_State* L, int index) noexcept {
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  return {text == nullptr ? "" : text, length};
}

// The strings of the list at index 4 stay in it: the views are good as long as that does.
void explain_unknown(lua_State* L, std::string& text) noexcept {
  std::vector<std::string_view> valid;
  for (lua_Integer i = 1; lua_rawgeti(L, 4, i) == LUA_TSTRING; ++i) {
    valid.push_back(text_at(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  text = unknown_name(text_at(L, 1), text_at(L, 2), text_at(L, 3), valid);
}

// unknown(what, word, where, valid): the text that names the nearest.
int l_unknown(lua_State* L) {
  for (int i = 1; i <= 3; ++i) luaL_checktype(L, i, LUA_TSTRING);
  luaL_checktype(L, 4, LUA_TTABLE);
  std::string& text = lua::State::of(L).scratch();
  explain_unknown(L, text);
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

// duration(value, what)
int l_duration(lua_State* L) {
  lua::check_duration_us(L, 1, luaL_checkstring(L, 2));
  return 0;
}

// Calls the Lua function. Being C it leaves the frame of its caller in the traceback: `return concurrent { ... }` would be a
// tail call, and the complaint would not say which line it is about.
int l_make(lua_State* L) {
  lua_settop(L, 1);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

int open_of_steps(lua_State* L, const char* name) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "perilune.steps");
  lua_call(L, 1, 1);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, l_unknown);
  lua_setfield(L, -2, "unknown");
  lua_pushcfunction(L, l_duration);
  lua_setfield(L, -2, "duration");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, l_make, 1);
  return 1;
}

}  // namespace

int open_sequential(lua_State* L) { return open_of_steps(L, "sequential"); }
int open_concurrent(lua_State* L) { return open_of_steps(L, "concurrent"); }

}  // namespace perilune::api
