// answer(name, fn): a query that others may ask of the run. fn(input) is plain Lua: it reads what the script has, and waits for
// nothing. It is asked of a copy of the run (engine/replayed_run.hpp), so nothing that it does changes the run.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/state_hidden.hpp"

namespace perilune::api {

namespace {

int l_answer(lua_State* L) {
  lua::enter_now(L, "answer", lua::Place::body);
  std::string_view name = lua::check_text(L, 1, "answer", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "answer: the name must not be empty");
  lua::check_function(L, 2, "answer", "second argument");
  lua_settop(L, 2);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lua::registry::k_answers) != LUA_TTABLE) {
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &lua::registry::k_answers);
  }
  lua_insert(L, 1);
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 0;
}

}  // namespace

int open_answer(lua_State* L) {
  lua_pushcfunction(L, l_answer);
  return 1;
}

}  // namespace perilune::api
