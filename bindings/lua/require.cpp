// require: a module is found by the Surroundings, compiled as text and run once per state, also when it awaits while it
// loads. A second require of a module that is still loading is an error: a cycle names its chain.
//
// A loading begins with an entry in the registry (name -> coroutine) and ends when require's frame is left in whatever
// way: the entry is removed by a to-be-closed value, so that a module that failed can be required again.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"

namespace perilune::lua {
namespace {

// Finds and compiles a module: pushes its chunk, or sets Hidden::raised to why not.
bool push_module(lua_State* L, const char* name) noexcept {
  State& state = State::of(L);
  Result<Module> found = state.surroundings().find_module(name);
  if (!found) {
    state.hidden().raised = std::make_unique<Error>(std::move(found.error()));
    return false;
  }
  Result<void> loaded = load_text(L, found->source, found->chunk_name.c_str());
  if (!loaded) state.hidden().raised = std::make_unique<Error>(std::move(loaded.error()));
  return loaded.ok();
}

void begin_loading(State& state, const char* name) noexcept { state.hidden().loading.emplace_back(name); }

void end_loading(State& state, const char* name) noexcept {
  std::vector<std::string>& loading = state.hidden().loading;
  loading.erase(std::remove(loading.begin(), loading.end(), name), loading.end());
}

// "a -> b -> a", in State::scratch().
void describe_cycle(State& state, const char* name) noexcept {
  std::string& chain = state.scratch();
  chain.clear();
  const std::vector<std::string>& loading = state.hidden().loading;
  for (auto at = std::find(loading.begin(), loading.end(), name); at != loading.end(); ++at) chain += *at + " -> ";
  chain += name;
}

// __close of the entry: a table with the module's name at 1.
int l_end_loading(lua_State* L) {
  lua_rawgeti(L, 1, 1);
  const char* name = lua_tostring(L, -1);
  end_loading(State::of(L), name);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_loading);
  lua_pushvalue(L, -2);
  lua_pushnil(L);
  lua_rawset(L, -3);
  return 0;
}

void push_closer(lua_State* L, int name) {
  lua_createtable(L, 1, 0);
  lua_pushvalue(L, name);
  lua_rawseti(L, -2, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_closer_metatable) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, l_end_loading);
    lua_setfield(L, -2, "__close");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry::k_closer_metatable);
  }
  lua_setmetatable(L, -2);
}

// Raises when the module is being loaded: by this coroutine (a cycle) or by another one. A coroutine that died in the
// middle of a loading does not count.
void refuse_while_loading(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_loading);
  lua_pushvalue(L, 1);
  lua_rawget(L, -2);
  lua_State* loader = lua_tothread(L, -1);
  lua_pop(L, 2);
  if (loader == nullptr) return;
  const char* name = lua_tostring(L, 1);
  if (lua_status(loader) != LUA_OK && lua_status(loader) != LUA_YIELD) {
    end_loading(State::of(L), name);
    return;
  }
  describe_cycle(State::of(L), name);
  luaL_error(L, loader == L ? "module '%s' is still loading: %s" : "module '%s' is still loading in another task: %s",
             name, State::of(L).scratch().c_str());
}

void note_loading(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_loading);
  lua_pushvalue(L, 1);
  lua_pushthread(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  begin_loading(State::of(L), lua_tostring(L, 1));
}

// Stack: name, closer, what the module returned.
int finish_require(lua_State* L, int, lua_KContext) {
  if (lua_isnil(L, 3)) {
    lua_pushboolean(L, 1);
    lua_replace(L, 3);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_modules);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_rawset(L, -3);
  lua_pop(L, 1);
  return 1;
}

// require "perilune": the API, as a table of its own.
int push_api(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_api);
  push_locked(L);
  return finish_require(L, LUA_OK, 0);
}

[[noreturn]] void raise_failure(lua_State* L) {
  push_error(L, *State::of(L).hidden().raised);
  lua_error(L);
  std::abort();  // lua_error does not return
}

}  // namespace

int l_require(lua_State* L) {
  const char* name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_modules);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, -2) != LUA_TNIL) return 1;
  lua_settop(L, 1);
  refuse_while_loading(L);
  if (std::string_view(name) == "perilune") {
    lua_pushnil(L);
    return push_api(L);
  }
  if (!push_module(L, name)) raise_failure(L);
  push_closer(L, 1);
  lua_insert(L, 2);
  note_loading(L);
  lua_toclose(L, 2);
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 1, 0, finish_require);
  return finish_require(L, LUA_OK, 0);
}

}  // namespace perilune::lua
