// spawn(name, fn) -> t: t:await() t:cancel() t.status. The task ends before the one that spawned it does.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/branch.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using task::TaskHandle;

namespace {

constexpr const char* k_type = "task";

std::shared_ptr<TaskHandle>& handle_at(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<TaskHandle>*>(luaL_checkudata(L, index, k_type));
}

// What the task returned lies in the handle's user value: {value}.
int push_result(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  luaL_checkstack(L, 6, "task");
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.slot().function_ref);   // the handle
  lua_getiuservalue(L, -1, 1);
  lua_rawgeti(L, -1, 1);
  return 1;
}

bool begin_await(LuaScript& script, std::shared_ptr<TaskHandle>& handle, int ref) noexcept {
  auto operation = std::make_unique<flow::AwaitTask>(script.execution(), handle);
  flow::AwaitTask& begun = *operation;
  LuaTask& task = *script.current();
  task.fill({std::move(operation), push_result, ref});
  return begun.begin(task.task());
}

int l_await(lua_State* L) {
  LuaScript& script = lua::enter(L, "t:await", lua::Place::body);
  std::shared_ptr<TaskHandle>& handle = handle_at(L, 1);
  if (handle->task == &script.current()->task()) lua::raise_usage(L, code::k_deadlock, "a task can't await itself");
  lua_settop(L, 1);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin_await(script, handle, ref));
}

int l_cancel(lua_State* L) {
  LuaScript& script = lua::enter_now(L, "t:cancel", lua::Place::body);
  std::shared_ptr<TaskHandle>& handle = handle_at(L, 1);
  if (handle->task != nullptr) {
    [&]() noexcept {
      script.execution().scheduler().cancel(*handle->task,
                                            std::make_shared<const Error>(code::k_cancelled, "cancelled by t:cancel()"));
    }();
  }
  return 0;
}

int l_index(lua_State* L) {
  std::shared_ptr<TaskHandle>& handle = handle_at(L, 1);
  const char* name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (std::string_view(name) == "status") {
    lua_pushstring(L, handle->task != nullptr ? "running" : handle->cancelled ? "cancelled" : handle->failed ? "failed" : "done");
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

constexpr luaL_Reg k_methods[] = {{"await", l_await}, {"cancel", l_cancel}, {nullptr, nullptr}};

void begin_spawn(LuaScript& script, std::string_view name, int function_ref, int results_ref,
                 std::shared_ptr<TaskHandle>& handle) noexcept {
  auto coroutine = script.make_task(function_ref);
  luaL_unref(script.L(), LUA_REGISTRYINDEX, function_ref);
  coroutine->keep_results_in(results_ref);
  task::Task& owner = script.current()->task();
  handle = flow::spawn_noted(script.execution(), owner, owner, std::move(coroutine), flow::label_of(name));
}

int l_spawn(lua_State* L) {
  LuaScript& script = lua::enter(L, "spawn", lua::Place::body);
  if (lua_gettop(L) == 1) {   // the name may be left out
    lua_pushliteral(L, "task");
    lua_insert(L, 1);
  }
  std::string_view name = lua::check_text(L, 1, "spawn", "name");
  lua::check_function(L, 2, "spawn", "last argument");
  lua_settop(L, 2);
  make_shared_type<TaskHandle>(L, k_type, k_methods, l_index);
  std::shared_ptr<TaskHandle>& handle = new_shared<TaskHandle>(L, k_type, 1);
  lua_createtable(L, 1, 0);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, 1);      // the slot is there: filling it later allocates nothing
  lua_pushnil(L);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_setiuservalue(L, -3, 1);
  int results_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, 2);
  int function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  begin_spawn(script, name, function_ref, results_ref, handle);
  lua_settop(L, 3);
  return 1;
}

}  // namespace

int open_spawn(lua_State* L) {
  lua_pushcfunction(L, l_spawn);
  return 1;
}

}  // namespace perilune::api
