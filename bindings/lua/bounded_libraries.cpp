// string, table and utf8. They are Lua's own, with bounds where a call could run long inside C, out of the reach of the
// budget's hook, or show what a replay would not repeat: string.rep, string.format, table.concat, insert, move, remove,
// sort. string.dump is left out. Not bounded: the time of pattern matching (string.find and its kin).
// SPDX-License-Identifier: MIT
#include <cstring>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"

namespace perilune::lua {
namespace {

constexpr lua_Integer k_items_max = 10'000'000;  // of one call: a table of that size takes 160 MB

[[noreturn]] void raise_limit(lua_State* L, const char* message) { raise(L, Error(code::k_limit, message)); }

// Goes on as Lua's own function, which stands as upvalue. It runs in the frame of the caller's call, so that messages
// name the script's line and function.
int continue_as_stock(lua_State* L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

// Replaces the field of the library on top of the stack by `guarded`, with the stock function as upvalue.
void wrap_field(lua_State* L, const char* name, lua_CFunction guarded) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, guarded, 1);
  lua_setfield(L, -2, name);
}

// ---- string

int l_rep(lua_State* L) {
  size_t size = 0, separator = 0;
  luaL_checklstring(L, 1, &size);
  const lua_Integer count = luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &separator);
  if (count <= 0 || size + separator == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  State& state = State::of(L);
  const size_t most = state.limits().payload_bytes;
  if (lua_Unsigned(count) > most / (size + separator) + 1) raise_limit(L, "string.rep: the result is too large");
  // A buffer that does not fit is refused without a collection: make room before.
  const size_t total = size_t(count) * (size + separator);
  if (total * 2 + state.memory_used() > state.limits().memory_bytes) lua_gc(L, LUA_GCCOLLECT);
  return continue_as_stock(L);
}

// The conversion that begins after '%' at `at`: its letter, or 0 when there is none. `at` is moved behind it.
char conversion(const char*& at, const char* end) {
  while (at != end && std::strchr("-+ #0123456789.", *at) != nullptr && *at != 0) ++at;
  return at == end ? 0 : *at++;
}

// %s shows objects as tostring does, %p would show an address.
int l_format(lua_State* L) {
  size_t size = 0;
  const char* at = luaL_checklstring(L, 1, &size);
  const char* const end = at + size;
  const int top = lua_gettop(L);
  int argument = 1;
  while (at != end) {
    if (*at++ != '%') continue;
    if (at != end && *at == '%') {
      ++at;
      continue;
    }
    const char letter = conversion(at, end);
    ++argument;
    if (letter == 'p') return luaL_error(L, "string.format: '%%p' is refused: addresses differ between replays");
    if (letter != 's' || argument > top || lua_isstring(L, argument)) continue;
    push_text(L, argument);
    lua_replace(L, argument);
  }
  return continue_as_stock(L);
}

// ---- table: __len and __index of a script may name any number of items

void check_count(lua_State* L, const char* function, lua_Integer count) {
  if (count <= k_items_max) return;
  lua_pushfstring(L, "table.%s: more than %I items", function, k_items_max);
  raise_limit(L, lua_tostring(L, -1));
}

// The length as the stock functions will see it. A table without __len can't hold more than memory does.
void check_length(lua_State* L, const char* function) {
  if (!lua_getmetatable(L, 1)) return;
  lua_pop(L, 1);
  check_count(L, function, luaL_len(L, 1));
}

// The count of from..to, without overflow.
lua_Integer range_count(lua_Integer from, lua_Integer to) {
  if (from > to) return 0;
  const lua_Unsigned distance = lua_Unsigned(to) - lua_Unsigned(from);
  return distance >= lua_Unsigned(k_items_max) ? k_items_max + 1 : lua_Integer(distance) + 1;
}

int l_concat(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  const lua_Integer from = luaL_optinteger(L, 3, 1);
  const lua_Integer to = lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
  check_count(L, "concat", range_count(from, to));
  return continue_as_stock(L);
}

int l_insert(lua_State* L) {
  check_length(L, "insert");
  return continue_as_stock(L);
}

int l_remove(lua_State* L) {
  check_length(L, "remove");
  return continue_as_stock(L);
}

int l_sort(lua_State* L) {
  check_length(L, "sort");
  return continue_as_stock(L);
}

int l_move(lua_State* L) {
  check_count(L, "move", range_count(luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)));
  return continue_as_stock(L);
}

}  // namespace

// Also sets the metatable of strings, and hides it.
int l_open_string(lua_State* L) {
  lua_settop(L, 0);
  luaopen_string(L);
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  wrap_field(L, "rep", l_rep);
  wrap_field(L, "format", l_format);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
  return 1;
}

int l_open_table(lua_State* L) {
  lua_settop(L, 0);
  luaopen_table(L);
  wrap_field(L, "concat", l_concat);
  wrap_field(L, "insert", l_insert);
  wrap_field(L, "move", l_move);
  wrap_field(L, "remove", l_remove);
  wrap_field(L, "sort", l_sort);
  return 1;
}

int l_open_utf8(lua_State* L) {
  lua_settop(L, 0);
  return luaopen_utf8(L);
}

}  // namespace perilune::lua
