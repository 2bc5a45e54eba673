// workflow{...}; see definition.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/definition.hpp"

#include <nlohmann/json.hpp>

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/definition_parts.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/gate.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {

using nlohmann::json;

namespace {

constexpr const char* k_definition = "perilune.workflow";  // the metatable's name in the registry
constexpr std::string_view k_keys[] = {"name",    "version",  "description", "input",     "output",
                                       "timeout", "on_error", "requires",    "preflight", "postflight", "run"};
constexpr std::string_view k_functions[] = {"run", "preflight", "postflight"};
// What counts from the run's first moment on.
constexpr const char* k_from_the_start[] = {"requires", "preflight", "postflight"};

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
  if (data.contains("requires")) definition.needs = read_requirements(data["requires"].dump());
  for (const char* side : {"input", "output"}) {
    if (!data.contains(side)) continue;
    auto schema = surroundings.schema(data[side].dump(), side);
    if (!schema.ok()) return schema.error();
    (side == std::string_view("input") ? definition.input : definition.output) = *schema;
  }
  return definition;
}

// The work part: nothing of Lua that raises.
std::unique_ptr<Error> declare(lua_State* L, int index, bool has_run, bool has_preflight,
                               ApiSurroundings& surroundings) noexcept {
  std::string text;
  Result<void> encoded = encode(L, index, text, "workflow");
  if (!encoded.ok()) return std::make_unique<Error>(std::move(encoded.error()));
  Result<engine::Definition> definition = read_definition(text, surroundings);
  if (!definition.ok()) return std::make_unique<Error>(std::move(definition.error()));
  lua_pushlstring(L, definition->name.data(), definition->name.size());
  definition->preflight_at_top = has_preflight && !has_run;
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

// Pushes the definition called `name` that the value at `index` is, or has in its list. False: there is none in it at all.
bool push_definition(lua_State* L, int index, const char* name) {
  index = lua_absindex(L, index);
  if (lua_type(L, index) != LUA_TTABLE) return false;
  luaL_checkstack(L, 6, "workflow");
  if (is_definition(L, index)) {
    lua_pushvalue(L, index);
    return true;
  }
  lua_rawgeti(L, index, 1);
  bool list = is_definition(L, -1);
  lua_pop(L, 1);
  if (!list) return false;
  for (int i = 1; lua_rawgeti(L, index, i) == LUA_TTABLE; ++i) {
    if (is_definition(L, -1)) {
      lua_getfield(L, -1, "name");
      bool found = std::string_view(lua_tostring(L, -1)) == name;
      lua_pop(L, 1);
      if (found) return true;
    }
    lua_pop(L, 1);
  }
  raise_usage(L, code::k_not_found, "the file defines no workflow '%s' any more", name);
}

// Copies what is data to a table that it pushes.
void push_data(lua_State* L, bool& has_run, bool& has_preflight) {
  lua_newtable(L);
  int data = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, 1) != 0) {   // data, key, value; the keys are known to be strings
    std::string_view name = lua_tostring(L, data + 1);
    bool is_function = false;
    for (std::string_view one : k_functions) is_function = is_function || one == name;
    if (is_function && lua_type(L, data + 2) != LUA_TFUNCTION)
      raise_usage(L, code::k_usage, "workflow: %s must be a function", name.data());
    has_run = has_run || name == "run";
    has_preflight = has_preflight || name == "preflight";
    if (!is_function) {
      lua_pushvalue(L, data + 1);
      if (name == "requires") push_requirements(L, data + 2);
      else lua_pushvalue(L, data + 2);
      lua_rawset(L, data);
    }
    lua_settop(L, data + 1);
  }
}

int preflight_held(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return push_outcome(L, task, outcome);   // raises
  lua_settop(L, 1);
  return 1;
}

// In a running script, a workflow{...} without a run that has its name: it may be what the script says of itself.
int declared_itself(lua_State* L, LuaScript& script) {
  bool early = script.current() != nullptr && script.current()->task().id == "0" && script.current()->task().ops == 0;
  for (const char* key : k_from_the_start) {
    if (!early && lua_getfield(L, 1, key) != LUA_TNIL)
      raise_usage(L, code::k_usage, "workflow: `%s` counts from the beginning on: a script says it before its first durable call",
                  key);
    lua_settop(L, 1);
  }
  if (!early) return 1;
  bool postflight = lua_getfield(L, 1, "postflight") == LUA_TFUNCTION;
  if (postflight) script.set_postflight(luaL_ref(L, LUA_REGISTRYINDEX));
  lua_settop(L, 1);
  if (!script.context().facts().preflight_at_top || lua_getfield(L, 1, "preflight") != LUA_TFUNCTION) {
    lua_settop(L, 1);
    return 1;
  }
  enter(L, "workflow", Place::body);
  bool ready = begin_preflight(script, luaL_ref(L, LUA_REGISTRYINDEX), preflight_held);
  return await(L, ready);
}

}  // namespace

int l_workflow(lua_State* L) {
  luaL_checkstack(L, 12, "workflow");
  if (lua_type(L, 1) != LUA_TTABLE)
    raise_usage(L, code::k_usage, "workflow: give it a table, as in workflow { name = \"order\" }");
  lua_settop(L, 1);
  Options(L, 1, "workflow", k_keys);
  bool has_run = false, has_preflight = false;
  push_data(L, has_run, has_preflight);  // 2
  lua_settop(L, 2);
  std::unique_ptr<Error> error = declare(L, 2, has_run, has_preflight, surroundings_of(L));  // pushes the name
  if (error != nullptr) {
    Error raised = std::move(*error);
    error.reset();
    raise(L, std::move(raised));
  }
  LuaScript* script = surroundings_of(L).live();
  bool itself = script != nullptr && !has_run && script->workflow() == lua_tostring(L, -1);
  lua_setfield(L, 1, "name");
  luaL_newmetatable(L, k_definition);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return itself ? declared_itself(L, *script) : 1;
}

bool push_workflow_run(lua_State* L, int index, const char* name) {
  if (!push_definition(L, index, name)) return false;
  lua_getfield(L, -1, "run");
  if (lua_type(L, -1) != LUA_TFUNCTION)
    raise_usage(L, code::k_usage, "workflow '%s' has no run function: add function %s.run(input) ... end", name, name);
  lua_remove(L, -2);
  return true;
}

void push_workflow_gates(lua_State* L, int index, const char* name) {
  push_definition(L, index, name);
  int definition = lua_gettop(L);
  for (const char* gate : {"preflight", "postflight"})
    if (int type = lua_getfield(L, definition, gate); type != LUA_TFUNCTION && type != LUA_TNIL)
      raise_usage(L, code::k_usage, "workflow '%s': %s must be a function, not a %s", name, gate, lua_typename(L, type));
  lua_remove(L, definition);
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
