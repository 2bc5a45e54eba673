// receive(name, { timeout =, buffer = }) -> value, or nil and "timeout"; send(run_id, name, value).
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/receive.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr std::string_view k_receive_options[] = {"timeout", "buffer"};

int push_signal(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  lua::push_outcome(L, task, outcome);
  if (!static_cast<flow::Receive&>(*task.slot().operation).timed_out()) return 1;
  lua_pushliteral(L, "timeout");
  return 2;
}

bool begin_receive(LuaScript& script, std::string_view name, int64_t timeout_us, bool buffered) noexcept {
  auto receive = std::make_unique<flow::Receive>(script.execution(), std::string(name), timeout_us, buffered);
  flow::Receive& begun = *receive;
  LuaTask& task = *script.current();
  task.fill({std::move(receive), push_signal, LUA_NOREF});
  return begun.begin_receive(task.task());
}

int l_receive(lua_State* L) {
  LuaScript& script = lua::enter(L, "receive", lua::Place::body);
  std::string_view name = lua::check_text(L, 1, "receive", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "receive: the name must not be empty");
  lua_settop(L, 2);
  Options options(L, 2, "receive", k_receive_options);
  int64_t timeout_us = options.duration_us("timeout", -1);
  bool buffered = options.boolean("buffer", true);
  return lua::await(L, begin_receive(script, name, timeout_us, buffered));
}

// Work: false with an error in script.pending_error().
bool begin_send(lua_State* L, LuaScript& script, std::string_view run, std::string_view name, bool& ready) noexcept {
  std::string value;
  Result<void> encoded = lua::encode(L, 3, value, "signal");
  if (!encoded.ok()) {
    script.pending_error() = std::move(encoded.error());
    return false;
  }
  engine::RunContext& context = script.context();
  auto send = std::make_unique<flow::Send>(
      script.execution(), std::string(run), std::string(name), std::move(value),
      [&context](const std::string& to, const std::string& signal, const std::string& json, const std::string& id,
                 std::function<void(Result<void>)> done) { context.send_signal(to, signal, json, id, std::move(done)); });
  flow::Send& begun = *send;
  LuaTask& task = *script.current();
  task.fill({std::move(send), lua::push_outcome, LUA_NOREF});
  ready = script.execution().begin(begun, task.task());
  return true;
}

int l_send(lua_State* L) {
  LuaScript& script = lua::enter(L, "send", lua::Place::body);
  std::string_view run = lua::check_text(L, 1, "send", "run id");
  std::string_view name = lua::check_text(L, 2, "send", "name");
  lua_settop(L, 3);
  bool ready = false;
  if (!begin_send(L, script, run, name, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

}  // namespace

int open_receive(lua_State* L) {
  lua_pushcfunction(L, l_receive);
  return 1;
}

int open_send(lua_State* L) {
  lua_pushcfunction(L, l_send);
  return 1;
}

}  // namespace perilune::api
