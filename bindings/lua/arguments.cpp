// Arguments and options; see arguments.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/arguments.hpp"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "bindings/lua/error_object.hpp"
#include "runtime/base/nearest.hpp"
#include "runtime/base/units.hpp"

namespace perilune::lua {

namespace {

// Built in the work part: no Lua call in here.
void unknown_option_text(char* out, size_t size, const char* call, std::string_view name,
                         std::span<const std::string_view> names) noexcept {
  std::string text = unknown_name("option", name, call, names);
  std::snprintf(out, size, "%s", text.c_str());
}

bool duration_text(std::string_view text, int64_t& us, char* out, size_t size) noexcept {
  Result<int64_t> parsed = parse_duration_us(text);
  if (parsed.ok()) {
    us = *parsed;
    return true;
  }
  std::snprintf(out, size, "%s", parsed.error().message.c_str());
  return false;
}

void make_error(lua_State* L, const char* code, const char* text) { raise(L, Error(code, text)); }

}  // namespace

void raise_usage(lua_State* L, const char* code, const char* format, ...) {
  char text[1000];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  make_error(L, code, text);
  __builtin_unreachable();
}

Options::Options(lua_State* L, int index, const char* call, std::span<const std::string_view> names)
    : L_(L), index_(0), call_(call) {
  int type = lua_type(L, index);
  if (type == LUA_TNIL || type == LUA_TNONE) return;
  if (type != LUA_TTABLE)
    raise_usage(L, code::k_usage, "%s: options must be a table, not a %s", call, lua_typename(L, type));
  index_ = lua_absindex(L, index);
  lua_pushnil(L);
  while (lua_next(L, index_) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      raise_usage(L, code::k_usage, "%s: options have names, but there is one under a %s", call, luaL_typename(L, -1));
    size_t length = 0;
    const char* name = lua_tolstring(L, -1, &length);
    bool known = false;
    for (std::string_view valid : names) known = known || valid == std::string_view(name, length);
    if (known) continue;
    char text[600];
    unknown_option_text(text, sizeof text, call, {name, length}, names);
    raise_usage(L, code::k_usage, "%s", text);
  }
}

int Options::push(const char* name) const {
  if (index_ == 0) {
    lua_pushnil(L_);
    return LUA_TNIL;
  }
  lua_pushstring(L_, name);
  return lua_rawget(L_, index_);
}

bool Options::has(const char* name) const {
  bool is = push(name) != LUA_TNIL;
  lua_pop(L_, 1);
  return is;
}

void Options::wrong(const char* name, const char* expected) const {
  push(name);
  const char* shown =
      lua_type(L_, -1) == LUA_TSTRING || lua_type(L_, -1) == LUA_TNUMBER ? lua_tostring(L_, -1) : luaL_typename(L_, -1);
  raise_usage(L_, code::k_usage, "%s: option '%s' must be %s, not %.100s", call_, name, expected, shown);
}

bool Options::boolean(const char* name, bool fallback) const {
  int type = push(name);
  bool value = lua_toboolean(L_, -1);
  lua_pop(L_, 1);
  if (type == LUA_TNIL) return fallback;
  if (type != LUA_TBOOLEAN) wrong(name, "true or false");
  return value;
}

int64_t Options::integer(const char* name, int64_t fallback, int64_t minimum, int64_t maximum) const {
  int type = push(name);
  int is_integer = 0;
  int64_t value = type == LUA_TNUMBER ? lua_tointegerx(L_, -1, &is_integer) : 0;
  lua_pop(L_, 1);
  if (type == LUA_TNIL) return fallback;
  char expected[80];
  std::snprintf(expected, sizeof expected, "an integer of at least %lld", static_cast<long long>(minimum));
  if (is_integer == 0 || value < minimum || value > maximum) wrong(name, expected);
  return value;
}

double Options::number(const char* name, double fallback, double minimum) const {
  int type = push(name);
  double value = type == LUA_TNUMBER ? lua_tonumber(L_, -1) : 0;
  lua_pop(L_, 1);
  if (type == LUA_TNIL) return fallback;
  char expected[80];
  std::snprintf(expected, sizeof expected, "a number of at least %g", minimum);
  if (type != LUA_TNUMBER || !std::isfinite(value) || value < minimum) wrong(name, expected);
  return value;
}

int64_t Options::duration_us(const char* name, int64_t fallback) const {
  if (push(name) == LUA_TNIL) {
    lua_pop(L_, 1);
    return fallback;
  }
  char what[120];
  std::snprintf(what, sizeof what, "%s: option '%s'", call_, name);
  int64_t value = check_duration_us(L_, lua_gettop(L_), what);
  lua_pop(L_, 1);
  return value;
}

const char* Options::text(const char* name, const char* fallback) const {
  int type = push(name);
  const char* value = type == LUA_TSTRING ? lua_tostring(L_, -1) : nullptr;
  lua_pop(L_, 1);
  if (type == LUA_TNIL) return fallback;
  if (type != LUA_TSTRING) wrong(name, "a string");
  return value;
}

int Options::choice(const char* name, std::span<const std::string_view> choices, int fallback) const {
  if (!has(name)) return fallback;
  const char* value = text(name, "");
  for (size_t i = 0; i < choices.size(); ++i)
    if (choices[i] == value) return static_cast<int>(i);
  char expected[200] = "one of";
  for (std::string_view one : choices) {
    size_t used = std::strlen(expected);
    std::snprintf(expected + used, sizeof expected - used, " \"%.*s\"", static_cast<int>(one.size()), one.data());
  }
  wrong(name, expected);
}

int64_t check_duration_us(lua_State* L, int index, const char* what) {
  char wrong[300];
  if (lua_type(L, index) == LUA_TNUMBER) {
    double seconds = lua_tonumber(L, index);
    if (seconds >= 0 && seconds < 9e12) return static_cast<int64_t>(seconds * 1e6);
    raise_usage(L, code::k_usage, "%s: %g is no duration: seconds can't be negative, infinite or not a number", what,
                seconds);
  }
  if (lua_type(L, index) != LUA_TSTRING)
    raise_usage(L, code::k_usage, "%s: a duration is a number of seconds or a text such as \"1h30m\", not a %s", what,
                luaL_typename(L, index));
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  int64_t us = 0;
  if (!duration_text({text, length}, us, wrong, sizeof wrong)) raise_usage(L, code::k_usage, "%s: %s", what, wrong);
  return us;
}

std::string_view check_text(lua_State* L, int index, const char* call, const char* what) {
  if (lua_type(L, index) != LUA_TSTRING)
    raise_usage(L, code::k_usage, "%s: the %s must be a string, not a %s", call, what, luaL_typename(L, index));
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  return {text, length};
}

void check_function(lua_State* L, int index, const char* call, const char* what) {
  if (lua_type(L, index) != LUA_TFUNCTION)
    raise_usage(L, code::k_usage, "%s: the %s must be a function, not a %s", call, what, luaL_typename(L, index));
}

}  // namespace perilune::lua
