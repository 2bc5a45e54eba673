// Reading arguments and option tables of API functions. Everything here may raise and holds nothing with a destructor;
// texts are pointers into Lua strings, good while the argument is on the stack.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "bindings/lua/state.hpp"

namespace perilune::lua {

// Raises an error object with this code and a printf-like message (at most 1,000 characters).
[[noreturn]] void raise_usage(lua_State* L, const char* code, const char* format, ...)
    __attribute__((format(printf, 3, 4)));

// The options of a call: an optional table, whose keys must be among `names`.
class Options {
 public:
  // `index` holds nil, nothing or a table; anything else and unknown keys are errors (with the nearest valid name).
  Options(lua_State* L, int index, const char* call, std::span<const std::string_view> names);
  bool given() const { return index_ != 0; }

  bool has(const char* name) const;
  // Each gives `fallback` when the option is absent, and raises when it is of another kind.
  bool boolean(const char* name, bool fallback) const;
  int64_t integer(const char* name, int64_t fallback, int64_t minimum, int64_t maximum) const;
  double number(const char* name, double fallback, double minimum) const;
  int64_t duration_us(const char* name, int64_t fallback) const;
  const char* text(const char* name, const char* fallback) const;        // of a string that stays in the table
  // One of `choices`; the index of it.
  int choice(const char* name, std::span<const std::string_view> choices, int fallback) const;
  // Pushes the option's value (nil when absent) and gives its type.
  int push(const char* name) const;
  [[noreturn]] void wrong(const char* name, const char* expected) const;

 private:
  lua_State* L_;
  int index_;        // absolute, or 0
  const char* call_;
};

// A duration at a stack index: a number of seconds or a text such as "1h30m". Raises with `what` in the message.
int64_t check_duration_us(lua_State* L, int index, const char* what);
// A string argument (numbers are not taken for one).
std::string_view check_text(lua_State* L, int index, const char* call, const char* what);
// A function argument.
void check_function(lua_State* L, int index, const char* call, const char* what);

}  // namespace perilune::lua
