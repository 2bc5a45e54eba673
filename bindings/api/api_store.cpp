// store: values under keys, shared by all runs: get set delete list cas, the same of a namespace, and migrate. What they do
// is in flow/key_value.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/key_call.hpp"
#include "bindings/api/plain_function.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "runtime/base/json_members.hpp"

namespace perilune::api {

using flow::KeyCall;
using lua::LuaScript;
using lua::Options;

namespace {

constexpr std::string_view k_write_options[] = {"ttl"};
constexpr std::string_view k_list_options[] = {"limit"};
constexpr int64_t k_listed_max = 10'000'000;
constexpr int64_t k_version_max = 1'000'000;

// Each function has its namespace as upvalue.
std::string_view space_of(lua_State* L) {
  size_t size = 0;
  const char* space = lua_tolstring(L, lua_upvalueindex(1), &size);
  return {space, size};
}

void read_ttl(lua_State* L, int index, KeyArguments& arguments) {
  Options options(L, index, arguments.name, k_write_options);
  arguments.ttl_us = options.duration_us("ttl", 0);
  if (options.has("ttl") && arguments.ttl_us <= 0) options.wrong("ttl", "longer than nothing");
}

void check_value(lua_State* L, int index, const char* call) {
  if (lua_isnil(L, index) || lua::is_null(L, index))
    lua::raise_usage(L, code::k_usage, "%s: there is no value to keep: store.delete removes a key", call);
}

int l_get(lua_State* L) {
  LuaScript& script = lua::enter(L, "store.get", lua::Place::body);
  KeyArguments arguments{.act = KeyCall::Act::get, .name = "store.get", .space = space_of(L), .key = check_key(L, 1, "store.get")};
  return begin_key_call(L, script, arguments);
}

int l_set(lua_State* L) {
  LuaScript& script = lua::enter(L, "store.set", lua::Place::body);
  lua_settop(L, 3);
  KeyArguments arguments{.act = KeyCall::Act::set, .name = "store.set", .space = space_of(L), .key = check_key(L, 1, "store.set")};
  arguments.value = 2;
  check_value(L, 2, "store.set");
  read_ttl(L, 3, arguments);
  return begin_key_call(L, script, arguments);
}

int l_delete(lua_State* L) {
  LuaScript& script = lua::enter(L, "store.delete", lua::Place::body);
  KeyArguments arguments{
      .act = KeyCall::Act::remove, .name = "store.delete", .space = space_of(L), .key = check_key(L, 1, "store.delete")};
  return begin_key_call(L, script, arguments);
}

// list([prefix], [options])
int l_list(lua_State* L) {
  LuaScript& script = lua::enter(L, "store.list", lua::Place::body);
  if (lua_istable(L, 1)) {
    lua_pushnil(L);
    lua_insert(L, 1);
  }
  lua_settop(L, 2);
  KeyArguments arguments{.act = KeyCall::Act::list, .name = "store.list", .space = space_of(L), .key = ""};
  if (!lua_isnil(L, 1)) arguments.key = lua::check_text(L, 1, "store.list", "prefix");
  arguments.limit = Options(L, 2, "store.list", k_list_options).integer("limit", 0, 1, k_listed_max);
  return begin_key_call(L, script, arguments);
}

// cas(key, old, new, [options]): nil stands for no value.
int l_cas(lua_State* L) {
  LuaScript& script = lua::enter(L, "store.cas", lua::Place::body);
  lua_settop(L, 4);
  KeyArguments arguments{.act = KeyCall::Act::cas, .name = "store.cas", .space = space_of(L), .key = check_key(L, 1, "store.cas")};
  arguments.old = 2;
  arguments.value = 3;
  read_ttl(L, 4, arguments);
  return begin_key_call(L, script, arguments);
}

void check_space(lua_State* L, int index, const char* call) {
  std::string_view name = lua::check_text(L, index, call, "namespace");
  if (name.empty() || name.front() == '.' || name.size() > 200)
    lua::raise_usage(L, code::k_usage, "%s: a namespace has a name of up to 200 bytes that does not begin with a dot", call);
}

constexpr luaL_Reg k_functions[] = {
    {"get", l_get}, {"set", l_set}, {"delete", l_delete}, {"list", l_list}, {"cas", l_cas}, {nullptr, nullptr}};

int l_namespace(lua_State* L) {
  lua::enter_now(L, "store.namespace");
  check_space(L, 1, "store.namespace");
  lua_settop(L, 1);
  lua_createtable(L, 0, 5);
  lua_insert(L, 1);
  luaL_setfuncs(L, k_functions, 1);
  lua::push_locked(L);
  return 1;
}

// ---- migrate(namespace, { [2] = function(value, key) ... end, ... })

struct Steps {
  int refs[64];
  int64_t versions[64];
  int count = 0;
};

// References last: nothing raises between them and their owner.
void read_steps(lua_State* L, Steps& steps) {
  if (!lua_istable(L, 2))
    lua::raise_usage(L, code::k_usage, "store.migrate: the steps are a table, as in { [2] = function(value, key) ... end }");
  for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1)) {
    const bool version = lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 2 && lua_tointeger(L, -2) <= k_version_max;
    if (!version || !lua_isfunction(L, -1))
      lua::raise_usage(L, code::k_usage, "store.migrate: a step is a function under the version to which it brings a value, from 2");
    if (steps.count == 64) lua::raise_usage(L, code::k_usage, "store.migrate: at most 64 steps");
    steps.versions[steps.count++] = lua_tointeger(L, -2);
  }
  if (steps.count == 0) lua::raise_usage(L, code::k_usage, "store.migrate: there is no step");
  for (int i = 0; i < steps.count; ++i) {
    lua_rawgeti(L, 2, steps.versions[i]);
    steps.refs[i] = luaL_ref(L, LUA_REGISTRYINDEX);
  }
}

bool begin_migrate(LuaScript& script, std::string_view space, const Steps& steps) noexcept {
  KeyCall call;
  call.act = KeyCall::Act::migrate;
  call.name = "store.migrate";
  call.space = call.key = space;
  std::map<int64_t, std::shared_ptr<const PlainFunction>> functions;
  for (int i = 0; i < steps.count; ++i) {
    functions[steps.versions[i]] = std::make_shared<const PlainFunction>(script, steps.refs[i]);
    call.steps.push_back(steps.versions[i]);
    call.version = std::max(call.version, steps.versions[i]);
  }
  call.step = [functions = std::move(functions)](int64_t version, const std::string& key, const std::string& value) {
    const std::string name = json_string(key);
    return functions.at(version)->call({&value, &name}, "what migrate gave for '" + key + "'");
  };
  return begin_key_operation(script, std::move(call));
}

int l_migrate(lua_State* L) {
  LuaScript& script = lua::enter(L, "store.migrate", lua::Place::body);
  lua_settop(L, 2);
  check_space(L, 1, "store.migrate");
  size_t size = 0;
  const char* space = lua_tolstring(L, 1, &size);
  Steps steps;
  read_steps(L, steps);
  return lua::await(L, begin_migrate(script, {space, size}, steps));
}

}  // namespace

int open_store(lua_State* L) {
  lua_createtable(L, 0, 7);
  lua_pushliteral(L, "");
  luaL_setfuncs(L, k_functions, 1);
  lua_pushcfunction(L, l_namespace);
  lua_setfield(L, -2, "namespace");
  lua_pushcfunction(L, l_migrate);
  lua_setfield(L, -2, "migrate");
  return 1;
}

}  // namespace perilune::api
