// Error <-> the error object of scripts.
// Promises: reading an error runs no script code and cannot raise: it walks the table with lua_next, which allocates
// nothing, and compares the keys as bytes.
// SPDX-License-Identifier: MIT
#include "bindings/lua/error_object.hpp"

#include <cstdlib>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/state_hidden.hpp"
#include "bindings/lua/tape.hpp"

namespace perilune::lua {
namespace {

constexpr int k_cause_depth_max = 16;

void set_string(lua_State* L, const char* name, const std::string& text) {
  if (text.empty()) return;
  lua_pushlstring(L, text.data(), text.size());
  lua_setfield(L, -2, name);
}

bool parse_data(State& state, const std::string& text) noexcept { return parse(text, state.tape()).ok(); }

std::string_view string_at(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) return {};
  size_t size = 0;
  const char* text = lua_tolstring(L, index, &size);
  return {text, size};
}

Error read_value(lua_State* L, int index, const char* code, int depth);

void read_suppressed(lua_State* L, int index, Error& error, int depth) {
  if (lua_type(L, index) != LUA_TTABLE) return;
  const int top = lua_gettop(L);
  for (lua_Integer item = 1; lua_rawgeti(L, index, item) != LUA_TNIL; ++item) {
    error.suppressed.push_back(read_value(L, top + 1, code::k_script, depth + 1));
    lua_settop(L, top);
  }
  lua_settop(L, top);
}

void read_field(lua_State* L, std::string_view name, int index, Error& error, int depth) {
  if (name == "code") {
    error.code = string_at(L, index);
  } else if (name == "message") {
    error.message = string_at(L, index);
  } else if (name == "step") {
    error.step = string_at(L, index);
  } else if (name == "traceback") {
    error.traceback = string_at(L, index);
  } else if (name == "attempt") {
    error.attempt = lua_type(L, index) == LUA_TNUMBER ? int(lua_tointeger(L, index)) : 0;
  } else if (name == "retry") {
    error.retry = lua_type(L, index) == LUA_TNIL || lua_toboolean(L, index);
  } else if (name == "retry_after") {
    if (lua_type(L, index) == LUA_TNUMBER) error.retry_after_s = lua_tonumber(L, index);
  } else if (name == "data") {
    std::string text;
    if (lua_type(L, index) != LUA_TNIL && encode(L, index, text, "data").ok()) error.data = std::move(text);
  } else if (name == "cause") {
    error.cause = std::make_shared<Error>(read_value(L, index, code::k_script, depth + 1));
  } else if (name == "suppressed") {
    read_suppressed(L, index, error, depth);
  }
}

Error read_object(lua_State* L, int index, const char* code, int depth) {
  Error error;
  const int top = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_settop(L, top + 1)) {
    read_field(L, string_at(L, top + 1), top + 2, error, depth);
  }
  lua_settop(L, top);
  if (error.code.empty()) error.code = code;
  return error;
}

// What Lua itself raises as text, but has a code here.
const char* code_of_text(lua_State* L, std::string_view text, const char* code) {
  if (text == "not enough memory" && State::of(L).hidden().memory_refused) return code::k_memory;
  if (text.ends_with("stack overflow") || text.find("stack overflow (") != text.npos) return code::k_limit;
  return code;
}

std::string number_text(lua_State* L, int index) {
  std::string text;
  (void)encode(L, index, text, "");
  return text.empty() ? "a number that is not finite" : text;
}

Error read_table(lua_State* L, int index, const char* code) {
  Error error(code, "an error object of type table");
  const int top = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_settop(L, top + 1)) {
    const std::string_view text = string_at(L, top + 2);
    if (string_at(L, top + 1) == "message" && !text.empty()) error.message = text;
    if (string_at(L, top + 1) == "code" && !text.empty()) error.code = text;
  }
  lua_settop(L, top);
  std::string data;
  if (encode(L, index, data, "error").ok()) error.data = std::move(data);
  return error;
}

Error read_value(lua_State* L, int index, const char* code, int depth) {
  if (depth > k_cause_depth_max || !lua_checkstack(L, 8)) return Error(code, "(an error nested too deeply)");
  switch (lua_type(L, index)) {
    case LUA_TSTRING: {
      const std::string_view text = string_at(L, index);
      return Error(code_of_text(L, text, code), std::string(text));
    }
    case LUA_TNIL:
      return Error(code, "nil error");
    case LUA_TNUMBER:
      return Error(code, number_text(L, index));
    case LUA_TBOOLEAN:
      return Error(code, lua_toboolean(L, index) ? "true" : "false");
    case LUA_TTABLE:
      return is_error_object(L, index) ? read_object(L, index, code, depth) : read_table(L, index, code);
    case LUA_TLIGHTUSERDATA:
      if (State::of(L).killed()) return State::of(L).kill_error();
      [[fallthrough]];
    default:
      return Error(code, std::string("an error object of type ") + lua_typename(L, lua_type(L, index)));
  }
}

// Keeps the error where a raise can't lose it, and adds the frames it is raised from.
void anchor(lua_State* L, Error&& error) noexcept {
  if (error.traceback.empty()) error.traceback = traceback_of(L);
  State::of(L).hidden().raised = std::make_unique<Error>(std::move(error));
}

void put_line(lua_State* L) noexcept { State::of(L).scratch() = one_line(error_from_value(L, 1, code::k_script)); }

int l_error_text(lua_State* L) {
  put_line(L);
  const std::string& line = State::of(L).scratch();
  lua_pushlstring(L, line.data(), line.size());
  return 1;
}

}  // namespace

void open_error_objects(lua_State* L) {
  lua_createtable(L, 0, 3);
  lua_pushcfunction(L, l_error_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "error");
  lua_setfield(L, -2, "__name");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  State::of(L).hidden().error_metatable = lua_topointer(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &registry::k_error_metatable);
}

void push_error(lua_State* L, const Error& error) {
  luaL_checkstack(L, 8, "error object");
  lua_createtable(L, 0, 8);
  set_string(L, "code", error.code);
  lua_pushlstring(L, error.message.data(), error.message.size());
  lua_setfield(L, -2, "message");
  set_string(L, "step", error.step);
  set_string(L, "traceback", error.traceback);
  lua_pushboolean(L, error.retry);
  lua_setfield(L, -2, "retry");
  if (error.attempt > 0) {
    lua_pushinteger(L, error.attempt);
    lua_setfield(L, -2, "attempt");
  }
  if (error.retry_after_s >= 0) {
    lua_pushnumber(L, error.retry_after_s);
    lua_setfield(L, -2, "retry_after");
  }
  if (!error.data.empty() && parse_data(State::of(L), error.data)) {
    push_tape(L, State::of(L).tape());
    lua_setfield(L, -2, "data");
  }
  if (error.cause) {
    push_error(L, *error.cause);
    lua_setfield(L, -2, "cause");
  }
  if (!error.suppressed.empty()) {
    lua_createtable(L, int(error.suppressed.size()), 0);
    tag_array(L, -1);
    for (size_t i = 0; i < error.suppressed.size(); ++i) {
      push_error(L, error.suppressed[i]);
      lua_rawseti(L, -2, lua_Integer(i) + 1);
    }
    lua_setfield(L, -2, "suppressed");
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_error_metatable);
  lua_setmetatable(L, -2);
}

bool is_error_object(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  const bool is = lua_topointer(L, -1) == State::of(L).hidden().error_metatable;
  lua_pop(L, 1);
  return is;
}

Error error_from_value(lua_State* L, int index, const char* code) {
  const int top = lua_gettop(L);
  Error error = read_value(L, lua_absindex(L, index), code, 0);
  lua_settop(L, top);
  return error;
}

void raise(lua_State* L, Error error) {
  anchor(L, std::move(error));  // moved by construction: what is left in `error` owns no memory
  push_error(L, *State::of(L).hidden().raised);
  lua_error(L);
  std::abort();  // lua_error does not return
}

}  // namespace perilune::lua
