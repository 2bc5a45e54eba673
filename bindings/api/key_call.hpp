// What store and session have in common: a call on values under keys, read from the stack and begun.
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "bindings/lua/script.hpp"
#include "runtime/flow/key_value.hpp"

namespace perilune::api {

// As trivial values; the values of keys are stack indices, 0 = none.
struct KeyArguments {
  flow::KeyCall::Act act = flow::KeyCall::Act::get;
  const char* name = "";
  std::string_view space, key;
  int value = 0, old = 0;
  int64_t ttl_us = 0, limit = 0;
};

// A key: a string that is not empty, of at most 1,024 bytes of UTF-8. Raises.
std::string_view check_key(lua_State* L, int index, const char* call);
// Begins the call and awaits it; raises when a value can't be saved.
int begin_key_call(lua_State* L, lua::LuaScript& script, const KeyArguments& arguments);
bool begin_key_operation(lua::LuaScript& script, flow::KeyCall call) noexcept;

}  // namespace perilune::api
