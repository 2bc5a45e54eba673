// sleep, now, uuid and checkpoint.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/flow/checkpoint.hpp"
#include "runtime/flow/timer.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;

namespace {

bool begin_sleep(LuaScript& script, std::string_view name, int64_t us) noexcept {
  LuaTask& task = *script.current();
  if (task.task().journaled()) {
    auto sleep = std::make_unique<flow::Sleep>(script.execution(), us, std::string(name));
    flow::Sleep& begun = *sleep;
    task.fill({std::move(sleep), lua::push_outcome, LUA_NOREF});
    return script.execution().begin(begun, task.task());
  }
  auto sleep = std::make_unique<flow::AttemptSleep>(script.execution());
  flow::AttemptSleep& begun = *sleep;
  task.fill({std::move(sleep), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task(), us);
}

// sleep([name], duration)
int l_sleep(lua_State* L) {
  LuaScript& script = lua::enter(L, "sleep", lua::Place::anywhere);
  bool named = lua_gettop(L) > 1;
  std::string_view name = named ? lua::check_text(L, 1, "sleep", "name") : "sleep";
  if (name.empty()) lua::raise_usage(L, code::k_usage, "sleep: the name must not be empty");
  int64_t us = lua::check_duration_us(L, named ? 2 : 1, "sleep");
  return lua::await(L, begin_sleep(script, name, us));
}

int l_now(lua_State* L) {
  lua_pushnumber(L, lua::enter_now(L, "now").now_s());
  return 1;
}

void make_uuid(Random& random, char* out) noexcept {
  std::array<uint8_t, 16> bytes;
  for (int half = 0; half < 2; ++half) {
    uint64_t bits = random.next();
    for (int i = 0; i < 8; ++i) bytes[half * 8 + i] = static_cast<uint8_t>(bits >> (8 * i));
  }
  std::string text = uuid_from_bytes(bytes);
  text.copy(out, 36);
}

int l_uuid(lua_State* L) {
  char text[36];
  make_uuid(lua::enter_now(L, "uuid").random(), text);
  lua_pushlstring(L, text, sizeof text);
  return 1;
}

bool begin_checkpoint(LuaScript& script, std::string_view name) noexcept {
  auto checkpoint = std::make_unique<flow::Checkpoint>(script.execution(), std::string(name));
  flow::Checkpoint& begun = *checkpoint;
  LuaTask& task = *script.current();
  task.fill({std::move(checkpoint), lua::push_outcome, LUA_NOREF});
  return script.execution().begin(begun, task.task());
}

int l_checkpoint(lua_State* L) {
  LuaScript& script = lua::enter(L, "checkpoint", lua::Place::body);
  std::string_view name = lua::check_text(L, 1, "checkpoint", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "checkpoint: the name must not be empty");
  return lua::await(L, begin_checkpoint(script, name));
}

int open_function(lua_State* L, lua_CFunction function) {
  lua_pushcfunction(L, function);
  return 1;
}

}  // namespace

int open_sleep(lua_State* L) { return open_function(L, l_sleep); }
int open_now(lua_State* L) { return open_function(L, l_now); }
int open_uuid(lua_State* L) { return open_function(L, l_uuid); }
int open_checkpoint(lua_State* L) { return open_function(L, l_checkpoint); }

}  // namespace perilune::api
