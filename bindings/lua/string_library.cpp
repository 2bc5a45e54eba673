// string and utf8. The pattern functions are our own, on a matcher that charges the budget (pattern.hpp); string.rep
// and string.format are Lua's, with a bound on the result and without addresses; string.dump is left out; the rest is
// Lua's: one pass over its arguments each. SPDX-License-Identifier: MIT
#include <cstring>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/pattern.hpp"

namespace perilune::lua {
namespace {

struct Bytes {
  const char* begin;
  size_t size;
  const char* end() const { return begin + size; }
};

Bytes bytes_argument(lua_State* L, int index) {
  Bytes bytes{};
  bytes.begin = luaL_checklstring(L, index, &bytes.size);
  return bytes;
}

// The offset that the optional position at `index` means: from 1, or from the end if it is negative.
size_t offset_argument(lua_State* L, int index, size_t size) {
  const lua_Integer position = luaL_optinteger(L, index, 1);
  if (position > 0) return size_t(position) - 1;
  if (position == 0 || position < -lua_Integer(size)) return 0;
  return size + size_t(position);
}

// ---- find and match

int push_range(lua_State* L, Bytes subject, const char* begin, const char* end) {
  lua_pushinteger(L, begin - subject.begin + 1);
  lua_pushinteger(L, end - subject.begin);
  return 2;
}

// Null if it is nowhere. In time proportional to the texts; short ones are found sooner by their first byte.
const char* find_bytes(const char* from, const char* end, Bytes wanted) {
  if (wanted.size == 0) return from;
  if (wanted.size > 32) return static_cast<const char*>(memmem(from, size_t(end - from), wanted.begin, wanted.size));
  while (size_t(end - from) >= wanted.size) {
    const size_t places = size_t(end - from) - wanted.size + 1;
    from = static_cast<const char*>(std::memchr(from, wanted.begin[0], places));
    if (from == nullptr || std::memcmp(from, wanted.begin, wanted.size) == 0) return from;
    ++from;
  }
  return nullptr;
}

int find_text(lua_State* L, Bytes subject, size_t from, Bytes wanted) {
  State::of(L).charge(L, int64_t((subject.size - from) / 8 + wanted.size / 16));
  const char* found = find_bytes(subject.begin + from, subject.end(), wanted);
  if (found != nullptr) return push_range(L, subject, found, found + wanted.size);
  luaL_pushfail(L);
  return 1;
}

bool is_plain(Bytes pattern) {
  for (size_t i = 0; i < pattern.size; ++i) {
    if (std::memchr("^$*+?.([%-", pattern.begin[i], 10) != nullptr) return false;
  }
  return true;
}

int find_or_match(lua_State* L, bool find) {
  const Bytes subject = bytes_argument(L, 1);
  Bytes text = bytes_argument(L, 2);
  const size_t from = offset_argument(L, 3, subject.size);
  if (from > subject.size) {
    luaL_pushfail(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || is_plain(text))) return find_text(L, subject, from, text);
  const bool anchored = text.size > 0 && text.begin[0] == '^';
  if (anchored) text = {text.begin + 1, text.size - 1};
  Pattern pattern;
  pattern.compile(L, text.begin, text.size);
  const char* begin = subject.begin + from;
  const char* end = nullptr;
  if (anchored) {
    end = pattern.match(L, subject.begin, subject.end(), begin);
  } else {
    begin = pattern.search(L, subject.begin, subject.end(), begin, end);
  }
  if (end == nullptr) {
    luaL_pushfail(L);
    return 1;
  }
  if (!find) return pattern.push_captures(L, begin, end, true);
  const int range = push_range(L, subject, begin, end);
  return range + pattern.push_captures(L, begin, end, false);
}

int l_find(lua_State* L) { return find_or_match(L, true); }
int l_match(lua_State* L) { return find_or_match(L, false); }

// ---- gmatch: the iterator's upvalues are the subject, the pattern, the compiled pattern, where to go on, the end of
// the last match (offsets; -1: none yet)

int l_next_match(lua_State* L) {
  constexpr int k_offset = lua_upvalueindex(4), k_last_end = lua_upvalueindex(5);
  Bytes subject{};
  subject.begin = lua_tolstring(L, lua_upvalueindex(1), &subject.size);
  auto* pattern = static_cast<Pattern*>(lua_touserdata(L, lua_upvalueindex(3)));
  const lua_Integer last_end = lua_tointeger(L, k_last_end);
  size_t from = size_t(lua_tointeger(L, k_offset));
  for (; from <= subject.size; ++from) {
    const char* end = nullptr;
    const char* begin = pattern->search(L, subject.begin, subject.end(), subject.begin + from, end);
    if (begin == nullptr) break;
    from = size_t(begin - subject.begin);
    if (end - subject.begin == last_end) continue;  // an empty match just behind the last one
    lua_pushinteger(L, end - subject.begin);
    lua_copy(L, -1, k_offset);
    lua_replace(L, k_last_end);
    return pattern->push_captures(L, begin, end, true);
  }
  lua_pushinteger(L, lua_Integer(subject.size) + 1);
  lua_replace(L, k_offset);
  return 0;
}

int l_gmatch(lua_State* L) {
  const Bytes subject = bytes_argument(L, 1);
  const Bytes text = bytes_argument(L, 2);
  const size_t from = offset_argument(L, 3, subject.size);
  lua_settop(L, 2);
  Pattern::push_compiled(L, text.begin, text.size);
  lua_pushinteger(L, lua_Integer(from > subject.size ? subject.size + 1 : from));
  lua_pushinteger(L, -1);
  lua_pushcclosure(L, l_next_match, 5);
  return 1;
}

// ---- gsub

// The replacement text with its %0 to %9.
void add_expanded(lua_State* L, luaL_Buffer* out, const Pattern& pattern, Bytes replacement, const char* begin,
                  const char* end) {
  const char* at = replacement.begin;
  while (const char* escape = static_cast<const char*>(std::memchr(at, '%', size_t(replacement.end() - at)))) {
    luaL_addlstring(out, at, size_t(escape - at));
    const char c = escape + 1 == replacement.end() ? 0 : escape[1];
    if (c == '%') {
      luaL_addchar(out, '%');
    } else if (c == '0') {
      luaL_addlstring(out, begin, size_t(end - begin));
    } else if (c >= '1' && c <= '9') {
      pattern.push_capture(L, c - '1', begin, end);
      luaL_addvalue(out);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
    at = escape + 2;
  }
  luaL_addlstring(out, at, size_t(replacement.end() - at));
}

// Adds what the match is replaced by; false when it stays as it is.
bool add_replacement(lua_State* L, luaL_Buffer* out, const Pattern& pattern, int type, const char* begin,
                     const char* end) {
  if (type == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    const int count = pattern.push_captures(L, begin, end, true);
    lua_call(L, count, 1);
  } else if (type == LUA_TTABLE) {
    pattern.push_capture(L, 0, begin, end);
    lua_gettable(L, 3);
  } else {
    Bytes replacement{};
    replacement.begin = lua_tolstring(L, 3, &replacement.size);
    add_expanded(L, out, pattern, replacement, begin, end);
    return true;
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(out, begin, size_t(end - begin));
    return false;
  }
  if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(out);
  return true;
}

int l_gsub(lua_State* L) {
  const Bytes subject = bytes_argument(L, 1);
  Bytes text = bytes_argument(L, 2);
  const int type = lua_type(L, 3);
  const lua_Integer most = luaL_optinteger(L, 4, lua_Integer(subject.size) + 1);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                   "string/function/table");
  if (type == LUA_TNUMBER) lua_tolstring(L, 3, nullptr);
  const bool anchored = text.size > 0 && text.begin[0] == '^';
  if (anchored) text = {text.begin + 1, text.size - 1};
  Pattern pattern;
  pattern.compile(L, text.begin, text.size);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  const char* at = subject.begin;
  const char* last_end = nullptr;
  lua_Integer count = 0;
  bool changed = false;
  while (count < most) {
    const char* end = nullptr;
    const char* begin = at;
    if (anchored) {
      end = pattern.match(L, subject.begin, subject.end(), at);
    } else {
      begin = pattern.search(L, subject.begin, subject.end(), at, end);
    }
    if (begin == nullptr || end == nullptr) break;
    luaL_addlstring(&out, at, size_t(begin - at));
    at = begin;
    if (end != last_end) {
      ++count;
      changed = add_replacement(L, &out, pattern, type, begin, end) || changed;
      at = last_end = end;
    } else if (at != subject.end()) {  // an empty match just behind the last one
      luaL_addchar(&out, *at++);
    } else {
      break;
    }
    if (anchored) break;
  }
  if (changed) {
    luaL_addlstring(&out, at, size_t(subject.end() - at));
    luaL_pushresult(&out);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, count);
  return 2;
}

// ---- rep and format: Lua's own stands as upvalue, and runs in the frame of the caller's call, so that messages name
// the script's line and function

int continue_as_stock(lua_State* L) { return lua_tocfunction(L, lua_upvalueindex(1))(L); }

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
  if (lua_Unsigned(count) > most / (size + separator) + 1) {
    raise(L, Error(code::k_limit, "string.rep: the result is too large"));
  }
  // A buffer that does not fit is refused without a collection: make room before.
  const size_t total = size_t(count) * (size + separator);
  state.charge(L, int64_t(total / (size + separator < 16 ? 1 : 16)));
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

// Replaces the field of the library on top of the stack by `guarded`, with the stock function as upvalue.
void wrap_field(lua_State* L, const char* name, lua_CFunction guarded) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, guarded, 1);
  lua_setfield(L, -2, name);
}

}  // namespace

// Also sets the metatable of strings, and hides it.
int l_open_string(lua_State* L) {
  static const luaL_Reg k_own[] = {
      {"find", l_find}, {"match", l_match}, {"gmatch", l_gmatch}, {"gsub", l_gsub}, {nullptr, nullptr}};
  lua_settop(L, 0);
  luaopen_string(L);
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  luaL_setfuncs(L, k_own, 0);
  wrap_field(L, "rep", l_rep);
  wrap_field(L, "format", l_format);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
  return 1;
}

int l_open_utf8(lua_State* L) {
  lua_settop(L, 0);
  return luaopen_utf8(L);
}

}  // namespace perilune::lua
