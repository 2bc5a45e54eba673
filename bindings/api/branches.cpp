// Branches of parallel, race and map in Lua; see branches.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/branches.hpp"

#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"

namespace perilune::api {

using lua::LuaTask;

namespace {

int each_called(lua_State* L, int, lua_KContext) {
  lua_settop(L, 3);
  return 1;   // the branch's own value
}

int branch_returned(lua_State* L, int, lua_KContext) {   // each, key, value
  lua_settop(L, 3);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_callk(L, 2, 0, 0, each_called);
  return each_called(L, LUA_OK, 0);
}

// each(key, value) is called as the branch arrives, in the branch's task: (each, key, function, arguments...).
int l_branch_with_each(lua_State* L) {
  lua_callk(L, lua_gettop(L) - 3, 1, 0, branch_returned);
  return branch_returned(L, LUA_OK, 0);
}

}  // namespace

std::unique_ptr<task::Coroutine> make_branch(lua::LuaScript& script, int plan_ref, size_t index) {
  auto task = script.new_task();
  lua_State* T = task->L();
  if (T == nullptr) return task;
  lua_Integer number = static_cast<lua_Integer>(index) + 1;
  int base = lua_gettop(T);
  lua_rawgeti(T, LUA_REGISTRYINDEX, plan_ref);
  int plan = lua_gettop(T);
  if (lua_rawgeti(T, plan, k_plan_each) == LUA_TFUNCTION) {
    lua_pushcfunction(T, l_branch_with_each);
    lua_insert(T, -2);
    lua_rawgeti(T, plan, k_plan_keys);
    if (lua_type(T, -1) == LUA_TTABLE) lua_rawgeti(T, -1, number), lua_remove(T, -2);
    else lua_pop(T, 1), lua_pushinteger(T, number);
  } else {
    lua_pop(T, 1);
  }
  if (lua_rawgeti(T, plan, k_plan_items) == LUA_TTABLE) {
    lua_rawgeti(T, plan, k_plan_functions);   // one function for all items
    lua_insert(T, -2);
    lua_rawgeti(T, -1, number);
    lua_remove(T, -2);
    lua_pushinteger(T, number);
  } else {
    lua_pop(T, 1);
    lua_rawgeti(T, plan, k_plan_functions);
    lua_rawgeti(T, -1, number);
    lua_remove(T, -2);
  }
  lua_remove(T, plan);
  task->set_argument_count(lua_gettop(T) - base);
  return task;
}

std::string branch_label(lua::LuaScript& script, int plan_ref, size_t index) {
  lua_State* L = script.L();
  std::string text;
  if (lua_checkstack(L, 4) == 0) return text;
  int top = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, plan_ref);
  if (lua_rawgeti(L, -1, k_plan_labels) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_rawgeti(L, -1, k_plan_keys);
  }
  if (lua_type(L, -1) != LUA_TTABLE) {
    text = std::to_string(index + 1);
  } else {
    lua_rawgeti(L, -1, static_cast<lua_Integer>(index) + 1);
    if (!lua::encode(L, -1, text, "key").ok()) text = std::to_string(index + 1);
  }
  lua_settop(L, top);
  return text;
}

void push_branch_value(lua_State* L, const flow::Parallel& parallel, size_t index) {
  const flow::Parallel::Branch& branch = parallel.branch(index);
  if (branch.end != flow::Parallel::End::done || branch.task == nullptr) return lua_pushnil(L);
  push_task_value(L, *branch.task);
}

void push_task_value(lua_State* L, task::Task& ended) {
  auto& task = static_cast<LuaTask&>(*ended.coroutine);
  if (task.result_count() == 0) return lua_pushnil(L);
  lua_State* from = task.L();
  lua_pushvalue(from, lua_gettop(from) - task.result_count() + 1);
  lua_xmove(from, L, 1);
}

}  // namespace perilune::api
