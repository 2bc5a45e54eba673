// tostring: addresses differ from process to process, so objects get numbers in the order in which they are first
// shown. SPDX-License-Identifier: MIT
#include "bindings/lua/codec.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"

namespace perilune::lua {
namespace {

lua_Integer object_id(lua_State* L, int index) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_object_ids);
  lua_pushvalue(L, index);
  lua_rawget(L, -2);
  lua_Integer id = lua_tointeger(L, -1);
  lua_pop(L, 1);
  if (id == 0) {
    id = static_cast<lua_Integer>(State::of(L).surroundings().next_object_id());
    lua_pushvalue(L, index);
    lua_pushinteger(L, id);
    lua_rawset(L, -3);
  }
  lua_pop(L, 1);
  return id;
}

// The text of a value that has no __tostring.
void push_plain_text(lua_State* L, int index) {
  switch (lua_type(L, index)) {
    case LUA_TSTRING:
      lua_pushvalue(L, index);
      return;
    case LUA_TNUMBER:
      lua_pushvalue(L, index);
      lua_tolstring(L, -1, nullptr);
      return;
    case LUA_TBOOLEAN:
      lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
      return;
    case LUA_TNIL:
      lua_pushliteral(L, "nil");
      return;
    default:
      break;
  }
  if (is_null(L, index)) {
    lua_pushliteral(L, "null");
    return;
  }
  const int named = luaL_getmetafield(L, index, "__name");
  const char* kind = named == LUA_TSTRING ? lua_tostring(L, -1) : luaL_typename(L, index);
  lua_pushfstring(L, "%s: #%I", kind, object_id(L, index));
  if (named != LUA_TNIL) lua_remove(L, -2);
}

void check_is_string(lua_State* L) {
  if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
}

int continue_tostring(lua_State* L, int, lua_KContext) {
  check_is_string(L);
  return 1;
}

}  // namespace

void push_text(lua_State* L, int index) {
  index = lua_absindex(L, index);
  luaL_checkstack(L, 6, "tostring");
  if (luaL_getmetafield(L, index, "__tostring") == LUA_TNIL) return push_plain_text(L, index);
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
  check_is_string(L);
}

int l_tostring(lua_State* L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL) {
    push_plain_text(L, 1);
    return 1;
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 1, 0, continue_tostring);
  return continue_tostring(L, LUA_OK, 0);
}

}  // namespace perilune::lua
