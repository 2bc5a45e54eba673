// What hooks return: skip(result) replace{input=} deny(reason) delay(duration) redirect(workflow) retry{after=, input=}
// resolve(result) suppress(value) escalate(). Each is a small table that hooks/decision.hpp can read; what is allowed where
// stands in the table of points.
// SPDX-License-Identifier: MIT
#include "bindings/api/hooked.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"

namespace perilune::api {

using lua::Options;

namespace {

// A table {result = name}, on top of the stack.
void new_reply(lua_State* L, const char* name) {
  lua_createtable(L, 0, 3);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "result");
  if (luaL_newmetatable(L, k_reply_type) != 0) {
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

int with_value(lua_State* L, const char* name) {
  lua_settop(L, 1);
  new_reply(L, name);
  lua_pushvalue(L, 1);
  lua_setfield(L, 2, "value");
  return 1;
}

int with_text(lua_State* L, const char* name, const char* what, bool needed) {
  lua_settop(L, 1);
  std::string_view text = lua_isnil(L, 1) && !needed ? "" : lua::check_text(L, 1, name, what);
  if (needed && text.empty()) lua::raise_usage(L, code::k_usage, "%s: the %s must not be empty", name, what);
  new_reply(L, name);
  lua_pushlstring(L, text.data(), text.size());
  lua_setfield(L, 2, "text");
  return 1;
}

void set_delay(lua_State* L, int64_t us) {
  lua_pushinteger(L, us);
  lua_setfield(L, -2, "delay_us");
}

int l_skip(lua_State* L) { return with_value(L, "skip"); }
int l_resolve(lua_State* L) { return with_value(L, "resolve"); }
int l_suppress(lua_State* L) { return with_value(L, "suppress"); }
int l_deny(lua_State* L) { return with_text(L, "deny", "reason", false); }
int l_redirect(lua_State* L) { return with_text(L, "redirect", "workflow", true); }

int l_delay(lua_State* L) {
  int64_t us = lua::check_duration_us(L, 1, "delay");
  new_reply(L, "delay");
  set_delay(L, us);
  return 1;
}

int l_replace(lua_State* L) {
  static constexpr std::string_view k_keys[] = {"input", "value", "error"};
  lua_settop(L, 1);
  Options options(L, 1, "replace", k_keys);
  new_reply(L, "replace");
  int given = 0;
  for (const char* key : {"input", "value", "error"}) {
    given += options.push(key) != LUA_TNIL;
    lua_setfield(L, 2, key);
  }
  if (given != 1)
    lua::raise_usage(L, code::k_usage, "replace: say what, as in replace { input = x }: one of input, value, error");
  return 1;
}

int l_retry(lua_State* L) {
  static constexpr std::string_view k_keys[] = {"after", "input"};
  lua_settop(L, 1);
  Options options(L, 1, "retry", k_keys);
  int64_t us = options.duration_us("after", 0);
  new_reply(L, "retry");
  set_delay(L, us);
  options.push("input");
  lua_setfield(L, 2, "input");
  return 1;
}

int l_escalate(lua_State* L) {
  new_reply(L, "escalate");
  return 1;
}

int open_function(lua_State* L, lua_CFunction function) {
  lua_pushcfunction(L, function);
  return 1;
}

}  // namespace

int open_skip(lua_State* L) { return open_function(L, l_skip); }
int open_replace(lua_State* L) { return open_function(L, l_replace); }
int open_deny(lua_State* L) { return open_function(L, l_deny); }
int open_delay(lua_State* L) { return open_function(L, l_delay); }
int open_redirect(lua_State* L) { return open_function(L, l_redirect); }
int open_retry(lua_State* L) { return open_function(L, l_retry); }
int open_resolve(lua_State* L) { return open_function(L, l_resolve); }
int open_suppress(lua_State* L) { return open_function(L, l_suppress); }
int open_escalate(lua_State* L) { return open_function(L, l_escalate); }

}  // namespace perilune::api
