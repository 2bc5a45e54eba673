// lock(name, { timeout =, across = "runs" }, fn): a critical section, of the run or of all runs; gives what fn returns.
// See flow/lock.hpp and flow/shared_lock.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "runtime/flow/lock.hpp"
#include "runtime/flow/shared_lock.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr std::string_view k_options[] = {"timeout", "across"};
constexpr std::string_view k_reaches[] = {"run", "runs"};

bool begin_lock(LuaScript& script, std::string_view name, int64_t timeout_us) noexcept {
  auto lock = std::make_unique<flow::Lock>(script.execution(), std::string(name), timeout_us);
  flow::Lock& begun = *lock;
  LuaTask& task = *script.current();
  task.fill({std::move(lock), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task());
}

void release(LuaScript& script, std::string_view name) noexcept {
  script.execution().locks().release(std::string(name), script.current()->task());
}

// Stack: 1 the name, then what fn returned, or the error.
int section_ended(lua_State* L, int status, lua_KContext) {
  LuaScript& script = lua::enter_now(L, "lock");
  size_t length = 0;
  const char* name = lua_tolstring(L, 1, &length);
  release(script, {name, length});
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  lua::State::of(L).after_protected_call(L, status);
  return lua_error(L);
}

int taken(lua_State* L, int, lua_KContext) {   // name, fn
  LuaTask& task = *lua::enter_now(L, "lock").current();
  task::Outcome& outcome = task.task().outcome;
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  lua_settop(L, 2);
  int status = lua_pcallk(L, 0, LUA_MULTRET, 0, 0, section_ended);
  return section_ended(L, status, 0);
}

// ---- across runs

bool begin_shared(LuaScript& script, std::string_view name, int64_t timeout_us) noexcept {
  auto lock = std::make_unique<flow::SharedLock>(script.execution(), script.context().shared_locks(), std::string(name),
                                                 timeout_us);
  flow::SharedLock& begun = *lock;
  LuaTask& task = *script.current();
  task.fill({std::move(lock), lua::push_outcome, LUA_NOREF});
  return script.execution().begin(begun, task.task());
}

void leave(LuaScript& script, std::string_view name, lua_Integer op, lua_Integer fingerprint) noexcept {
  flow::leave_section(script.execution(), script.context().shared_locks(), std::string(name),
                      static_cast<uint64_t>(fingerprint),
                      {script.execution().row().id, script.current()->task().id, static_cast<uint32_t>(op)});
}

// Stack: 1 the name, 2 the number of the call, 3 its fingerprint, then what fn returned, or the error.
int shared_section_ended(lua_State* L, int status, lua_KContext) {
  LuaScript& script = lua::enter_now(L, "lock");
  size_t length = 0;
  const char* name = lua_tolstring(L, 1, &length);
  leave(script, {name, length}, lua_tointeger(L, 2), lua_tointeger(L, 3));
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 3;
  lua::State::of(L).after_protected_call(L, status);
  return lua_error(L);
}

int shared_taken(lua_State* L, int, lua_KContext) {   // name, fn
  LuaTask& task = *lua::enter_now(L, "lock").current();
  task::Outcome& outcome = task.task().outcome;
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  const auto& lock = static_cast<flow::SharedLock&>(*task.slot().operation);
  lua_settop(L, 2);
  lua_pushinteger(L, lock.number());
  lua_insert(L, 2);
  lua_pushinteger(L, static_cast<lua_Integer>(lock.fingerprint()));
  lua_insert(L, 3);
  int status = lua_pcallk(L, 0, LUA_MULTRET, 0, 0, shared_section_ended);
  return shared_section_ended(L, status, 0);
}

int l_lock(lua_State* L) {
  LuaScript& script = lua::enter(L, "lock", lua::Place::body);
  if (lua_gettop(L) == 2) {   // the options may be left out
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  lua_settop(L, 3);
  std::string_view name = lua::check_text(L, 1, "lock", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "lock: the name must not be empty");
  lua::check_function(L, 3, "lock", "last argument");
  Options options(L, 2, "lock", k_options);
  bool shared = options.choice("across", k_reaches, 0) == 1;
  int64_t timeout_us = options.duration_us("timeout", 0);
  if (options.has("timeout") && timeout_us <= 0) options.wrong("timeout", "longer than nothing");
  lua_remove(L, 2);
  if (shared) return begin_shared(script, name, timeout_us) ? shared_taken(L, LUA_OK, 0) : lua::suspend(L, shared_taken);
  return begin_lock(script, name, timeout_us) ? taken(L, LUA_OK, 0) : lua::suspend(L, taken);
}

}  // namespace

int open_lock(lua_State* L) {
  lua_pushcfunction(L, l_lock);
  return 1;
}

}  // namespace perilune::api
