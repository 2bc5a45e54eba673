// See migration.hpp. The steps are plain Lua: nothing runs in that state but them.
// SPDX-License-Identifier: MIT
#include "bindings/lua/migration.hpp"

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/script.hpp"

namespace perilune::lua {

namespace {

// The steps are at `steps`; raises if one of them is none.
void check_steps(lua_State* L, int steps, lua_Integer version) {
  if (!lua_istable(L, steps))
    raise_usage(L, code::k_usage, "workflow: migrate is a table, as in { [2] = function(state) ... end }");
  for (lua_pushnil(L); lua_next(L, steps) != 0; lua_pop(L, 1)) {
    if (!lua_isinteger(L, -2) || lua_tointeger(L, -2) < 2 || !lua_isfunction(L, -1))
      raise_usage(L, code::k_usage, "workflow: migrate has functions under the versions to which they bring a state, from 2");
    if (lua_tointeger(L, -2) > version)
      raise_usage(L, code::k_usage, "workflow: migrate has a step to version %lld, but the workflow's version is %lld",
                  static_cast<long long>(lua_tointeger(L, -2)), static_cast<long long>(version));
  }
}

void keep_result(lua_State* L, int index, Migration& migration) noexcept {
  std::string text;
  Result<void> encoded = encode(L, index, text, "state");
  if (!encoded.ok()) migration.error = std::make_unique<Error>(std::move(encoded.error()));
  else if (text[0] != '{')
    migration.error = std::make_unique<Error>(code::k_validation, "state: a migration gives a table with names, as state is");
  else migration.state = std::move(text);
}

// Stack: 1 the migration, 2 the steps, 3 the state.
int l_migrate(lua_State* L) {
  Migration& migration = *static_cast<Migration*>(lua_touserdata(L, 1));
  push_json(L, migration.state);
  for (int64_t version = migration.from + 1; version <= migration.to; ++version) {
    if (lua_rawgeti(L, 2, version) == LUA_TFUNCTION) {
      lua_pushvalue(L, 3);
      lua_call(L, 1, 1);
      if (!lua_isnil(L, 4)) lua_replace(L, 3);   // else it has changed what it was given
    }
    lua_settop(L, 3);
  }
  keep_result(L, 3, migration);
  return 0;
}

void keep_error(lua_State* L, Migration& migration) noexcept {
  migration.error = std::make_unique<Error>(error_from_value(L, -1, code::k_script));
}

void migrate(lua_State* L, int steps, Migration& migration) {
  luaL_checkstack(L, 8, "migrate");
  lua_pushcfunction(L, l_migrate);
  lua_pushlightuserdata(L, &migration);
  lua_pushvalue(L, steps);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    keep_error(L, migration);
    lua_pop(L, 1);
  }
}

Migration* wanted(lua_State* L, int name) noexcept {
  Migration* migration = surroundings_of(L).migration();
  return migration != nullptr && migration->workflow == lua_tostring(L, name) ? migration : nullptr;
}

}  // namespace

void read_migrations(lua_State* L, int index) {
  luaL_checkstack(L, 8, "workflow");
  const int name = lua_gettop(L);
  lua_Integer version = 1;
  if (lua_getfield(L, index, "version") == LUA_TNUMBER) version = lua_tointeger(L, -1);
  if (lua_getfield(L, index, "migrate") != LUA_TNIL) {
    check_steps(L, name + 2, version);
    if (Migration* migration = wanted(L, name)) migrate(L, name + 2, *migration);
  }
  lua_settop(L, name);
}

}  // namespace perilune::lua
