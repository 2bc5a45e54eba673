// loop(name, [options], body) -> value: iterations in the calling task. What makes it resume in constant time is in
// flow/loop (when), lua/snapshot (how) and loop_run (both together).
//
//   l_loop: parse, open -> go_on: between iterations -> every -> body -> ... -> finish: loop_done -> its value
//
// SPDX-License-Identifier: MIT
#include <cmath>

#include "bindings/api/loop_run.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/timer.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr const char* k_type = "perilune.loop";
constexpr std::string_view k_options[] = {"each", "from", "to", "by", "times", "every", "max", "limit", "keep"};
constexpr int64_t k_iterations_max = INT64_MAX;
constexpr int64_t k_keep_max = 10'000'000;

int go_on(lua_State* L);

LoopRun& run_at(lua_State* L) { return **static_cast<std::shared_ptr<LoopRun>*>(lua_touserdata(L, k_loop_run)); }

// ---- options

// How many steps of `by` lead from `from` to at most `to`, the first one counted.
uint64_t count_integers(int64_t from, int64_t to, int64_t by) {
  if (by > 0 ? from > to : from < to) return 0;
  const uint64_t way = by > 0 ? uint64_t(to) - uint64_t(from) : uint64_t(from) - uint64_t(to);
  const uint64_t step = by > 0 ? uint64_t(by) : uint64_t(0) - uint64_t(by);
  const uint64_t steps = way / step;
  return steps == UINT64_MAX ? steps : steps + 1;
}

// An option that is a number; `is_integer` is cleared when it is none.
double read_number(lua_State* L, const Options& options, const char* name, int64_t& integer, bool& is_integer) {
  const int type = options.push(name);
  double number = static_cast<double>(integer);
  if (type == LUA_TNUMBER) {
    int exact = 0;
    number = lua_tonumber(L, -1);
    const lua_Integer whole = lua_isinteger(L, -1) ? lua_tointegerx(L, -1, &exact) : 0;
    if (exact != 0) integer = whole;
    else is_integer = false;
  }
  lua_pop(L, 1);
  if ((type != LUA_TNUMBER && type != LUA_TNIL) || !std::isfinite(number)) options.wrong(name, "a number");
  return number;
}

void read_range(lua_State* L, const Options& options, LoopPlan& plan) {
  bool integers = true;
  int64_t to = INT64_MAX;
  plan.from_number = read_number(L, options, "from", plan.from, integers);
  plan.by_number = read_number(L, options, "by", plan.by, integers);
  if (plan.by_number == 0) options.wrong("by", "other than 0");
  if (!options.has("to")) {
    plan.form = integers ? LoopPlan::Form::integers : LoopPlan::Form::floats;
    plan.total = UINT64_MAX;
    return;
  }
  const double to_number = read_number(L, options, "to", to, integers);
  plan.form = integers ? LoopPlan::Form::integers : LoopPlan::Form::floats;
  if (integers) {
    plan.total = count_integers(plan.from, to, plan.by);
  } else {
    const double steps = std::floor((to_number - plan.from_number) / plan.by_number);
    plan.total = steps < 0 ? 0 : steps >= 9e18 ? UINT64_MAX : static_cast<uint64_t>(steps) + 1;
  }
}

// The list is copied: the script may change its own meanwhile.
void read_items(lua_State* L, const Options& options, LoopPlan& plan) {
  if (options.push("each") != LUA_TTABLE) options.wrong("each", "a list");
  const int list = lua_gettop(L);
  plan.total = lua_rawlen(L, list);
  if (plan.total == 0) {
    lua_pushnil(L);
    if (lua_next(L, list) != 0) options.wrong("each", "a list (items under 1, 2, 3, ...)");
  }
  lua_createtable(L, static_cast<int>(plan.total), 0);
  for (uint64_t i = 1; i <= plan.total; ++i) {
    lua_rawgeti(L, list, static_cast<lua_Integer>(i));
    lua_rawseti(L, -2, static_cast<lua_Integer>(i));
  }
  lua_replace(L, k_loop_items);
  lua_settop(L, list - 1);
  plan.form = LoopPlan::Form::each;
}

LoopPlan read_plan(lua_State* L) {
  Options options(L, k_loop_options, "loop", k_options);
  LoopPlan plan;
  const bool range = options.has("from") || options.has("to") || options.has("by");
  const int forms = int{options.has("each")} + int{options.has("times")} + int{range};
  if (forms > 1) lua::raise_usage(L, code::k_usage, "loop: give it one of each, times and from/to/by");
  if (range) read_range(L, options, plan);
  if (options.has("times")) {
    plan.form = LoopPlan::Form::times;
    plan.total = static_cast<uint64_t>(options.integer("times", 0, 0, k_iterations_max));
  }
  if (options.has("each")) read_items(L, options, plan);
  plan.every_us = options.duration_us("every", 0);
  plan.max = static_cast<uint64_t>(options.integer("max", 0, 1, k_iterations_max));
  plan.keep = static_cast<uint64_t>(options.integer("keep", 100, 0, k_keep_max));
  plan.limit = static_cast<uint64_t>(options.integer("limit", 1, 1, k_keep_max));
  if (plan.limit > 1 && plan.form != LoopPlan::Form::each)
    lua::raise_usage(L, code::k_usage, "loop: limit (iterations at once) goes with each");
  if (plan.limit > 1 && plan.every_us > 0)
    lua::raise_usage(L, code::k_usage, "loop: every (a pause between iterations) and limit (several at once) exclude each other");
  return plan;
}

// ---- running

bool finish_work(lua_State* L, LoopRun& run, int value, bool saved) noexcept {
  std::string text = "null";
  if (value != 0) {
    text.clear();
    Result<void> encoded = lua::encode(L, value, text, "the loop's value");
    if (!encoded.ok()) return run.script.pending_error() = std::move(encoded.error()), false;
  }
  std::unique_ptr<flow::LoopCall> call = run.loop.end(text, saved ? run.snapshot->text() : std::string());
  flow::LoopCall& begun = *call;
  LuaTask& task = run.task();
  task.fill({std::move(call), lua::push_outcome, LUA_NOREF});
  run.snapshot.reset();
  run.rested = run.script.execution().begin(begun, task.task());
  return true;
}

// The loop is over; its value is at `value`, or nil when that is 0.
int finish(lua_State* L, LoopRun& run, int value) {
  const bool saved = save_end(L, run);
  if (!finish_work(L, run, value, saved)) lua::raise(L, std::move(run.script.pending_error()));
  return lua::await(L, run.rested);
}

// Behind an iteration: its value is on top of the call's slots.
bool ended_by_value(lua_State* L, LoopRun& run) {
  run.loop.end_iteration();
  run.settled = run.rested = false;
  if (!lua_isnil(L, k_loop_top + 1)) return true;
  lua_settop(L, k_loop_top);
  return false;
}

int iterated(lua_State* L, int, lua_KContext) {
  LoopRun& run = run_at(L);
  return ended_by_value(L, run) ? finish(L, run, k_loop_top + 1) : go_on(L);
}

bool begin_rest(LoopRun& run) noexcept {
  auto sleep = std::make_unique<flow::Sleep>(run.script.execution(), run.plan.every_us);
  flow::Sleep& begun = *sleep;
  LuaTask& task = run.task();
  task.fill({std::move(sleep), lua::push_outcome, LUA_NOREF});
  return run.script.execution().begin(begun, task.task());
}

// The sleep has ended, or was cancelled.
void end_rest(lua_State* L, LoopRun& run) {
  task::Outcome& outcome = run.task().task().outcome;
  if (outcome.kind == task::Outcome::Kind::error) lua::push_outcome(L, run.task(), outcome);   // raises
  run.rested = true;
}

int rested(lua_State* L, int, lua_KContext) {
  LoopRun& run = run_at(L);
  end_rest(L, run);
  return go_on(L);
}

int window_ended(lua_State* L, int, lua_KContext) {
  LoopRun& run = run_at(L);
  end_window(L, run);
  return iterated(L, LUA_OK, 0);
}

int never(lua_State*, int, lua_KContext) { return 0; }

void push_value(lua_State* L, const LoopPlan& plan, uint64_t number) {
  switch (plan.form) {
    case LoopPlan::Form::each:
      lua_rawgeti(L, k_loop_items, static_cast<lua_Integer>(number));
      return;
    case LoopPlan::Form::integers:
      return lua_pushinteger(L, static_cast<lua_Integer>(uint64_t(plan.from) + (number - 1) * uint64_t(plan.by)));
    case LoopPlan::Form::floats:
      return lua_pushnumber(L, plan.from_number + static_cast<double>(number - 1) * plan.by_number);
    default:
      return lua_pushinteger(L, static_cast<lua_Integer>(number));
  }
}

// Iterations until one has to wait, or the loop is over. Stack: the slots.
int go_on(lua_State* L) {
  LoopRun& run = run_at(L);
  for (;;) {
    if (run.script.state().killed()) run.script.state().raise_killed(L);
    if (!run.settled) {
      const Between what = between_iterations(L, run);
      if (what == Between::diverged) return lua::suspend(L, never);
      if (what == Between::over) return finish(L, run, 0);
      run.settled = true;
    }
    const uint64_t done = run.loop.index();
    if (run.plan.over(done)) return finish(L, run, 0);
    if (run.plan.max != 0 && done >= run.plan.max)
      lua::raise_usage(L, code::k_max_reached, "loop '%s' has not ended within %llu iterations", lua_tostring(L, k_loop_name),
                       static_cast<unsigned long long>(run.plan.max));
    if (done > 0 && run.plan.every_us > 0 && !run.rested) {
      if (!begin_rest(run)) return lua::suspend(L, rested);
      end_rest(L, run);
    }
    if (run.plan.limit > 1) {
      if (!begin_window(L, run)) return lua::suspend(L, window_ended);
      end_window(L, run);
      if (ended_by_value(L, run)) return finish(L, run, k_loop_top + 1);
      continue;
    }
    run.loop.begin_iteration();
    lua_pushvalue(L, k_loop_body);
    push_value(L, run.plan, done + 1);
    lua_pushinteger(L, static_cast<lua_Integer>(done) + 1);
    lua_callk(L, 2, 1, 0, iterated);
    if (ended_by_value(L, run)) return finish(L, run, k_loop_top + 1);
  }
}

bool open(LuaScript& script, std::string_view name, const LoopPlan& plan, std::shared_ptr<LoopRun>& place) noexcept {
  place = std::make_shared<LoopRun>(script, name, plan);
  return place->loop.open(script.current()->busy_us());
}

int l_loop(lua_State* L) {
  LuaScript& script = lua::enter(L, "loop", lua::Place::body);
  luaL_checkstack(L, k_loop_top + 10, "loop");
  const std::string_view name = lua::check_text(L, k_loop_name, "loop", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "loop: the name must not be empty");
  if (lua_gettop(L) == 2) {   // loop(name, body)
    lua_pushnil(L);
    lua_insert(L, k_loop_options);
  }
  lua::check_function(L, k_loop_body, "loop", "last argument");
  lua_settop(L, k_loop_body);
  lua_settop(L, k_loop_items);
  const LoopPlan plan = read_plan(L);
  static constexpr luaL_Reg k_no_methods[] = {{nullptr, nullptr}};
  make_shared_type<LoopRun>(L, k_type, k_no_methods, nullptr);
  std::shared_ptr<LoopRun>& place = new_shared<LoopRun>(L, k_type, 0);   // at k_loop_run
  lua_settop(L, k_loop_top);
  if (!open(script, name, plan, place)) return lua::suspend(L, never);
  return go_on(L);
}

}  // namespace

int open_loop(lua_State* L) {
  lua_pushcfunction(L, l_loop);
  return 1;
}

}  // namespace perilune::api
