// getmetatable, setmetatable and rawset. Finalizers and weak tables depend on when garbage is collected, which no
// replay repeats, so __gc and __mode are refused: in the metatable when it is set, in rawset, and in later assignments
// to it. The last is done by a guard: a metatable without a metatable of its own gets one whose __newindex looks at new
// names. What this cannot catch on Lua 5.4.4: a metatable that has (or gets) a metatable of the script's own, and then
// __mode. SPDX-License-Identifier: MIT
#include <cstring>

#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/state_table.hpp"

namespace perilune::lua {
namespace {

bool is_refused_name(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) return false;
  const char* name = lua_tostring(L, index);
  return std::strcmp(name, "__gc") == 0 || std::strcmp(name, "__mode") == 0;
}

[[noreturn]] void refuse(lua_State* L, const char* name) {
  luaL_error(L, "metatables with %s are refused: %s depend on when garbage is collected, which differs between replays",
             name, std::strcmp(name, "__gc") == 0 ? "finalizers" : "weak tables");
  std::abort();  // luaL_error does not return
}

void refuse_field(lua_State* L, int metatable, const char* name) {
  lua_pushstring(L, name);
  if (lua_rawget(L, metatable) != LUA_TNIL) refuse(L, name);
  lua_pop(L, 1);
}

// __newindex of a guarded metatable: (metatable, name, value).
int l_guarded_assignment(lua_State* L) {
  if (is_refused_name(L, 2)) refuse(L, lua_tostring(L, 2));
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 0;
}

void guard(lua_State* L, int metatable) {
  if (lua_getmetatable(L, metatable)) {
    lua_pop(L, 1);
    return;
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_guard_metatable);
  lua_setmetatable(L, metatable);
}

// Metatables of the runtime's own that scripts do not see.
bool is_hidden_metatable(lua_State* L, int index) {
  const State::Hidden& hidden = State::of(L).hidden();
  const void* identity = lua_topointer(L, index);
  return identity == hidden.guard_metatable || identity == hidden.array_metatable ||
         identity == hidden.object_metatable;
}

}  // namespace

void open_guard(lua_State* L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_guarded_assignment);
  lua_setfield(L, -2, "__newindex");
  State::of(L).hidden().guard_metatable = lua_topointer(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry::k_guard_metatable);
}

int l_getmetatable(lua_State* L) {
  luaL_checkany(L, 1);
  if (!lua_getmetatable(L, 1)) {
    lua_pushnil(L);
    return 1;
  }
  if (is_hidden_metatable(L, -1)) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushliteral(L, "__metatable");
  if (lua_rawget(L, -2) == LUA_TNIL) lua_pop(L, 1);
  return 1;
}

int l_setmetatable(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const int type = lua_type(L, 2);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  if (type == LUA_TTABLE) {
    refuse_field(L, 2, "__gc");
    refuse_field(L, 2, "__mode");
    guard(L, 2);
  }
  lua_setmetatable(L, 1);
  return 1;
}

int l_rawset(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (is_state_table(L, 1)) {
    lua_settable(L, 1);
    return 1;
  }
  if (push_behind_lock(L, 1)) return luaL_error(L, "a table of the API is read-only");
  if (is_refused_name(L, 2)) refuse(L, lua_tostring(L, 2));
  lua_pushglobaltable(L);
  if (lua_rawequal(L, 1, -1) && is_api_name(L, 2)) {
    return luaL_error(L, "the global '%s' belongs to the API", lua_tostring(L, 2));
  }
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 1;
}

}  // namespace perilune::lua
