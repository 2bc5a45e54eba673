// The globals of a script. The table of globals holds only what the script itself assigns; below it, as __index, stands
// the table of the API, which is filled name by name at the first use. So a state costs a few tables, an assignment to
// an API name meets __newindex, and a name that nobody knows ends in a hint.
//
//   _G (the script's) --__index--> api (name -> value, grows) --__index--> l_first_use: base function? lazy? else error
//
// SPDX-License-Identifier: MIT
#include "bindings/lua/sandbox.hpp"

#include <algorithm>
#include <cstring>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "runtime/base/nearest.hpp"

namespace perilune::lua {
namespace {

constexpr char k_await_sentinel = 0;

int l_open_globals(lua_State* L) {
  lua_pushglobaltable(L);
  return 1;
}

int l_open_version(lua_State* L) {
  lua_pushliteral(L, LUA_VERSION);
  return 1;
}

constexpr LazyGlobal k_libraries[] = {
    {"string", l_open_string}, {"table", l_open_table},         {"math", l_open_math},
    {"utf8", l_open_utf8},     {"coroutine", l_open_coroutine}, {"os", l_open_os},
    {"debug", l_open_debug},   {"_G", l_open_globals},          {"_VERSION", l_open_version},
};

const LazyGlobal* find_lazy(State& state, const char* name) {
  for (const State::Hidden::LazyGlobals& some : state.hidden().lazy) {
    for (size_t i = 0; i < some.count; ++i) {
      if (std::strcmp(some.first[i].name, name) == 0) return &some.first[i];
    }
  }
  return nullptr;
}

lua_CFunction find_base(const char* name) {
  for (const BaseFunction* base = base_functions(); base->name != nullptr; ++base) {
    if (std::strcmp(base->name, name) == 0) return base->function;
  }
  return nullptr;
}

void collect_string_keys(lua_State* L, int table, std::vector<std::string>& names) {
  const int top = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, table); lua_settop(L, top + 1)) {
    if (lua_type(L, top + 1) == LUA_TSTRING) names.emplace_back(lua_tostring(L, top + 1));
  }
  lua_settop(L, top);
}

std::vector<std::string> api_names(State& state) {
  std::vector<std::string> names;
  for (const BaseFunction* base = base_functions(); base->name != nullptr; ++base) names.emplace_back(base->name);
  for (const State::Hidden::LazyGlobals& some : state.hidden().lazy) {
    for (size_t i = 0; i < some.count; ++i) names.emplace_back(some.first[i].name);
  }
  return names;
}

// The message goes to State::scratch(). Raises nothing.
void explain_undefined(lua_State* L, const char* name) noexcept {
  State& state = State::of(L);
  std::vector<std::string> names = api_names(state);
  lua_pushglobaltable(L);
  collect_string_keys(L, lua_gettop(L), names);
  lua_pop(L, 1);
  std::sort(names.begin(), names.end());
  const std::string near = nearest(name, names);
  state.scratch() = std::string("undefined global '") + name + "'";
  if (!near.empty()) state.scratch() += " (did you mean '" + near + "'?)";
}

// __index of the API table: (api, name).
int l_first_use(lua_State* L) {
  if (lua_type(L, 2) != LUA_TSTRING) return 0;
  const char* name = lua_tostring(L, 2);
  lua_settop(L, 2);
  if (lua_CFunction function = find_base(name)) {
    lua_pushcfunction(L, function);
  } else if (const LazyGlobal* lazy = find_lazy(State::of(L), name)) {
    lua_pushcfunction(L, lazy->open);
    lua_call(L, 0, 1);
    const bool own_metatable = lua_getmetatable(L, 3);
    lua_settop(L, 3);
    if (lua_istable(L, 3) && !own_metatable) push_locked(L);
  } else {
    explain_undefined(L, name);
    return luaL_error(L, "%s", State::of(L).scratch().c_str());
  }
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_rawset(L, 1);
  return 1;
}

// __newindex of the globals: (globals, name, value).
int l_new_global(lua_State* L) {
  lua_settop(L, 3);
  if (is_api_name(L, 2)) {
    return luaL_error(L, "the global '%s' belongs to the API: choose another name, or make it local",
                      lua_tostring(L, 2));
  }
  lua_rawset(L, 1);
  return 0;
}

int l_refuse_write(lua_State* L) {
  if (lua_type(L, 2) != LUA_TSTRING) return luaL_error(L, "a table of the API is read-only");
  return luaL_error(L, "a table of the API is read-only (field '%s')", lua_tostring(L, 2));
}

void new_registry_table(lua_State* L, const void* key, const char* mode) {
  lua_createtable(L, 0, 0);
  if (mode != nullptr) {
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

const void* new_tag(lua_State* L, const void* key) {
  lua_createtable(L, 0, 0);
  const void* identity = lua_topointer(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
  return identity;
}

void open_globals(lua_State* L) {
  lua_pushglobaltable(L);
  lua_createtable(L, 0, 3);
  lua_createtable(L, 0, 16);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry::k_api);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_first_use);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_new_global);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

// The methods of strings work before the name `string` was ever used. The metatable is hidden from scripts.
void open_string_metatable(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_api);
  lua_getfield(L, -1, "string");
  lua_pop(L, 2);
}

void list_fields(lua_State* L, const std::string& prefix, std::vector<std::string>& names) {
  if (!push_behind_lock(L, -1)) return;
  std::vector<std::string> fields;
  collect_string_keys(L, lua_gettop(L), fields);
  for (const std::string& field : fields) names.push_back(prefix + "." + field);
  lua_pop(L, 1);
}

int l_index(lua_State* L) {
  lua_gettable(L, 1);
  return 1;
}

}  // namespace

void open_sandbox(lua_State* L) {
  State::Hidden& hidden = State::of(L).hidden();
  hidden.lazy.push_back({k_libraries, std::size(k_libraries)});
  hidden.array_metatable = new_tag(L, &registry::k_array_metatable);
  hidden.object_metatable = new_tag(L, &registry::k_object_metatable);
  new_registry_table(L, &registry::k_modules, nullptr);
  new_registry_table(L, &registry::k_loading, nullptr);
  new_registry_table(L, &registry::k_object_ids, "k");
  new_registry_table(L, &registry::k_script_threads, "k");
  new_registry_table(L, &registry::k_next_tables, "v");
  new_registry_table(L, &registry::k_next_keys, nullptr);
  open_error_objects(L);
  open_guard(L);
  open_globals(L);
  open_string_metatable(L);
}

void add_lazy_globals(lua_State* L, const LazyGlobal* globals, size_t count) {
  State::of(L).hidden().lazy.push_back({globals, count});
}

void push_locked(lua_State* L) {
  const int real = lua_gettop(L);
  luaL_checkstack(L, 4, "API table");
  lua_createtable(L, 0, 0);
  lua_createtable(L, 0, 4);
  lua_pushvalue(L, real);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, real);
  lua_rawsetp(L, -2, &registry::k_locked);
  lua_pushcfunction(L, l_refuse_write);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_replace(L, real);
}

bool push_behind_lock(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  if (lua_rawgetp(L, -1, &registry::k_locked) == LUA_TTABLE) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

bool is_api_name(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) return false;
  const char* name = lua_tostring(L, index);
  return find_base(name) != nullptr || find_lazy(State::of(L), name) != nullptr;
}

Result<std::vector<std::string>> reachable_names(State& state) {
  lua_State* L = state.main();
  std::vector<std::string> names;
  const int top = lua_gettop(L);
  for (const std::string& name : api_names(state)) {
    lua_pushcfunction(L, l_index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_api);
    lua_pushlstring(L, name.data(), name.size());
    if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
      Error error = error_from_value(L, -1, code::k_internal);
      lua_settop(L, top);
      return error;
    }
    names.push_back(name);
    list_fields(L, name, names);
    lua_settop(L, top);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void* await_sentinel() { return const_cast<char*>(&k_await_sentinel); }

const void* modules_key() { return &registry::k_modules; }

}  // namespace perilune::lua
