// math and os: what a replay must see again comes from the Surroundings. math.random draws from the run's own stream;
// os.time, os.clock and os.date follow now(), and dates are in UTC, because a local time zone differs between machines.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstring>
#include <ctime>

#include "bindings/lua/libraries.hpp"

namespace perilune::lua {
namespace {

// ---- math.random

int l_random(lua_State* L) {
  Random& random = State::of(L).surroundings().random();
  lua_Integer low = 1, high = 0;
  switch (lua_gettop(L)) {
    case 0:
      lua_pushnumber(L, random.uniform());
      return 1;
    case 1:
      high = luaL_checkinteger(L, 1);
      if (high == 0) {
        lua_pushinteger(L, static_cast<lua_Integer>(random.next()));
        return 1;
      }
      break;
    case 2:
      low = luaL_checkinteger(L, 1);
      high = luaL_checkinteger(L, 2);
      break;
    default:
      return luaL_error(L, "wrong number of arguments");
  }
  luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
  const uint64_t count = uint64_t(high) - uint64_t(low) + 1;  // 0: all 2^64
  const uint64_t drawn = count == 0 ? random.next() : random.below(count);
  lua_pushinteger(L, static_cast<lua_Integer>(uint64_t(low) + drawn));
  return 1;
}

int l_randomseed(lua_State* L) {
  return luaL_error(L, "math.randomseed: the run is seeded already, so that a replay draws the same numbers");
}

// ---- os

constexpr int64_t k_day_s = 86'400;
constexpr int64_t k_year_max = 1'000'000;  // a date's year stays within +-

// Days since 1970 of a date in the Gregorian calendar; month may be any number (13 = January of the next year).
int64_t days_of(int64_t year, int64_t month, int64_t day) {
  int64_t months = year * 12 + month - 1 - 2;  // counted from a March
  int64_t y = months >= 0 ? months / 12 : (months - 11) / 12;
  const int64_t m = months - y * 12;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  y -= era * 400;
  const int64_t day_of_era = y * 365 + y / 4 - y / 100 + (153 * m + 2) / 5;
  return era * 146'097 + day_of_era - 719'468 + day - 1;
}

int64_t now_s(lua_State* L) { return static_cast<int64_t>(std::floor(State::of(L).surroundings().now_s())); }

int64_t date_field(lua_State* L, const char* name, int64_t missing) {
  const int type = lua_getfield(L, 1, name);
  int is_integer = 0;
  const lua_Integer value = lua_tointegerx(L, -1, &is_integer);
  lua_pop(L, 1);
  if (type == LUA_TNIL && missing != INT64_MIN) return missing;
  if (!is_integer) {
    return luaL_error(L, type == LUA_TNIL ? "field '%s' missing in date table" : "field '%s' is not an integer", name);
  }
  if (value > INT32_MAX || value < INT32_MIN) return luaL_error(L, "field '%s' is out-of-bound", name);
  return value;
}

bool split_time(lua_State* L, int64_t time, std::tm& out) {
  const std::time_t seconds = static_cast<std::time_t>(time);
  if (gmtime_r(&seconds, &out) != nullptr && std::llabs(out.tm_year) < k_year_max) return true;
  luaL_error(L, "date result cannot be represented");
  return false;
}

void set_date_fields(lua_State* L, int table, const std::tm& date) {
  const struct {
    const char* name;
    int value;
  } fields[] = {{"year", date.tm_year + 1900}, {"month", date.tm_mon + 1}, {"day", date.tm_mday},
                {"hour", date.tm_hour},        {"min", date.tm_min},       {"sec", date.tm_sec},
                {"yday", date.tm_yday + 1},    {"wday", date.tm_wday + 1}};
  for (const auto& field : fields) {
    lua_pushinteger(L, field.value);
    lua_setfield(L, table, field.name);
  }
  lua_pushboolean(L, 0);
  lua_setfield(L, table, "isdst");
}

int l_time(lua_State* L) {
  if (lua_isnoneornil(L, 1)) {
    lua_pushinteger(L, now_s(L));
    return 1;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  const int64_t days =
      days_of(date_field(L, "year", INT64_MIN), date_field(L, "month", INT64_MIN), date_field(L, "day", INT64_MIN));
  const int64_t time =
      days * k_day_s + date_field(L, "hour", 12) * 3600 + date_field(L, "min", 0) * 60 + date_field(L, "sec", 0);
  std::tm date{};
  split_time(L, time, date);
  set_date_fields(L, 1, date);
  lua_pushinteger(L, time);
  return 1;
}

// One conversion of os.date. Only those of C99 without modifiers are let through: others may crash the C library.
void add_conversion(lua_State* L, luaL_Buffer* out, char letter, const std::tm& date) {
  static constexpr char k_known[] = "aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ%";
  if (letter == 0 || std::strchr(k_known, letter) == nullptr) {
    luaL_error(L, "os.date: unknown conversion '%%%c'", letter == 0 ? ' ' : letter);
  }
  const char format[] = {'%', letter, 0};
  char text[128];
  luaL_addlstring(out, text, std::strftime(text, sizeof text, format, &date));
}

int l_date(lua_State* L) {
  size_t size = 0;
  const char* format = luaL_optlstring(L, 1, "%c", &size);
  const int64_t time = lua_isnoneornil(L, 2) ? now_s(L) : luaL_checkinteger(L, 2);
  const char* const end = format + size;
  if (format != end && *format == '!') ++format;  // UTC, as without it
  std::tm date{};
  split_time(L, time, date);
  if (end - format >= 2 && std::strncmp(format, "*t", 2) == 0) {
    lua_createtable(L, 0, 9);
    set_date_fields(L, lua_gettop(L), date);
    return 1;
  }
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (const char* at = format; at != end; ++at) {
    if (*at != '%') {
      luaL_addchar(&out, *at);
    } else {
      ++at;
      add_conversion(L, &out, at == end ? '\0' : *at, date);
    }
  }
  luaL_pushresult(&out);
  return 1;
}

int l_clock(lua_State* L) {
  lua_pushnumber(L, State::of(L).surroundings().now_s());
  return 1;
}

int l_difftime(lua_State* L) {
  lua_pushnumber(L, luaL_checknumber(L, 1) - luaL_checknumber(L, 2));
  return 1;
}

}  // namespace

int l_open_math(lua_State* L) {
  lua_settop(L, 0);
  luaopen_math(L);
  // Some builds of Lua still carry these; a script that uses them would not run on the others.
  for (const char* old : {"atan2", "cosh", "frexp", "ldexp", "log10", "pow", "sinh", "tanh"}) {
    lua_pushnil(L);
    lua_setfield(L, -2, old);
  }
  lua_pushcfunction(L, l_random);
  lua_setfield(L, -2, "random");
  lua_pushcfunction(L, l_randomseed);
  lua_setfield(L, -2, "randomseed");
  return 1;
}

int l_open_os(lua_State* L) {
  static const luaL_Reg k_functions[] = {
      {"clock", l_clock}, {"date", l_date}, {"difftime", l_difftime}, {"time", l_time}, {nullptr, nullptr}};
  lua_createtable(L, 0, 4);
  luaL_setfuncs(L, k_functions, 0);
  return 1;
}

}  // namespace perilune::lua
