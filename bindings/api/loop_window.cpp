// Iterations of a loop side by side; see loop_run.hpp. A window has a fixed number of them, so that its tasks have the same
// numbers in every life; up to `limit` run at once.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "bindings/api/branches.hpp"
#include "bindings/api/loop_run.hpp"
#include "bindings/lua/await.hpp"

namespace perilune::api {

using lua::LuaTask;

namespace {

constexpr uint64_t k_window_limits = 16;   // a window is so many times the limit: its end, where some wait, is seldom

uint64_t window_size(const LoopRun& run) {
  uint64_t left = run.plan.total - run.loop.index();
  if (run.plan.max != 0) left = std::min(left, run.plan.max - run.loop.index());
  return std::min(left, run.plan.limit * k_window_limits);
}

// What the window's coroutines are made from: {body, items}.
std::unique_ptr<task::Coroutine> make_iteration(lua::LuaScript& script, int plan_ref, uint64_t number) {
  auto task = script.new_task();
  lua_State* T = task->L();
  if (T == nullptr) return task;
  lua_rawgeti(T, LUA_REGISTRYINDEX, plan_ref);
  lua_rawgeti(T, -1, 1);
  lua_rawgeti(T, -2, 2);
  lua_rawgeti(T, -1, static_cast<lua_Integer>(number));
  lua_replace(T, -2);
  lua_remove(T, -3);
  lua_pushinteger(T, static_cast<lua_Integer>(number));
  task->set_argument_count(3);
  return task;
}

bool has_value(const task::Task& branch) {
  auto& task = static_cast<LuaTask&>(*branch.coroutine);
  return task.result_count() > 0 && !lua_isnil(task.L(), lua_gettop(task.L()) - task.result_count() + 1);
}

bool begin(LoopRun& run, int plan_ref) noexcept {
  const uint64_t first = run.loop.index();
  flow::ParallelSpec spec;
  spec.call = "loop";
  spec.name = run.loop.name();
  spec.total = window_size(run);
  spec.limit = run.plan.limit;
  spec.enough = has_value;
  spec.label = [first](size_t index) { return std::to_string(first + index + 1); };
  for (size_t i = 0; i < spec.total; ++i) run.loop.begin_iteration();
  auto parallel = std::make_unique<flow::Parallel>(
      run.script.execution(), std::move(spec),
      [&script = run.script, plan_ref, first](size_t index) { return make_iteration(script, plan_ref, first + index + 1); });
  flow::Parallel& begun = *parallel;
  LuaTask& task = run.task();
  task.fill({std::move(parallel), lua::push_outcome, plan_ref});
  return begun.begin(task.task());
}

}  // namespace

bool begin_window(lua_State* L, LoopRun& run) {
  lua_createtable(L, 2, 0);
  lua_pushvalue(L, k_loop_body);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, k_loop_items);
  lua_rawseti(L, -2, 2);
  const int plan_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return begin(run, plan_ref);
}

void end_window(lua_State* L, LoopRun& run) {
  LuaTask& task = run.task();
  task::Outcome& outcome = task.task().outcome;
  if (outcome.kind == task::Outcome::Kind::error) lua::push_outcome(L, task, outcome);   // raises
  const auto& window = static_cast<const flow::Parallel&>(*task.slot().operation);
  // The last of them is counted where the loop looks at the value.
  for (size_t i = 1; i < window.spec().total; ++i) run.loop.end_iteration();
  if (window.found()) push_branch_value(L, window, window.winner());
  else lua_pushnil(L);
}

}  // namespace perilune::api
