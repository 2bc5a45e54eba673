// guard(condition, fn): fn lives only while condition() holds: gives what fn returned, or nil, "ended". See flow/guard.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/branches.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/guard.hpp"

namespace perilune::api {

using flow::Guard;
using lua::LuaScript;
using lua::LuaTask;

namespace {

enum class Answer : uint8_t { holds, ended, failed };

// Asks the condition at index 1: plain Lua, it can't await. `failed` leaves the error on the stack.
Answer ask(lua_State* L) {
  lua_pushvalue(L, 1);
  int status = lua_pcall(L, 0, 1, 0);
  if (status != LUA_OK) {
    lua::State::of(L).after_protected_call(L, status);
    return Answer::failed;
  }
  Answer answer = lua_toboolean(L, -1) ? Answer::holds : Answer::ended;
  lua_pop(L, 1);
  return answer;
}

bool tell(lua_State* L, Guard& guard, Answer answer) noexcept {
  if (answer == Answer::holds) return guard.go_on();
  task::ErrorRef error;
  if (answer == Answer::failed) error = std::make_shared<const Error>(lua::error_from_value(L, -1, code::k_script));
  return guard.stop(std::move(error));
}

int push_ended(lua_State* L) {
  lua_pushnil(L);
  lua_pushliteral(L, "ended");
  return 2;
}

const Error* error_of(LuaScript& script, Guard& guard) noexcept {
  task::ErrorRef error = guard.error();
  if (error == nullptr) return nullptr;
  script.pending_error() = *error;
  return &script.pending_error();
}

int push_result(lua_State* L, LuaScript& script, Guard& guard) {
  luaL_checkstack(L, 6, "guard");
  if (error_of(script, guard) != nullptr) lua::raise(L, std::move(script.pending_error()));
  if (guard.withdrawn()) return push_ended(L);
  push_task_value(L, guard.child());
  return 1;
}

// Resumed: it is over, or the condition is to be asked. Stack: condition, fn.
int looked(lua_State* L, int, lua_KContext) {
  LuaScript& script = lua::enter_now(L, "guard");
  Guard& guard = static_cast<Guard&>(*script.current()->slot().operation);
  lua_settop(L, 2);
  if (guard.over()) return push_result(L, script, guard);
  bool over = tell(L, guard, guard.ask() ? ask(L) : Answer::holds);
  return over ? push_result(L, script, guard) : lua::suspend(L, looked);
}

bool begin(LuaScript& script, int function_ref) noexcept {
  auto coroutine = script.make_task(function_ref);
  luaL_unref(script.L(), LUA_REGISTRYINDEX, function_ref);
  auto guard = std::make_unique<Guard>(script.execution());
  Guard& begun = *guard;
  LuaTask& task = *script.current();
  task.fill({std::move(guard), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task(), std::move(coroutine));
}

int l_guard(lua_State* L) {
  LuaScript& script = lua::enter(L, "guard", lua::Place::body);
  lua::check_function(L, 1, "guard", "condition");
  lua::check_function(L, 2, "guard", "last argument");
  lua_settop(L, 2);
  Answer answer = ask(L);
  if (answer == Answer::failed) return lua_error(L);
  if (answer == Answer::ended) return push_ended(L);
  lua_pushvalue(L, 2);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  if (begin(script, ref)) return lua::push_outcome(L, *script.current(), script.current()->task().outcome);
  return lua::suspend(L, looked);
}

}  // namespace

int open_guard(lua_State* L) {
  lua_pushcfunction(L, l_guard);
  return 1;
}

}  // namespace perilune::api
