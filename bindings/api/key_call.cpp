// See key_call.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/key_call.hpp"

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/utf8_text.hpp"

namespace perilune::api {

using flow::KeyCall;
using lua::LuaScript;
using lua::LuaTask;

namespace {

constexpr size_t k_key_bytes_max = 1024;

bool encode_value(lua_State* L, LuaScript& script, int index, const char* name, std::optional<std::string>& out) {
  if (index == 0 || lua_isnil(L, index)) return true;
  std::string text;
  Result<void> encoded = lua::encode(L, index, text, std::string(name) + ": value");
  if (!encoded.ok()) {
    script.pending_error() = std::move(encoded.error());
    return false;
  }
  out = std::move(text);
  return true;
}

// The work part: false with an error in script.pending_error().
bool begin(lua_State* L, LuaScript& script, const KeyArguments& arguments, bool& ready) noexcept {
  KeyCall call;
  call.act = arguments.act;
  call.name = arguments.name;
  call.space = arguments.space;
  call.key = arguments.key;
  call.ttl_us = arguments.ttl_us;
  call.limit = arguments.limit;
  if (!encode_value(L, script, arguments.value, arguments.name, call.value)) return false;
  if (!encode_value(L, script, arguments.old, arguments.name, call.old)) return false;
  ready = begin_key_operation(script, std::move(call));
  return true;
}

}  // namespace

std::string_view check_key(lua_State* L, int index, const char* call) {
  std::string_view key = lua::check_text(L, index, call, "key");
  if (key.empty()) lua::raise_usage(L, code::k_usage, "%s: the key must not be empty", call);
  if (key.size() > k_key_bytes_max || !lua::is_utf8(key.data(), key.size()))
    lua::raise_usage(L, code::k_usage, "%s: a key has at most 1024 bytes, of UTF-8", call);
  return key;
}

bool begin_key_operation(LuaScript& script, KeyCall call) noexcept {
  auto operation = std::make_unique<flow::KeyOperation>(script.execution(), script.context().key_values(), std::move(call));
  flow::KeyOperation& begun = *operation;
  LuaTask& task = *script.current();
  task.fill({std::move(operation), lua::push_outcome, LUA_NOREF});
  return script.execution().begin(begun, task.task());
}

int begin_key_call(lua_State* L, LuaScript& script, const KeyArguments& arguments) {
  bool ready = false;
  if (!begin(L, script, arguments, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

}  // namespace perilune::api
