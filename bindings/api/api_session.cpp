// session: values shared by the runs that were started with one --session NAME, under `session.key`, and what became of those
// runs: session:history() session:errors(). Reads are recorded, writes are exactly once: each is a call on values under keys.
// SPDX-License-Identifier: MIT
#include "bindings/api/key_call.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using flow::KeyCall;
using lua::LuaScript;

namespace {

constexpr const char* k_type = "session";

LuaScript& enter_session(lua_State* L, const char* call) {
  LuaScript& script = lua::enter(L, call, lua::Place::body);
  if (script.context().row().session.empty())
    lua::raise_usage(L, code::k_usage, "session: this run has none; start it with --session NAME");
  return script;
}

// The space of the session's values: no namespace of a script begins with a dot. On the stack, where it outlives the call.
std::string_view push_space(lua_State* L, LuaScript& script) {
  lua_pushfstring(L, ".session/%s", script.context().row().session.c_str());
  return lua_tostring(L, -1);
}

int l_runs(lua_State* L, KeyCall::Act act, const char* name) {
  LuaScript& script = enter_session(L, name);
  KeyArguments arguments{.act = act, .name = name, .space = script.context().row().session, .key = ""};
  return begin_key_call(L, script, arguments);
}

int l_history(lua_State* L) { return l_runs(L, KeyCall::Act::runs, "session:history"); }
int l_errors(lua_State* L) { return l_runs(L, KeyCall::Act::errors, "session:errors"); }

// session:cas(key, old, new)
int l_cas(lua_State* L) {
  LuaScript& script = enter_session(L, "session:cas");
  lua_settop(L, 4);
  KeyArguments arguments{.act = KeyCall::Act::cas, .name = "session:cas", .space = push_space(L, script), .key = check_key(L, 2, "session:cas")};
  arguments.old = 3;
  arguments.value = 4;
  return begin_key_call(L, script, arguments);
}

constexpr luaL_Reg k_methods[] = {{"history", l_history}, {"errors", l_errors}, {"cas", l_cas}, {nullptr, nullptr}};

int l_index(lua_State* L) {
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  LuaScript& script = enter_session(L, "session");
  KeyArguments arguments{.act = KeyCall::Act::get, .name = "session.get", .space = push_space(L, script), .key = check_key(L, 2, "session")};
  return begin_key_call(L, script, arguments);
}

int l_newindex(lua_State* L) {
  LuaScript& script = enter_session(L, "session");
  lua_settop(L, 3);
  std::string_view key = check_key(L, 2, "session");
  for (const luaL_Reg* method = k_methods; method->name != nullptr; ++method)
    if (key == method->name) lua::raise_usage(L, code::k_usage, "session: '%s' is a function of it", method->name);
  const bool remove = lua_isnil(L, 3) || lua::is_null(L, 3);
  KeyArguments arguments{.act = remove ? KeyCall::Act::remove : KeyCall::Act::set, .name = remove ? "session.delete" : "session.set",
                         .space = push_space(L, script), .key = key};
  if (!remove) arguments.value = 3;
  return begin_key_call(L, script, arguments);
}

}  // namespace

int open_session(lua_State* L) {
  lua_createtable(L, 0, 0);
  if (luaL_newmetatable(L, k_type) != 0) {
    lua_createtable(L, 0, 3);
    luaL_setfuncs(L, k_methods, 0);
    lua_pushcclosure(L, l_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
  return 1;
}

}  // namespace perilune::api
