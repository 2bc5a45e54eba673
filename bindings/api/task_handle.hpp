// Handles of spawned tasks (t:await, t:cancel, t.status) and of groups, as userdata that own their C++ side.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "bindings/lua/lua_task.hpp"
#include "runtime/flow/spawn.hpp"

namespace perilune::api {

// A userdata of `T` held by shared_ptr: made empty first (may raise), filled by work afterwards, released by __gc.
template <class T>
std::shared_ptr<T>& new_shared(lua_State* L, const char* type, int user_values) {
  void* memory = lua_newuserdatauv(L, sizeof(std::shared_ptr<T>), user_values);
  auto* pointer = new (memory) std::shared_ptr<T>();
  luaL_setmetatable(L, type);
  return *pointer;
}

template <class T>
int l_release_shared(lua_State* L) {
  static_cast<std::shared_ptr<T>*>(lua_touserdata(L, 1))->~shared_ptr<T>();
  return 0;
}

// The metatable of a type: methods by name through __index, a protected __metatable, and __gc.
template <class T>
void make_shared_type(lua_State* L, const char* type, const luaL_Reg* methods, lua_CFunction index) {
  if (luaL_newmetatable(L, type) != 0) {
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    if (index != nullptr) lua_pushcclosure(L, index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, l_release_shared<T>);
    lua_setfield(L, -2, "__gc");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "__name");
  }
  lua_pop(L, 1);
}

}  // namespace perilune::api
