// The base functions of scripts and debug.traceback. Where they differ from Lua's: pcall and xpcall let a kill through
// (and make a memory error one), print goes to the log, the tables of the API stay as they are, nothing shows an
// address. SPDX-License-Identifier: MIT
#include <cctype>
#include <cstring>

#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_table.hpp"

namespace perilune::lua {
namespace {

int l_assert(lua_State* L) {
  if (lua_toboolean(L, 1)) return lua_gettop(L);
  luaL_checkany(L, 1);
  lua_remove(L, 1);
  lua_pushliteral(L, "assertion failed!");
  lua_settop(L, 1);  // the message, or else the default
  return lua_error(L);
}

int l_error(lua_State* L) {
  const int level = int(luaL_optinteger(L, 2, 1));
  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING && level > 0) {
    luaL_where(L, level);
    lua_insert(L, 1);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

// ---- pcall and xpcall: `first` is the index of the first result when all is well

int finish_protected(lua_State* L, int status, lua_KContext first) {
  State::of(L).after_protected_call(L, status);
  if (status == LUA_OK || status == LUA_YIELD) {
    lua_pushboolean(L, 1);
    lua_replace(L, int(first) - 1);
    return lua_gettop(L) - int(first) + 2;
  }
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

// Stack: a place for `true`, the function, its arguments.
int l_pcall(lua_State* L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  const int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 2, finish_protected);
  return finish_protected(L, status, 2);
}

// The handler of the script, as upvalue: not run for a kill, which it could only get in the way of.
int l_handler(lua_State* L) {
  lua_settop(L, 1);
  if (State::of(L).killed()) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

// Stack: the handler, a place for `true`, the function, its arguments.
int l_xpcall(lua_State* L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, l_handler, 1);
  lua_replace(L, 2);
  lua_pushvalue(L, 1);
  lua_insert(L, 3);
  lua_pushvalue(L, 2);
  lua_replace(L, 1);
  const int status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, 3, finish_protected);
  return finish_protected(L, status, 3);
}

// ---- tables without metamethods

int l_rawequal(lua_State* L) {
  luaL_checkany(L, 1);
  luaL_checkany(L, 2);
  lua_pushboolean(L, lua_rawequal(L, 1, 2));
  return 1;
}

int l_rawget(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (is_state_table(L, 1)) {   // it has no metamethods but those that find its content
    lua_gettable(L, 1);
    return 1;
  }
  if (push_behind_lock(L, 1)) lua_replace(L, 1);
  lua_rawget(L, 1);
  return 1;
}

int l_rawlen(lua_State* L) {
  const int type = lua_type(L, 1);
  luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
  if (is_state_table(L, 1)) push_behind_state(L, 1), lua_replace(L, 1);
  lua_pushinteger(L, lua_Integer(lua_rawlen(L, 1)));
  return 1;
}

int l_ipairs_step(lua_State* L) {
  const lua_Integer item = luaL_checkinteger(L, 2) + 1;
  lua_pushinteger(L, item);
  return lua_geti(L, 1, item) == LUA_TNIL ? 1 : 2;
}

int l_ipairs(lua_State* L) {
  luaL_checkany(L, 1);
  lua_pushcfunction(L, l_ipairs_step);
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

// ---- values

int l_select(lua_State* L) {
  const int count = lua_gettop(L);
  if (lua_type(L, 1) == LUA_TSTRING && std::strcmp(lua_tostring(L, 1), "#") == 0) {
    lua_pushinteger(L, count - 1);
    return 1;
  }
  lua_Integer from = luaL_checkinteger(L, 1);
  if (from < 0) {
    from += count;
  } else if (from > count) {
    from = count;
  }
  luaL_argcheck(L, from >= 1, 1, "index out of range");
  return count - int(from);
}

int digit_value(unsigned char c) { return std::isdigit(c) ? c - '0' : std::toupper(c) - 'A' + 10; }

// The integer that `text` spells in `base`; false when it does not.
bool spells_integer(const char* text, const char* end, int base, lua_Integer& out) {
  const auto skip = [&] {
    while (text != end && std::isspace(static_cast<unsigned char>(*text))) ++text;
  };
  skip();
  const bool negative = text != end && *text == '-';
  if (negative) ++text;
  if (text == end || !std::isalnum(static_cast<unsigned char>(*text))) return false;
  lua_Unsigned value = 0;
  for (; text != end && std::isalnum(static_cast<unsigned char>(*text)); ++text) {
    const int digit = digit_value(static_cast<unsigned char>(*text));
    if (digit >= base) return false;
    value = value * lua_Unsigned(base) + lua_Unsigned(digit);
  }
  skip();
  out = static_cast<lua_Integer>(negative ? 0u - value : value);
  return text == end;
}

int l_tonumber(lua_State* L) {
  size_t size = 0;
  if (lua_isnoneornil(L, 2)) {
    luaL_checkany(L, 1);
    if (lua_type(L, 1) == LUA_TNUMBER) {
      lua_settop(L, 1);
      return 1;
    }
    const char* text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &size) : nullptr;
    if (text != nullptr && lua_stringtonumber(L, text) == size + 1) return 1;
    luaL_pushfail(L);
    return 1;
  }
  const lua_Integer base = luaL_checkinteger(L, 2);
  luaL_checktype(L, 1, LUA_TSTRING);
  luaL_argcheck(L, base >= 2 && base <= 36, 2, "base out of range");
  const char* text = lua_tolstring(L, 1, &size);
  lua_Integer number = 0;
  if (spells_integer(text, text + size, int(base), number)) {
    lua_pushinteger(L, number);
  } else {
    luaL_pushfail(L);
  }
  return 1;
}

int l_type(lua_State* L) {
  luaL_argcheck(L, lua_type(L, 1) != LUA_TNONE, 1, "value expected");
  lua_pushstring(L, luaL_typename(L, 1));
  return 1;
}

int l_print(lua_State* L) {
  const int count = lua_gettop(L);
  for (int i = 1; i <= count; ++i) {
    push_text(L, i);
    lua_replace(L, i);
  }
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; ++i) {
    if (i > 1) luaL_addchar(&line, '\t');
    lua_pushvalue(L, i);
    luaL_addvalue(&line);
  }
  luaL_pushresult(&line);
  size_t size = 0;
  const char* text = lua_tolstring(L, -1, &size);
  State::of(L).surroundings().log("info", {text, size}, {});
  return 0;
}

// ---- debug

void put_traceback(lua_State* L, lua_State* of) noexcept {
  std::string& out = State::of(L).scratch();
  out = "stack traceback:";
  const std::string frames = traceback_of(of);
  size_t from = 0;
  while (from < frames.size()) {
    const size_t end = std::min(frames.find('\n', from), frames.size());
    out += "\n\t" + frames.substr(from, end - from);
    from = end + 1;
  }
}

// traceback([coroutine,] [message]): the level argument of Lua is accepted and has no effect.
int l_traceback(lua_State* L) {
  lua_State* of = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  const int message = lua_isthread(L, 1) ? 2 : 1;
  if (!lua_isnoneornil(L, message) && !lua_isstring(L, message)) {
    lua_settop(L, message);
    return 1;
  }
  put_traceback(L, of);
  const std::string& text = State::of(L).scratch();
  if (lua_isnoneornil(L, message)) {
    lua_pushlstring(L, text.data(), text.size());
    return 1;
  }
  lua_settop(L, message);
  lua_pushliteral(L, "\n");
  lua_pushlstring(L, text.data(), text.size());
  lua_concat(L, 3);
  return 1;
}

}  // namespace

int l_open_debug(lua_State* L) {
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_traceback);
  lua_setfield(L, -2, "traceback");
  return 1;
}

const BaseFunction* base_functions() {
  static constexpr BaseFunction k_functions[] = {{"assert", l_assert},
                                                 {"error", l_error},
                                                 {"getmetatable", l_getmetatable},
                                                 {"ipairs", l_ipairs},
                                                 {"load", l_load},
                                                 {"next", l_next},
                                                 {"pairs", l_pairs},
                                                 {"pcall", l_pcall},
                                                 {"print", l_print},
                                                 {"rawequal", l_rawequal},
                                                 {"rawget", l_rawget},
                                                 {"rawlen", l_rawlen},
                                                 {"rawset", l_rawset},
                                                 {"require", l_require},
                                                 {"select", l_select},
                                                 {"setmetatable", l_setmetatable},
                                                 {"tonumber", l_tonumber},
                                                 {"tostring", l_tostring},
                                                 {"type", l_type},
                                                 {"xpcall", l_xpcall},
                                                 {nullptr, nullptr}};
  return k_functions;
}

}  // namespace perilune::lua
