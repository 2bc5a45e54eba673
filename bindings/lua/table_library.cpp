// table. Our own, because Lua's run inside C out of the reach of the budget: here each item is charged, a length that a
// script makes up (__len) is bounded, and table.sort is a merge sort: never quadratic, stable whatever the comparator
// says, and the same in every process (Lua's picks pivots by the clock). It writes to the table when all is sorted, so
// a comparator that raises leaves the table as it was. SPDX-License-Identifier: MIT
#include <algorithm>
#include <climits>
#include <cstring>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"

namespace perilune::lua {
namespace {

constexpr lua_Integer k_items_max = 10'000'000;  // of one call: a table of that size takes 160 MB
constexpr int64_t k_item_work = 8, k_compare_work = 16;

void check_count(lua_State* L, const char* function, lua_Integer count) {
  if (count <= k_items_max) return;
  lua_pushfstring(L, "table.%s: more than %I items", function, k_items_max);
  raise(L, Error(code::k_limit, lua_tostring(L, -1)));
}

// The count of from..to, without overflow.
lua_Integer range_count(lua_Integer from, lua_Integer to) {
  if (from > to) return 0;
  const lua_Unsigned distance = lua_Unsigned(to) - lua_Unsigned(from);
  return distance >= lua_Unsigned(k_items_max) ? k_items_max + 1 : lua_Integer(distance) + 1;
}

// A table, or an object that behaves as one as far as these metamethods go.
void check_table(lua_State* L, int index, std::initializer_list<const char*> metamethods) {
  if (lua_type(L, index) == LUA_TTABLE) return;
  bool all = lua_getmetatable(L, index);
  const int metatable = lua_gettop(L);
  for (const char* name : metamethods) {
    if (!all) break;
    lua_pushstring(L, name);
    all = lua_rawget(L, metatable) != LUA_TNIL;
    lua_pop(L, 1);
  }
  if (!all) luaL_checktype(L, index, LUA_TTABLE);
  lua_pop(L, 1);
}

void move_item(lua_State* L, int from_table, lua_Integer from, int to_table, lua_Integer to) {
  State::of(L).charge(L, k_item_work);
  lua_geti(L, from_table, from);
  lua_seti(L, to_table, to);
}

int l_insert(lua_State* L) {
  check_table(L, 1, {"__index", "__newindex", "__len"});
  const lua_Integer size = luaL_len(L, 1);
  lua_Integer position = lua_Integer(lua_Unsigned(size) + 1);
  const int count = lua_gettop(L);
  if (count == 3) {
    const lua_Integer end = position;
    position = luaL_checkinteger(L, 2);
    luaL_argcheck(L, lua_Unsigned(position) - 1 < lua_Unsigned(end), 2, "position out of bounds");
    check_count(L, "insert", range_count(position, size));
    for (lua_Integer i = end; i > position; --i) move_item(L, 1, i - 1, 1, i);
  } else if (count != 2) {
    return luaL_error(L, "wrong number of arguments to 'insert'");
  }
  lua_seti(L, 1, position);
  return 0;
}

int l_remove(lua_State* L) {
  check_table(L, 1, {"__index", "__newindex", "__len"});
  const lua_Integer size = luaL_len(L, 1);
  lua_Integer position = luaL_optinteger(L, 2, size);
  if (lua_gettop(L) >= 2 && position != size) {
    luaL_argcheck(L, lua_Unsigned(position) - 1 <= lua_Unsigned(size), 2, "position out of bounds");
  }
  check_count(L, "remove", range_count(position, size));
  lua_geti(L, 1, position);
  for (; position < size; ++position) move_item(L, 1, position + 1, 1, position);
  lua_pushnil(L);
  lua_seti(L, 1, position);
  return 1;
}

int l_move(lua_State* L) {
  const lua_Integer from = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), to = luaL_checkinteger(L, 4);
  const int target = lua_isnoneornil(L, 5) ? 1 : 5;
  check_table(L, 1, {"__index"});
  check_table(L, target, {"__newindex"});
  if (last >= from) {
    luaL_argcheck(L, from > 0 || last < LUA_MAXINTEGER + from, 3, "too many elements to move");
    const lua_Integer count = last - from + 1;
    luaL_argcheck(L, to <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
    check_count(L, "move", count);
    const bool upwards = to > last || to <= from || (target != 1 && !lua_compare(L, 1, target, LUA_OPEQ));
    for (lua_Integer i = 0; i < count; ++i) {
      const lua_Integer offset = upwards ? i : count - 1 - i;
      move_item(L, 1, from + offset, target, to + offset);
    }
  }
  lua_pushvalue(L, target);
  return 1;
}

void add_item(lua_State* L, luaL_Buffer* out, lua_Integer index) {
  State::of(L).charge(L, k_item_work);
  lua_geti(L, 1, index);
  if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), index);
  }
  luaL_addvalue(out);
}

int l_concat(lua_State* L) {
  check_table(L, 1, {"__index", "__len"});
  const lua_Integer size = luaL_len(L, 1);
  size_t separator_size = 0;
  const char* separator = luaL_optlstring(L, 2, "", &separator_size);
  const lua_Integer from = luaL_optinteger(L, 3, 1), last = luaL_optinteger(L, 4, size);
  check_count(L, "concat", range_count(from, last));
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (lua_Integer i = from; i < last; ++i) {
    add_item(L, &out, i);
    luaL_addlstring(&out, separator, separator_size);
  }
  if (from <= last) add_item(L, &out, last);
  luaL_pushresult(&out);
  return 1;
}

int l_unpack(lua_State* L) {
  const lua_Integer from = luaL_optinteger(L, 2, 1);
  const lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
  if (from > last) return 0;
  const lua_Unsigned count = lua_Unsigned(last) - lua_Unsigned(from) + 1;
  if (count == 0 || count >= INT_MAX || !lua_checkstack(L, int(count))) {
    return luaL_error(L, "too many results to unpack");
  }
  State::of(L).charge(L, int64_t(count));
  for (lua_Integer i = from; i < last; ++i) lua_geti(L, 1, i);
  lua_geti(L, 1, last);
  return int(count);
}

// ---- sort: 1 the table, 2 the comparator or nil, 3 a copy of the items, 4 the storage of their order

constexpr int k_items = 3;
constexpr lua_Integer k_run = 6;  // sorted by insertion

// Whether item a stands before item b.
bool is_before(lua_State* L, int32_t a, int32_t b) {
  const bool own_order = !lua_isnil(L, 2);
  if (own_order) lua_pushvalue(L, 2);
  lua_rawgeti(L, k_items, a);
  lua_rawgeti(L, k_items, b);
  bool before = false;
  if (own_order) {
    lua_call(L, 2, 1);
    before = lua_toboolean(L, -1);
    lua_pop(L, 1);
  } else {
    State::of(L).charge(L, k_compare_work);
    before = lua_compare(L, -2, -1, LUA_OPLT);
    lua_pop(L, 2);
  }
  return before;
}

void insertion_sort(lua_State* L, int32_t* order, lua_Integer count) {
  for (lua_Integer i = 1; i < count; ++i) {
    const int32_t item = order[i];
    lua_Integer place = i;
    for (; place > 0 && is_before(L, item, order[place - 1]); --place) order[place] = order[place - 1];
    order[place] = item;
  }
}

// Merges from[0, middle) and from[middle, count) to `to`; of two equals the one on the left comes first.
void merge(lua_State* L, const int32_t* from, lua_Integer middle, lua_Integer count, int32_t* to) {
  lua_Integer left = 0, right = middle;
  if (middle >= count || !is_before(L, from[middle], from[middle - 1])) {  // in order already
    std::memcpy(to, from, size_t(count) * sizeof *to);
    return;
  }
  for (lua_Integer i = 0; i < count; ++i) {
    const bool take_right = left == middle || (right < count && is_before(L, from[right], from[left]));
    to[i] = take_right ? from[right++] : from[left++];
  }
}

const int32_t* sorted_order(lua_State* L, int32_t* order, int32_t* other, lua_Integer count) {
  for (lua_Integer i = 0; i < count; ++i) order[i] = int32_t(i) + 1;
  for (lua_Integer i = 0; i < count; i += k_run) insertion_sort(L, order + i, std::min(k_run, count - i));
  for (lua_Integer width = k_run; width < count; width *= 2) {
    for (lua_Integer i = 0; i < count; i += 2 * width) {
      const lua_Integer rest = count - i;
      merge(L, order + i, std::min(width, rest), std::min(2 * width, rest), other + i);
    }
    std::swap(order, other);
  }
  return order;
}

int l_sort(lua_State* L) {
  check_table(L, 1, {"__index", "__newindex", "__len"});
  const lua_Integer count = luaL_len(L, 1);
  if (count <= 1) return 0;
  check_count(L, "sort", count);
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  const bool may_lie = luaL_getmetafield(L, 1, "__len") != LUA_TNIL;
  lua_settop(L, 2);
  lua_createtable(L, may_lie ? 0 : int(count), 0);
  for (lua_Integer i = 1; i <= count; ++i) {
    State::of(L).charge(L, k_item_work);
    lua_geti(L, 1, i);
    lua_rawseti(L, k_items, i);
  }
  auto* storage = static_cast<int32_t*>(lua_newuserdatauv(L, size_t(count) * 2 * sizeof(int32_t), 0));
  const int32_t* order = sorted_order(L, storage, storage + count, count);
  for (lua_Integer i = 0; i < count; ++i) {
    State::of(L).charge(L, k_item_work);
    lua_rawgeti(L, k_items, order[i]);
    lua_seti(L, 1, i + 1);
  }
  return 0;
}

}  // namespace

int l_open_table(lua_State* L) {
  static const luaL_Reg k_own[] = {{"concat", l_concat}, {"insert", l_insert}, {"move", l_move},  {"remove", l_remove},
                                   {"sort", l_sort},     {"unpack", l_unpack}, {nullptr, nullptr}};
  lua_settop(L, 0);
  luaopen_table(L);
  luaL_setfuncs(L, k_own, 0);
  return 1;
}

}  // namespace perilune::lua
