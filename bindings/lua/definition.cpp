// workflow{...}; see definition.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/definition.hpp"

#include <nlohmann/json.hpp>

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {

using nlohmann::json;

namespace {

constexpr const char* k_definition = "perilune.workflow";  // the metatable's name in the registry
constexpr std::string_view k_keys[] = {"name",   "version", "description", "input",
                                       "output", "timeout", "on_error",    "run"};

Result<int64_t> timeout_of(const json& value) {
  if (value.is_number()) return duration_us_from_seconds(value.get<double>());
  if (value.is_string()) return parse_duration_us(value.get_ref<const std::string&>());
  return Error(code::k_usage, "a duration is a number of seconds or a text such as \"1h30m\"");
}

Result<engine::Definition> read_definition(const std::string& text, ApiSurroundings& surroundings) {
  json data = json::parse(text, nullptr, false);
  auto wrong = [](const std::string& what) { return Error(code::k_usage, "workflow: " + what); };
  engine::Definition definition;
  definition.name = surroundings.default_name();
  if (data.contains("name")) {
    if (!data["name"].is_string() || data["name"].get<std::string>().empty()) return wrong("name must be a text");
    definition.name = data["name"].get<std::string>();
  }
  if (data.contains("version")) {
    if (!data["version"].is_number_integer() || data["version"].get<int64_t>() < 1)
      return wrong("version must be an integer of at least 1");
    definition.version = data["version"].get<int64_t>();
  }
  if (data.contains("description")) {
    if (!data["description"].is_string()) return wrong("description must be a text");
    definition.description = data["description"].get<std::string>();
  }
  if (data.contains("timeout")) {
    Result<int64_t> timeout = timeout_of(data["timeout"]);
    if (!timeout.ok()) return wrong("timeout: " + timeout.error().message);
    definition.timeout_us = *timeout;
  }
  if (data.contains("on_error")) {
    if (data["on_error"] != "compensate" && data["on_error"] != "pause")
      return wrong("on_error must be \"compensate\" or \"pause\"");
    definition.pause_on_error = data["on_error"] == "pause";
  }
  for (const char* side : {"input", "output"}) {
    if (!data.contains(side)) continue;
    auto schema = surroundings.schema(data[side].dump(), side);
    if (!schema.ok()) return schema.error();
    (side == std::string_view("input") ? definition.input : definition.output) = *schema;
  }
  return definition;
}

// The work part: nothing of Lua that raises.
std::unique_ptr<Error> declare(lua_State* L, int index, bool has_run, ApiSurroundings& surroundings) noexcept {
  std::string text;
  Result<void> encoded = encode(L, index, text, "workflow");
  if (!encoded.ok()) return std::make_unique<Error>(std::move(encoded.error()));
  Result<engine::Definition> definition = read_definition(text, surroundings);
  if (!definition.ok()) return std::make_unique<Error>(std::move(definition.error()));
  lua_pushlstring(L, definition->name.data(), definition->name.size());
  surroundings.declared(std::move(*definition), has_run);
  return nullptr;
}

bool is_definition(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TTABLE || lua_getmetatable(L, index) == 0) return false;
  luaL_getmetatable(L, k_definition);
  bool is = lua_rawequal(L, -1, -2) != 0;
  lua_pop(L, 2);
  return is;
}

}  // namespace

int l_workflow(lua_State* L) {
  luaL_checkstack(L, 8, "workflow");
  if (lua_type(L, 1) != LUA_TTABLE)
    raise_usage(L, code::k_usage, "workflow: give it a table, as in workflow { name = \"order\" }");
  lua_settop(L, 1);
  Options(L, 1, "workflow", k_keys);
  lua_newtable(L);  // 2: its data, without `run`
  bool has_run = false;
  lua_pushnil(L);
  while (lua_next(L, 1) != 0) {
    lua_pushvalue(L, -2);
    bool is_run = std::string_view(lua_tostring(L, -1)) == "run";
    if (is_run && lua_type(L, -2) != LUA_TFUNCTION) raise_usage(L, code::k_usage, "workflow: run must be a function");
    has_run = has_run || is_run;
    if (is_run)
      lua_pop(L, 2);
    else
      lua_insert(L, -2), lua_rawset(L, 2);
  }
  std::unique_ptr<Error> error = declare(L, 2, has_run, surroundings_of(L));  // pushes the name
  if (error != nullptr) {
    Error raised = std::move(*error);
    error.reset();
    raise(L, std::move(raised));
  }
  lua_setfield(L, 1, "name");
  luaL_newmetatable(L, k_definition);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

bool push_workflow_run(lua_State* L, int index, const char* name) {
  index = lua_absindex(L, index);
  if (lua_type(L, index) != LUA_TTABLE) return false;
  luaL_checkstack(L, 6, "workflow");
  if (is_definition(L, index)) {
    lua_pushvalue(L, index);
  } else {
    lua_rawgeti(L, index, 1);
    bool list = is_definition(L, -1);
    lua_pop(L, 1);
    if (!list) return false;
    bool found = false;
    for (int i = 1; !found && lua_rawgeti(L, index, i) == LUA_TTABLE; ++i) {
      if (is_definition(L, -1)) {
        lua_getfield(L, -1, "name");
        found = std::string_view(lua_tostring(L, -1)) == name;
        lua_pop(L, 1);
      }
      if (!found) lua_pop(L, 1);
    }
    if (!found) raise_usage(L, code::k_not_found, "the file defines no workflow '%s' any more", name);
  }
  lua_getfield(L, -1, "run");
  if (lua_type(L, -1) != LUA_TFUNCTION)
    raise_usage(L, code::k_usage, "workflow '%s' has no run function: add function %s.run(input) ... end", name, name);
  lua_remove(L, -2);
  return true;
}

std::vector<std::string> defined_names(lua_State* L, int index) {
  std::vector<std::string> names;
  index = lua_absindex(L, index);
  if (lua_checkstack(L, 6) == 0) return names;
  auto take = [&] {
    lua_pushliteral(L, "name");
    lua_rawget(L, -2);
    if (const char* name = lua_tostring(L, -1)) names.emplace_back(name);
    lua_pop(L, 1);
  };
  if (is_definition(L, index)) {
    lua_pushvalue(L, index);
    take();
    lua_pop(L, 1);
  } else if (lua_type(L, index) == LUA_TTABLE) {
    for (int i = 1; lua_rawgeti(L, index, i) == LUA_TTABLE && is_definition(L, -1); ++i) {
      take();
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  return names;
}

}  // namespace perilune::lua
