// Reading of parts of workflow{...}; see definition_parts.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/definition_parts.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "bindings/lua/arguments.hpp"
#include "runtime/base/nearest.hpp"

namespace perilune::lua {

using nlohmann::json;

namespace {

constexpr std::string_view k_kinds[] = {"commands", "env", "files", "services", "secrets"};

void unknown_kind(lua_State* L, const char* name) {
  char text[300];
  [&]() noexcept {
    std::string message = unknown_name("key", name, "requires", k_kinds);
    std::snprintf(text, sizeof text, "%s", message.c_str());
  }();
  raise_usage(L, code::k_usage, "workflow: %s", text);
}

void check_name(lua_State* L, int index, const char* kind) {
  if (lua_type(L, index) != LUA_TSTRING || lua_rawlen(L, index) == 0)
    raise_usage(L, code::k_usage, "workflow: requires.%s must be a list of names, and there is a %s in it", kind,
                luaL_typename(L, index));
}

// Appends what is at `from` (a name or a list of names) to the list at `to`.
void append_names(lua_State* L, int from, int to, const char* kind) {
  if (lua_type(L, from) != LUA_TTABLE) {
    check_name(L, from, kind);
    lua_pushvalue(L, from);
    lua_rawseti(L, to, static_cast<lua_Integer>(lua_rawlen(L, to)) + 1);
    return;
  }
  lua_Integer length = static_cast<lua_Integer>(lua_rawlen(L, from));
  lua_pushnil(L);
  while (lua_next(L, from) != 0) {
    lua_pop(L, 1);
    if (lua_isinteger(L, -1) == 0 || lua_tointeger(L, -1) < 1 || lua_tointeger(L, -1) > length)
      raise_usage(L, code::k_usage, "workflow: requires.%s must be a list of names, as in { \"a\", \"b\" }", kind);
  }
  for (lua_Integer i = 1; i <= length; ++i) {
    lua_rawgeti(L, from, i);
    check_name(L, -1, kind);
    lua_rawseti(L, to, static_cast<lua_Integer>(lua_rawlen(L, to)) + 1);
  }
}

// Pushes the list under `name` of the table at `index`, made at its first use.
void push_list(lua_State* L, int index, const char* name) {
  if (lua_getfield(L, index, name) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, index, name);
}

}  // namespace

void push_requirements(lua_State* L, int index) {
  luaL_checkstack(L, 10, "workflow");
  index = lua_absindex(L, index);
  lua_newtable(L);
  int out = lua_gettop(L);
  if (lua_type(L, index) == LUA_TSTRING) {
    push_list(L, out, "commands");
    append_names(L, index, out + 1, "commands");
    lua_settop(L, out);
    return;
  }
  if (lua_type(L, index) != LUA_TTABLE)
    raise_usage(L, code::k_usage, "workflow: requires must be a table such as { commands = { \"git\" }, env = { \"HOME\" } }, not a %s",
                luaL_typename(L, index));
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {   // out, key, value
    const char* kind = "commands";
    if (lua_type(L, out + 1) == LUA_TSTRING) {
      kind = nullptr;
      for (std::string_view known : k_kinds)
        if (known == lua_tostring(L, out + 1)) kind = known.data();
      if (kind == nullptr) unknown_kind(L, lua_tostring(L, out + 1));
    } else if (lua_type(L, out + 2) == LUA_TTABLE) {
      raise_usage(L, code::k_usage, "workflow: requires.commands must be a list of names, and there is a table in it");
    }
    push_list(L, out, kind);
    append_names(L, out + 2, out + 3, kind);
    lua_settop(L, out + 1);
  }
}

engine::Requirements read_requirements(const std::string& text) {
  json data = json::parse(text, nullptr, false);
  engine::Requirements needs;
  auto take = [&data](const char* kind, std::vector<std::string>& into) {
    if (auto found = data.find(kind); found != data.end() && found->is_array())
      for (const json& name : *found)
        if (name.is_string()) into.push_back(name.get<std::string>());
  };
  take("commands", needs.commands);
  take("env", needs.env);
  take("files", needs.files);
  take("services", needs.services);
  take("secrets", needs.secrets);
  return needs;
}

}  // namespace perilune::lua
