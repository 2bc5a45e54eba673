// Attempts of a step in Lua: the attempt object and the calls; see step_code.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/step_code.hpp"

#include "bindings/api/undo.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;

namespace {

constexpr const char* k_attempt = "perilune.attempt";

task::AttemptContext& attempt_of(lua_State* L, const char* what) {
  LuaScript& script = lua::enter_now(L, what);
  task::AttemptContext* attempt = script.current() == nullptr ? nullptr : script.current()->task().attempt;
  if (attempt == nullptr) lua::raise_usage(L, code::k_usage, "%s is of the running attempt alone: it has ended", what);
  return *attempt;
}

void send_heartbeat(lua_State* L, task::AttemptContext& attempt, std::unique_ptr<Error>& error) noexcept {
  std::string text;
  Result<void> encoded = lua::encode(L, 1, text, "progress");
  if (encoded.ok()) attempt.heartbeat(std::move(text));
  else error = std::make_unique<Error>(std::move(encoded.error()));
}

int l_heartbeat(lua_State* L) {
  lua_settop(L, 1);
  task::AttemptContext& attempt = attempt_of(L, "attempt.heartbeat");
  std::unique_ptr<Error> error;
  send_heartbeat(L, attempt, error);
  if (error != nullptr) {
    Error raised = std::move(*error);
    error.reset();
    lua::raise(L, std::move(raised));
  }
  return 0;
}

void put_key(task::AttemptContext& attempt, std::string& out) noexcept { out = attempt.key(); }

// The fields that few bodies read are made when they are read.
int l_attempt_index(lua_State* L) {
  size_t length = 0;
  const char* name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &length) : "";
  std::string_view field(name, length);
  if (field == "key") {
    std::string& text = lua::State::of(L).scratch();
    put_key(attempt_of(L, "attempt.key"), text);
    lua_pushlstring(L, text.data(), text.size());
  } else if (field == "heartbeat") {
    lua_pushcfunction(L, l_heartbeat);
  } else {
    lua_pushnil(L);
  }
  return 1;
}

void push_fields(lua_State* L, const task::AttemptContext& attempt) {
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, attempt.number);
  lua_setfield(L, -2, "number");
  if (attempt.deadline_us > 0) {
    lua_pushnumber(L, static_cast<double>(attempt.deadline_us) / 1e6);
    lua_setfield(L, -2, "deadline");
  }
  if (!attempt.last_progress.empty()) {
    lua::push_json(L, attempt.last_progress);
    lua_setfield(L, -2, "last_progress");
  }
  if (luaL_newmetatable(L, k_attempt) != 0) {
    lua_pushcfunction(L, l_attempt_index);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, -2);
}

int returned(lua_State* L, int, lua_KContext) { return lua_gettop(L); }

// body(attempt, input): the arguments are made here, inside the task, where a memory error is its own.
int l_call_body(lua_State* L) {
  const task::AttemptContext& attempt = attempt_of(L, "step");
  push_fields(L, attempt);
  int arguments = 1;
  if (!attempt.input.empty()) {
    lua::push_json(L, attempt.input);
    arguments = 2;
  }
  lua_callk(L, arguments, LUA_MULTRET, 0, returned);
  return lua_gettop(L);
}

int l_call_filter(lua_State* L) {
  LuaTask& task = *lua::enter_now(L, "step").current();
  lua::push_error(L, task.argument_error());
  lua_callk(L, 1, 1, 0, returned);
  lua_pushboolean(L, lua_toboolean(L, -1));   // any value: only its truth counts
  return 1;
}

int l_call_condition(lua_State* L) {
  lua_callk(L, 0, 1, 0, returned);
  lua_pushboolean(L, lua_toboolean(L, -1));
  return 1;
}

}  // namespace

void push_attempt(lua_State* L) { push_fields(L, attempt_of(L, "attempt")); }

LuaStepCode::~LuaStepCode() {
  for (int ref : {functions_.body, functions_.when, functions_.on, functions_.unless, functions_.undo})
    luaL_unref(script_.L(), LUA_REGISTRYINDEX, ref);
}

std::unique_ptr<task::Coroutine> LuaStepCode::attempt(const task::AttemptContext& attempt) {
  bool plain = !functions_.takes_arguments && attempt.input.empty();
  auto task = script_.make_task(functions_.body, plain ? nullptr : l_call_body);
  if (functions_.captures) task->watch_captures(functions_.body);
  return task;
}

std::unique_ptr<task::Coroutine> LuaStepCode::condition() {
  if (functions_.when == LUA_NOREF) return nullptr;
  return script_.make_task(functions_.when, l_call_condition);
}

void LuaStepCode::done(task::Task& task, const std::string& value) {
  if (functions_.undo == LUA_NOREF) return;
  auto action = std::make_unique<LuaUndo>(script_, std::exchange(functions_.undo, LUA_NOREF), value);
  flow::Saga::of(task).add(script_.execution(), "undo " + name_, std::move(action));
}

std::unique_ptr<task::Coroutine> LuaStepCode::ask(int function_ref, const Error& error) {
  if (function_ref == LUA_NOREF) return nullptr;
  auto task = script_.make_task(function_ref, l_call_filter);
  task->set_argument_error(error);
  return task;
}

}  // namespace perilune::api
