// pairs and next in an order that every process repeats: numbers, then strings (as bytes), then false and true. Lua's
// own order depends on a seed and on addresses. Keys of other types have no such order and raise.
//
// pairs takes the keys once, at its start; a key whose value has become nil since is passed over, a new key is not met.
// An array is recognised by meeting 1, 2, 3, ... up to the end, and is then walked without a list of keys.
// next keeps the sorted keys of the last four tables, so that a loop by next is not quadratic.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstring>

#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/state_table.hpp"

namespace perilune::lua {
namespace {

constexpr char k_unordered = 0;  // its address stands for "some key" where there is no first one

int compare_bytes(const OrderedKey& a, const OrderedKey& b) {
  const int order = std::memcmp(a.text, b.text, std::min(a.size, b.size));
  if (order != 0) return order;
  return a.size < b.size ? -1 : a.size > b.size;
}

// An integer and a float key are never equal: Lua keeps a whole float as an integer as long as it fits.
bool integer_before_float(int64_t integer, double number) {
  if (number >= 0x1p63) return true;
  if (number < -0x1p63) return false;
  return integer <= static_cast<int64_t>(std::floor(number));
}

bool before(const OrderedKey& a, const OrderedKey& b) {
  if (a.rank == b.rank) {
    switch (a.rank) {
      case OrderedKey::k_float:
        return a.number < b.number;
      case OrderedKey::k_string:
        return compare_bytes(a, b) < 0;
      default:
        return a.integer < b.integer;
    }
  }
  if (a.rank == OrderedKey::k_integer && b.rank == OrderedKey::k_float)
    return integer_before_float(a.integer, b.number);
  if (a.rank == OrderedKey::k_float && b.rank == OrderedKey::k_integer)
    return !integer_before_float(b.integer, a.number);
  return a.rank < b.rank;
}

bool read_key(lua_State* L, int index, OrderedKey& key) {
  switch (lua_type(L, index)) {
    case LUA_TNUMBER:
      key.rank = lua_isinteger(L, index) ? OrderedKey::k_integer : OrderedKey::k_float;
      if (key.rank == OrderedKey::k_integer) {
        key.integer = lua_tointeger(L, index);
      } else {
        key.number = lua_tonumber(L, index);
      }
      return true;
    case LUA_TSTRING:
      key.rank = OrderedKey::k_string;
      key.text = lua_tolstring(L, index, &key.size);
      return true;
    case LUA_TBOOLEAN:
      key.rank = OrderedKey::k_boolean;
      key.integer = lua_toboolean(L, index);
      return true;
    default:
      return false;
  }
}

[[noreturn]] void raise_no_order(lua_State* L, const char* who, int type) {
  luaL_error(L, "%s: a key of type '%s' has no order that a replay would repeat (keep such objects in a list)", who,
             lua_typename(L, type));
  std::abort();  // luaL_error does not return
}

// The number of items when the table at `table` has the keys 1..n alone and in order, else -1.
lua_Integer array_size(lua_State* L, int table) {
  lua_Integer expected = 1;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (!lua_isinteger(L, -1) || lua_tointeger(L, -1) != expected) {
      lua_pop(L, 1);
      return -1;
    }
    ++expected;
  }
  return expected - 1;
}

void sort_keys(std::vector<OrderedKey>& keys) noexcept { std::sort(keys.begin(), keys.end(), before); }
void add_key(std::vector<OrderedKey>& keys, const OrderedKey& key) noexcept { keys.push_back(key); }
void drop_keys(std::vector<OrderedKey>& keys) noexcept {
  keys.clear();
  if (keys.capacity() > 65536) keys.shrink_to_fit();
}

// Pushes the key and value that follow `position`, and moves it there; false at the end. `keys` is the index of the
// list, or 0 for an array of `count` items.
bool push_following(lua_State* L, int table, int keys, lua_Integer count, lua_Integer& position) {
  while (++position <= count) {
    if (keys == 0) {
      lua_pushinteger(L, position);
      if (lua_rawgeti(L, table, position) != LUA_TNIL) return true;
    } else {
      lua_rawgeti(L, keys, position);
      lua_pushvalue(L, -1);
      if (lua_rawget(L, table) != LUA_TNIL) return true;
    }
    lua_pop(L, 2);
  }
  return false;
}

// The iterator of pairs: upvalues table, keys (nil for an array), count, position.
int l_following(lua_State* L) {
  constexpr int k_table = lua_upvalueindex(1), k_keys = lua_upvalueindex(2), k_position = lua_upvalueindex(4);
  lua_Integer position = lua_isnoneornil(L, 2) ? 0 : lua_tointeger(L, k_position);
  const lua_Integer count = lua_tointeger(L, lua_upvalueindex(3));
  const bool more = push_following(L, k_table, lua_isnil(L, k_keys) ? 0 : k_keys, count, position);
  lua_pushinteger(L, position);
  lua_replace(L, k_position);
  if (more) return 2;
  lua_pushnil(L);
  return 1;
}

int continue_pairs(lua_State*, int, lua_KContext) { return 3; }

// ---- next

// Which slot of the cache holds the table at index 1, or -1.
int find_slot(lua_State* L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_next_tables);
  int found = -1;
  for (int slot = 0; slot < State::Hidden::k_next_slots && found < 0; ++slot) {
    lua_rawgeti(L, -1, slot + 1);
    if (lua_rawequal(L, 1, -1)) found = slot;
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

void put_slot(lua_State* L, const void* registry_key, int slot, int value) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, registry_key);
  lua_pushvalue(L, value);
  lua_rawseti(L, -2, slot + 1);
  lua_pop(L, 1);
}

void free_slot(lua_State* L, int slot) {
  lua_pushnil(L);
  put_slot(L, &registry::k_next_tables, slot, lua_gettop(L));
  put_slot(L, &registry::k_next_keys, slot, lua_gettop(L));
  lua_pop(L, 1);
}

// next(t): the least key, without sorting. Whether there is a key at all can be asked of any table; when none of
// several keys has a place in the order, a value that stands for no key is returned.
int first_pair(lua_State* L) {
  const int slot = find_slot(L);
  if (slot >= 0) free_slot(L, slot);
  OrderedKey least{}, key{};
  bool found = false;
  lua_Integer others = 0;
  lua_settop(L, 1);
  lua_pushnil(L);  // 2: the least key so far
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pop(L, 1);
    if (!read_key(L, -1, key)) {
      ++others;
      if (found) continue;
      lua_pushvalue(L, -1);
      lua_replace(L, 2);
    } else if (!found || before(key, least)) {
      least = key;
      found = true;
      lua_pushvalue(L, -1);
      lua_replace(L, 2);
    }
  }
  if (!found && others == 0) {
    lua_pushnil(L);
    return 1;
  }
  if (!found && others > 1) {
    lua_pushlightuserdata(L, const_cast<char*>(&k_unordered));
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, 1);
  return 2;
}

// True when the key at index 2 stands at `position` of the keys at index 3 (a list, or the size of an array).
bool key_stands_at(lua_State* L, lua_Integer position) {
  if (lua_isinteger(L, 3)) return lua_isinteger(L, 2) && lua_tointeger(L, 2) == position;
  lua_rawgeti(L, 3, position);
  const bool stands = lua_rawequal(L, 2, -1);
  lua_pop(L, 1);
  return stands;
}

// The position of the last key that is not after the one at index 2: the key itself, or, when it is gone from the
// table, the place where it stood.
lua_Integer position_of(const std::vector<OrderedKey>& keys, const OrderedKey& key) noexcept {
  return std::upper_bound(keys.begin(), keys.end(), key, before) - keys.begin();
}

// Puts the keys of the table at 1 at index 3 and into a slot; returns the slot.
int fill_slot(lua_State* L, lua_Integer& position) {
  State::Hidden& hidden = State::of(L).hidden();
  OrderedKey key{};
  if (!read_key(L, 2, key)) raise_no_order(L, "next", lua_type(L, 2));
  const lua_Integer size = array_size(L, 1);
  if (size >= 0 && key.rank == OrderedKey::k_integer && key.integer >= 1 && key.integer <= size) {
    lua_pushinteger(L, size);
    position = key.integer;
  } else {
    push_sorted_keys(L, 1, "next");
    position = position_of(hidden.ordered_keys, key);
  }
  int slot = find_slot(L);
  if (slot < 0) {
    slot = hidden.next_slot;
    hidden.next_slot = (slot + 1) % State::Hidden::k_next_slots;
  }
  put_slot(L, &registry::k_next_tables, slot, 1);
  put_slot(L, &registry::k_next_keys, slot, 3);
  return slot;
}

}  // namespace

bool read_ordered_key(lua_State* L, int index, OrderedKey& key) { return read_key(L, index, key); }
bool stands_before(const OrderedKey& a, const OrderedKey& b) { return before(a, b); }

// Hidden::ordered_keys describes the keys until the next call.
void push_sorted_keys(lua_State* L, int table, const char* who) {
  std::vector<OrderedKey>& keys = State::of(L).hidden().ordered_keys;
  drop_keys(keys);
  lua_newtable(L);
  const int unsorted = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    OrderedKey key{};
    if (!read_key(L, -1, key)) raise_no_order(L, who, lua_type(L, -1));
    add_key(keys, key);
    keys.back().slot = int(keys.size());
    lua_pushvalue(L, -1);
    lua_rawseti(L, unsorted, keys.back().slot);
  }
  sort_keys(keys);
  lua_createtable(L, int(keys.size()), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    lua_rawgeti(L, unsorted, keys[i].slot);
    lua_rawseti(L, unsorted + 1, lua_Integer(i) + 1);
  }
  lua_remove(L, unsorted);
}

int l_pairs(lua_State* L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, continue_pairs);
    return 3;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (!push_behind_lock(L, 1)) lua_pushvalue(L, 1);
  lua_Integer count = array_size(L, 2);
  if (count >= 0) {
    lua_pushnil(L);
  } else {
    push_sorted_keys(L, 2, "pairs");
    count = static_cast<lua_Integer>(lua_rawlen(L, -1));
  }
  lua_pushinteger(L, count);
  lua_pushinteger(L, 0);
  lua_pushcclosure(L, l_following, 4);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

namespace {

// next of a table of `state`: (table, key), with the table behind it in its place.
int next_in_state(lua_State* L) {
  lua_pushcfunction(L, l_next);
  push_behind_state(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 2, 2);   // 3, 4
  push_inside(L, 1, 3);
  return lua_isnil(L, 3) ? 1 : 2;
}

}  // namespace

int l_next(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (is_state_table(L, 1)) return next_in_state(L);
  if (push_behind_lock(L, 1)) lua_replace(L, 1);
  if (lua_isnil(L, 2)) return first_pair(L);
  State::Hidden& hidden = State::of(L).hidden();
  lua_Integer position = 0;
  int slot = find_slot(L);
  if (slot >= 0) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_next_keys);
    lua_rawgeti(L, -1, slot + 1);
    lua_remove(L, 3);
    position = hidden.next_positions[slot];
    if (!key_stands_at(L, position)) slot = -1;
  }
  if (slot < 0) {
    lua_settop(L, 2);
    slot = fill_slot(L, position);
  }
  const bool array = lua_isinteger(L, 3);
  const lua_Integer count = array ? lua_tointeger(L, 3) : static_cast<lua_Integer>(lua_rawlen(L, 3));
  if (push_following(L, 1, array ? 0 : 3, count, position)) {
    hidden.next_positions[slot] = position;
    return 2;
  }
  free_slot(L, slot);
  lua_pushnil(L);
  return 1;
}

}  // namespace perilune::lua
