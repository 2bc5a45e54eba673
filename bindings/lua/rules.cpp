// See rules.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/rules.hpp"

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/sandbox.hpp"
#include "runtime/flow/gate.hpp"

namespace perilune::lua {

namespace {

constexpr int k_arguments = 4;   // of rule()

[[noreturn]] void wrong_rule(lua_State* L, lua_Integer number, const char* what) {
  raise_usage(L, code::k_usage,
              "workflow: rules[%d] %s: a rule is { \"name\", { on = \"step.before\" }, function(e) ... end, \"what is wrong\" }",
              static_cast<int>(number), what);
}

std::string_view text_of(lua_State* L, int index) noexcept {
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  return text == nullptr ? std::string_view() : std::string_view(text, length);
}

// Stack: the module's entries. Appends to the vector at the light userdata.
int l_read_tallies(lua_State* L) {
  auto* records = static_cast<std::vector<journal::Record>*>(lua_touserdata(L, 1));
  lua_rawgetp(L, LUA_REGISTRYINDEX, modules_key());
  if (lua_type(L, -1) != LUA_TTABLE || lua_getfield(L, -1, k_rules_module) != LUA_TTABLE) return 0;
  if (lua_getfield(L, -1, "entries") != LUA_TTABLE) return 0;
  int entries = lua_gettop(L);
  for (lua_Integer i = 1; lua_rawgeti(L, entries, i) == LUA_TTABLE; ++i) {
    int entry = lua_gettop(L);
    lua_getfield(L, entry, "name");
    lua_getfield(L, entry, "checked");
    lua_getfield(L, entry, "broken");
    lua_getfield(L, entry, "said");
    [&]() noexcept {
      records->push_back(flow::rule_tally(std::string(text_of(L, entry + 1)), lua_tointeger(L, entry + 2),
                                          lua_tointeger(L, entry + 3), std::string(text_of(L, entry + 4))));
    }();
    lua_settop(L, entries);
  }
  return 0;
}

}  // namespace

void push_rules_function(lua_State* L, const char* name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, modules_key());
  lua_getfield(L, -1, k_rules_module);
  lua_getfield(L, -1, name);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

void push_rule_facts(lua_State* L, int index) {
  luaL_checkstack(L, 12, "workflow");
  index = lua_absindex(L, index);
  if (lua_type(L, index) != LUA_TTABLE)
    raise_usage(L, code::k_usage, "workflow: rules must be a list of rules, not a %s", luaL_typename(L, index));
  lua_newtable(L);
  int out = lua_gettop(L);
  lua_Integer length = static_cast<lua_Integer>(lua_rawlen(L, index));
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {
    lua_pop(L, 1);
    if (lua_isinteger(L, -1) == 0 || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > length)
      raise_usage(L, code::k_usage, "workflow: rules must be a list, as in rules = { { \"name\", { on = .. }, fn, \"message\" } }");
  }
  for (lua_Integer i = 1; i <= length; ++i) {
    if (lua_rawgeti(L, index, i) != LUA_TTABLE) wrong_rule(L, i, "is no table");
    int rule = lua_gettop(L);
    if (lua_rawlen(L, rule) != k_arguments) wrong_rule(L, i, "has not four parts");
    lua_newtable(L);
    if (lua_rawgeti(L, rule, 1) != LUA_TSTRING) wrong_rule(L, i, "has no name");
    lua_setfield(L, rule + 1, "name");
    if (lua_rawgeti(L, rule, 2) != LUA_TTABLE) wrong_rule(L, i, "has no options");
    for (const char* name : {"on", "step"})
      if (lua_getfield(L, rule + 2, name) == LUA_TSTRING) lua_setfield(L, rule + 1, name);
      else lua_pop(L, 1);
    lua_settop(L, rule + 1);
    if (lua_rawgeti(L, rule, 3) != LUA_TFUNCTION) wrong_rule(L, i, "has no check");
    if (lua_rawgeti(L, rule, 4) != LUA_TSTRING) wrong_rule(L, i, "has no message");
    lua_setfield(L, rule + 1, "message");
    lua_pushvalue(L, rule + 1);
    lua_rawseti(L, out, i);
    lua_settop(L, out);
  }
}

void register_rules(lua_State* L, int index) {
  luaL_checkstack(L, 10, "workflow");
  index = lua_absindex(L, index);
  if (lua_isnil(L, index)) return;
  push_rule_facts(L, index);   // the table may have been filled since workflow{} looked at it
  lua_pop(L, 1);
  for (lua_Integer i = 1; lua_rawgeti(L, index, i) == LUA_TTABLE; ++i) {
    int rule = lua_gettop(L);
    lua_getglobal(L, "rule");
    for (int part = 1; part <= k_arguments; ++part) lua_rawgeti(L, rule, part);
    lua_call(L, k_arguments, 0);
    lua_settop(L, rule - 1);
  }
  lua_pop(L, 1);
}

std::vector<journal::Record> rule_tallies(LuaScript& script) noexcept {
  std::vector<journal::Record> records;
  lua_State* L = script.L();
  if (script.state().killed() || lua_checkstack(L, 4) == 0) return records;
  lua_pushcfunction(L, l_read_tallies);
  lua_pushlightuserdata(L, &records);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);   // no memory for a key: the report does without
  return records;
}

}  // namespace perilune::lua
