// The numbering; see object_graph.hpp. Breadth first; C++ memory is touched in noexcept members only, between the calls
// of Lua that may raise. SPDX-License-Identifier: MIT
#include "bindings/lua/object_graph.hpp"

#include <algorithm>
#include <cstring>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state_table.hpp"

namespace perilune::lua {
namespace {

bool is_object(int type) {
  return type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TTHREAD || type == LUA_TUSERDATA ||
         type == LUA_TLIGHTUSERDATA;
}

bool is_locked(lua_State* L, int index) {
  if (!push_behind_lock(L, index)) return false;
  lua_pop(L, 1);
  return true;
}

void push_key(lua_State* L, const OrderedKey& key) {
  switch (key.rank) {
    case OrderedKey::k_integer:
      return lua_pushinteger(L, key.integer);
    case OrderedKey::k_float:
      return lua_pushnumber(L, key.number);
    case OrderedKey::k_string:
      lua_pushlstring(L, key.text, key.size);
      return;
    case OrderedKey::k_boolean:
      return lua_pushboolean(L, static_cast<int>(key.integer));
  }
}

}  // namespace

uint32_t ObjectGraph::number_of(const void* identity) const noexcept {
  auto found = numbers_.find(identity);
  return found == numbers_.end() ? 0 : found->second;
}

uint32_t ObjectGraph::cell_of(const void* id) const noexcept {
  auto found = cell_numbers_.find(id);
  return found == cell_numbers_.end() ? 0 : found->second;
}

const ObjectGraph::ApiName* ObjectGraph::api_name(const void* identity) const noexcept {
  auto found = api_.find(identity);
  return found == api_.end() ? nullptr : &found->second;
}

void ObjectGraph::set_trouble(uint32_t label, const char* what) noexcept {
  if (trouble_.empty()) trouble_ = "variable '" + labels_[label] + "': " + what;
}

void ObjectGraph::set_unrepeatable(uint32_t label, const char* what) noexcept {
  if (!first_) return;
  repeatable_ = false;
  trouble_ = "variable '" + labels_[label] + "': " + what;
}

void ObjectGraph::begin(const ObjectGraph* known) noexcept {
  first_ = known == nullptr;
  if (known == nullptr) {
    labels_.emplace_back("?");
    return;
  }
  objects_ = known->objects_;
  numbers_ = known->numbers_;
  cells_ = known->cells_;
  cell_numbers_ = known->cell_numbers_;
  labels_ = known->labels_;
}

void ObjectGraph::add(const void* identity, Kind kind, uint32_t label) noexcept {
  objects_.push_back({kind, label});
  numbers_[identity] = static_cast<uint32_t>(objects_.size());
}

bool ObjectGraph::add_cell(const void* id, uint32_t holder, int upvalue, uint32_t label) noexcept {
  auto [place, is_new] = cell_numbers_.try_emplace(id, static_cast<uint32_t>(cells_.size()) + 1);
  if (is_new) cells_.push_back({holder, upvalue, label});
  return is_new;
}

uint32_t ObjectGraph::add_label(const char* text) noexcept {
  labels_.emplace_back(text);
  return static_cast<uint32_t>(labels_.size()) - 1;
}

void ObjectGraph::sort_keys() noexcept { std::sort(keys_.begin(), keys_.end(), stands_before); }

void ObjectGraph::sort_names() noexcept {
  std::sort(names_.begin(), names_.end(), [](const char* a, const char* b) { return std::strcmp(a, b) < 0; });
}

void ObjectGraph::learn_fields(lua_State* L, const char* name) {
  const int fields = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, fields) != 0; lua_pop(L, 1))
    if (lua_type(L, -1) == LUA_TFUNCTION && lua_type(L, -2) == LUA_TSTRING)
      learn(lua_topointer(L, -1), name, lua_tostring(L, -2));
}

// What the API has given so far: functions and read-only tables by name. Its other tables belong to the script.
void ObjectGraph::learn_api(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_api);
  const int api = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, api) != 0; lua_settop(L, api + 1)) {
    const int type = lua_type(L, api + 2);
    if (lua_type(L, api + 1) != LUA_TSTRING || (type != LUA_TFUNCTION && type != LUA_TTABLE)) continue;
    const void* identity = lua_topointer(L, api + 2);
    const char* name = lua_tostring(L, api + 1);
    if (identity == globals_) continue;
    const bool own_metatable = type == LUA_TTABLE && lua_getmetatable(L, api + 2) != 0;
    const bool tagged = own_metatable && is_ours(L, lua_topointer(L, -1));
    lua_settop(L, api + 2);
    if (type == LUA_TTABLE && (!own_metatable || tagged)) {
      add_name(name);
      continue;
    }
    learn(identity, name, nullptr);
    if (push_behind_lock(L, api + 2)) learn_fields(L, name);
  }
  lua_settop(L, api - 1);
}

void ObjectGraph::see_api_tables(lua_State* L, int table) {
  sort_names();
  for (const char* name : names_) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_api);
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    see(L, table, add_label(name));
    lua_pop(L, 2);
  }
}

// Metatables of the runtime: scripts know tables by them, not them.
bool ObjectGraph::is_ours(lua_State* L, const void* metatable) const {
  const State::Hidden& hidden = State::of(L).hidden();
  return metatable == hidden.array_metatable || metatable == hidden.object_metatable ||
         metatable == hidden.error_metatable || metatable == hidden.guard_metatable;
}

// The value on top of the stack; it stays there.
void ObjectGraph::see(lua_State* L, int table, uint32_t label) {
  const int type = lua_type(L, -1);
  if (!is_object(type)) return;
  const void* identity = lua_topointer(L, -1);
  if (number_of(identity) != 0 || api_name(identity) != nullptr || is_null(L, -1)) return;
  if (type == LUA_TTHREAD) return set_trouble(label, "a coroutine can't be saved");
  if (type == LUA_TUSERDATA) return set_trouble(label, "a handle (task, group, ...) can't be saved");
  if (type == LUA_TLIGHTUSERDATA || lua_iscfunction(L, -1))
    return set_trouble(label, "a function of the runtime that has no name can't be saved");
  if (is_state_table(L, lua_gettop(L)))
    return set_trouble(label, "a table of `state` can't be saved: take it from `state` where it is needed");
  Kind kind = type == LUA_TFUNCTION ? Kind::function : Kind::table;
  if (kind == Kind::table && is_locked(L, lua_gettop(L))) kind = Kind::closed;
  if (kind == Kind::closed && !first_) set_trouble(label, "a read-only table can't be saved");
  lua_pushvalue(L, -1);
  lua_rawseti(L, table, static_cast<lua_Integer>(objects_.size()) + 1);
  add(identity, kind, label);
}

void ObjectGraph::see_list(lua_State* L, int table, int list, uint32_t label) {
  const lua_Integer size = static_cast<lua_Integer>(lua_rawlen(L, list));
  for (lua_Integer i = 1; i <= size; ++i) {
    lua_rawgeti(L, list, i);
    see(L, table, label);
    lua_pop(L, 1);
  }
}

// The table is on top of the stack. Keys that are objects are left for later.
void ObjectGraph::look_into_table(lua_State* L, int table, uint32_t number) {
  const int top = lua_gettop(L);
  const void* identity = lua_topointer(L, top);
  const bool named = identity == globals_ || identity == modules_;
  keys_.clear();
  bool object_keys = false;
  for (lua_pushnil(L); lua_next(L, top) != 0; lua_pop(L, 1)) {
    OrderedKey key{};
    if (!read_ordered_key(L, -2, key)) object_keys = true;
    else if (is_object(lua_type(L, -1))) add_key(key);
  }
  if (object_keys) defer(number);
  sort_keys();
  for (const OrderedKey& key : keys_) {
    push_key(L, key);
    const uint32_t label =
        named && key.rank == OrderedKey::k_string ? add_label(lua_tostring(L, -1)) : objects_[number - 1].label;
    lua_rawget(L, top);
    see(L, table, label);
    lua_settop(L, top);
  }
  if (identity == globals_ || lua_getmetatable(L, top) == 0) return;
  if (!is_ours(L, lua_topointer(L, -1))) see(L, table, objects_[number - 1].label);
  lua_settop(L, top);
}

// The function is on top of the stack.
void ObjectGraph::look_into_function(lua_State* L, int table, uint32_t number) {
  const int function = lua_gettop(L);
  for (int i = 1;; ++i) {
    const char* name = lua_getupvalue(L, function, i);
    if (name == nullptr) return;
    const void* cell = lua_upvalueid(L, function, i);
    if (cell_of(cell) == 0) {
      const uint32_t label = add_label(name);
      add_cell(cell, number, i, label);
      see(L, table, label);
    } else {
      see(L, table, cells_[cell_of(cell) - 1].label);
    }
    lua_pop(L, 1);
  }
}

// Entries under objects, in the order of the keys' numbers. True when there was something new.
bool ObjectGraph::look_into_object_keys(lua_State* L, int table, size_t place) {
  const size_t before = objects_.size();
  const uint32_t number = with_object_keys_[place];
  const uint32_t label = objects_[number - 1].label;
  lua_rawgeti(L, table, number);
  const int top = lua_gettop(L);
  keys_.clear();
  int unmet = 0;
  for (lua_pushnil(L); lua_next(L, top) != 0; lua_pop(L, 1)) {
    OrderedKey key{};
    if (read_ordered_key(L, -2, key)) continue;
    key.rank = OrderedKey::k_integer;
    key.integer = number_of(lua_topointer(L, -2));
    if (key.integer != 0) {
      if (is_object(lua_type(L, -1))) add_key(key);
    } else if (api_name(lua_topointer(L, -2)) == nullptr && !is_null(L, -2)) {
      ++unmet;
    } else if (is_object(lua_type(L, -1))) {
      see(L, table, label);
      if (objects_.size() > before + 1) set_unrepeatable(label, "its keys have no order");
    }
  }
  sort_keys();
  for (const OrderedKey& key : keys_) {
    lua_rawgeti(L, table, key.integer);
    lua_rawget(L, top);
    see(L, table, label);
    lua_settop(L, top);
  }
  if (objects_.size() == before && unmet > 0) {   // nothing else has led to them
    if (unmet > 1) set_unrepeatable(label, "its keys are objects that nothing else tells apart");
    for (lua_pushnil(L); lua_next(L, top) != 0;) {
      lua_pop(L, 1);
      see(L, table, label);
    }
  }
  lua_settop(L, top - 1);
  return objects_.size() != before;
}

bool ObjectGraph::look_further(lua_State* L, int table) {
  for (size_t place = 0; place < with_object_keys_.size(); ++place)
    if (look_into_object_keys(L, table, place)) return true;
  return false;
}

void ObjectGraph::number(lua_State* L, int table, int roots, int items, const ObjectGraph* known) {
  luaL_checkstack(L, 12, "snapshot");
  begin(known);
  lua_pushglobaltable(L);
  globals_ = lua_topointer(L, -1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_modules);
  modules_ = lua_topointer(L, -1);
  learn_api(L);
  lua_pushvalue(L, -2);
  see(L, table, 0);
  lua_pop(L, 1);
  see(L, table, 0);
  lua_pop(L, 2);
  see_api_tables(L, table);
  see_list(L, table, roots, add_label("the loop's body"));
  if (items != 0) see_list(L, table, items, add_label("each"));
  for (uint32_t next = 1;;) {
    for (; next <= objects_.size(); ++next) {
      const Kind kind = objects_[next - 1].kind;
      if (kind == Kind::closed) continue;
      lua_rawgeti(L, table, next);
      if (kind == Kind::table) look_into_table(L, table, next);
      else look_into_function(L, table, next);
      lua_pop(L, 1);
    }
    if (!look_further(L, table)) return;
  }
}

}  // namespace perilune::lua
