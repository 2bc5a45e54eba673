// What Lua alone costs.
// SPDX-License-Identifier: MIT
#include "tests/bench/raw_limits.hpp"

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
}

namespace perilune::bench {
namespace {

int l_await(lua_State* L) { return lua_yield(L, lua_gettop(L)); }

double yield_s(int times) {
  lua_State* L = luaL_newstate();
  luaL_openlibs(L);
  lua_register(L, "await", l_await);
  lua_State* T = lua_newthread(L);
  if (luaL_loadstring(T, "local await = await; while true do await(1) end") != LUA_OK) fail(lua_tostring(T, -1));
  int count = 0;
  double began_s = seconds();
  for (int i = 0; i < times; ++i) {
    if (lua_resume(T, L, i == 0 ? 0 : count, &count) != LUA_YIELD) fail(lua_tostring(T, -1));
  }
  double took_s = seconds() - began_s;
  lua_close(L);
  return took_s / times;
}

double state_s(int times) {
  double began_s = seconds();
  for (int i = 0; i < times; ++i) {
    lua_State* L = luaL_newstate();
    luaL_openlibs(L);
    lua_close(L);
  }
  return (seconds() - began_s) / times;
}

double coroutine_s(int times) {
  lua_State* L = luaL_newstate();
  double began_s = seconds();
  for (int i = 0; i < times; ++i) {
    lua_newthread(L);
    lua_pop(L, 1);
  }
  double took_s = seconds() - began_s;
  lua_close(L);
  return took_s / times;
}

}  // namespace

LuaCosts lua_costs(int times) { return {yield_s(times * 100), state_s(times), coroutine_s(times * 100)}; }

}  // namespace perilune::bench
