// parallel, race and map: arguments, and the tables of results. The rules of the join are in flow/parallel.hpp.
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstdlib>

#include "bindings/api/branches.hpp"
#include "bindings/api/merge_option.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"

namespace perilune::api {

using flow::Parallel;
using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr std::string_view k_parallel_options[] = {"limit", "need", "rest", "fail", "tolerate", "each", "merge", "timeout"};
constexpr std::string_view k_race_options[] = {"timeout"};
constexpr std::string_view k_map_options[] = {"limit", "need", "rest", "fail", "tolerate", "each", "name", "merge", "timeout"};
constexpr std::string_view k_rest[] = {"cancel", "keep"};
constexpr std::string_view k_fail[] = {"fast", "collect"};
constexpr int64_t k_branches_max = 10'000'000;

struct Arguments {
  const char* call;
  std::string_view name;
  size_t total = 0, limit = 0, need = 0, tolerate = 0;
  bool tolerant = false, keep = false, collect = false;
  MergeOption merge;
  int64_t timeout_us = 0;
};

// Takes an optional leading name off the stack: it then stays at index 1, and the rest begins at 2.
void take_name(lua_State* L, Arguments& arguments) {
  arguments.name = arguments.call;
  if (lua_type(L, 1) == LUA_TSTRING) arguments.name = lua::check_text(L, 1, arguments.call, "name");
  else lua_pushnil(L), lua_insert(L, 1);
}

void read_timeout(const Options& options, Arguments& arguments) {
  arguments.timeout_us = options.duration_us("timeout", 0);
  if (options.has("timeout") && arguments.timeout_us <= 0) options.wrong("timeout", "longer than nothing");
}

void read_options(const Options& options, Arguments& arguments) {
  read_timeout(options, arguments);
  arguments.limit = static_cast<size_t>(options.integer("limit", 0, 1, k_branches_max));
  arguments.need = static_cast<size_t>(options.integer("need", 0, 1, k_branches_max));
  arguments.keep = options.choice("rest", k_rest, 0) == 1;
  arguments.collect = options.choice("fail", k_fail, 0) == 1;
  if (arguments.keep && arguments.need == 0) options.wrong("rest", "given together with need");
}

void read_tolerate(lua_State* L, const Options& options, Arguments& arguments) {
  int type = options.push("tolerate");
  arguments.tolerant = type != LUA_TNIL;
  if (type == LUA_TNUMBER) {
    arguments.tolerate = static_cast<size_t>(options.integer("tolerate", 0, 0, k_branches_max));
  } else if (type == LUA_TSTRING) {
    char* end = nullptr;
    double share = std::strtod(lua_tostring(L, -1), &end);
    if (end == nullptr || std::string_view(end) != "%" || !(share >= 0 && share <= 100))
      options.wrong("tolerate", "a number of branches or a share such as \"20%\"");
    arguments.tolerate = static_cast<size_t>(std::floor(static_cast<double>(arguments.total) * share / 100));
  } else if (type != LUA_TNIL) {
    options.wrong("tolerate", "a number of branches or a share such as \"20%\"");
  }
  lua_pop(L, 1);
}

// Work: makes the operation; `plan_ref` becomes the slot's.
bool begin(LuaScript& script, const Arguments& arguments, int plan_ref, LuaTask::Push push) noexcept {
  flow::ParallelSpec spec;
  spec.call = arguments.call;
  spec.name = std::string(arguments.name);
  spec.total = arguments.total;
  spec.limit = arguments.limit;
  spec.need = arguments.need;
  spec.keep_rest = arguments.keep;
  spec.collect = arguments.collect;
  spec.tolerant = arguments.tolerant;
  spec.tolerate = arguments.tolerate;
  spec.merge = make_rule(script, arguments.merge);
  spec.timeout_us = arguments.timeout_us;
  spec.race = arguments.call == std::string_view("race");
  LuaScript* self = &script;
  spec.label = [self, plan_ref](size_t index) { return branch_label(*self, plan_ref, index); };
  auto parallel = std::make_unique<Parallel>(script.execution(), std::move(spec), [self, plan_ref](size_t index) {
    return make_branch(*self, plan_ref, index);
  });
  Parallel& begun = *parallel;
  LuaTask& task = *script.current();
  task.fill({std::move(parallel), push, plan_ref});
  return begun.begin(task.task());
}

Parallel& parallel_of(LuaTask& task) { return static_cast<Parallel&>(*task.slot().operation); }

void raise_outcome(lua_State* L, task::Outcome& outcome) {
  if (outcome.kind != task::Outcome::Kind::error) return;
  lua::raise_awaited(L, *outcome.error);
}

void push_info(lua_State* L, const Parallel& parallel) {
  std::string& text = lua::State::of(L).scratch();
  [&]() noexcept { text = parallel.info(); }();
  lua::push_json(L, text);
}

void push_collected(lua_State* L, const Parallel& parallel, size_t index) {
  const Parallel::Branch& branch = parallel.branch(index);
  lua_createtable(L, 0, 2);
  lua_pushboolean(L, branch.end == Parallel::End::done);
  lua_setfield(L, -2, "ok");
  if (branch.end == Parallel::End::done) {
    push_branch_value(L, parallel, index);
    lua_setfield(L, -2, "value");
  } else if (branch.error != nullptr) {
    lua::push_error(L, *branch.error);
    lua_setfield(L, -2, "error");
  }
}

// The results under the branches' keys, and info.
int push_results(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  luaL_checkstack(L, 12, "parallel");
  raise_outcome(L, outcome);
  const Parallel& parallel = parallel_of(task);
  size_t total = parallel.spec().total;
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.slot().function_ref);
  lua_rawgeti(L, -1, k_plan_keys);
  int keys = lua_gettop(L);
  bool keyed = lua_type(L, keys) == LUA_TTABLE;
  lua_createtable(L, keyed ? 0 : static_cast<int>(total), 0);
  int results = lua_gettop(L);
  if (!keyed) lua::tag_array(L, results);
  for (size_t i = 0; i < total; ++i) {
    lua_Integer number = static_cast<lua_Integer>(i) + 1;
    if (keyed) lua_rawgeti(L, keys, number);
    else lua_pushinteger(L, number);
    if (parallel.spec().collect) push_collected(L, parallel, i);
    else push_branch_value(L, parallel, i);
    lua_rawset(L, results);
  }
  push_info(L, parallel);
  return 2;
}

// race: the winner's value and key.
int push_winner(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  luaL_checkstack(L, 8, "race");
  raise_outcome(L, outcome);
  const Parallel& parallel = parallel_of(task);
  push_branch_value(L, parallel, parallel.winner());
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.slot().function_ref);
  lua_rawgeti(L, -1, k_plan_keys);
  lua_rawgeti(L, -1, static_cast<lua_Integer>(parallel.winner()) + 1);
  lua_replace(L, -3);
  lua_pop(L, 1);
  return 2;
}

// A new plan at the top of the stack, with the keys and functions of the table at `index`.
void push_plan(lua_State* L, int index, Arguments& arguments) {
  if (lua_type(L, index) != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage, "%s: give it a table of functions, not a %s", arguments.call, luaL_typename(L, index));
  lua_createtable(L, 5, 0);
  int plan = lua_gettop(L);
  lua::push_sorted_keys(L, index, arguments.call);
  int keys = lua_gettop(L);
  arguments.total = lua_rawlen(L, keys);
  lua_createtable(L, static_cast<int>(arguments.total), 0);
  for (size_t i = 1; i <= arguments.total; ++i) {
    lua_rawgeti(L, keys, static_cast<lua_Integer>(i));
    lua_pushvalue(L, -1);
    if (lua_rawget(L, index) != LUA_TFUNCTION)
      lua::raise_usage(L, code::k_usage, "%s: branch '%s' must be a function, not a %s", arguments.call,
                       luaL_tolstring(L, -2, nullptr), luaL_typename(L, -1));
    lua_rawseti(L, -3, static_cast<lua_Integer>(i));
    lua_pop(L, 1);
  }
  lua_rawseti(L, plan, k_plan_functions);
  lua_rawseti(L, plan, k_plan_keys);
}

void keep_each(lua_State* L, const Options& options, int plan) {
  int type = options.push("each");
  if (type != LUA_TNIL && type != LUA_TFUNCTION) options.wrong("each", "a function of key and value");
  lua_rawseti(L, plan, k_plan_each);
}

int l_parallel(lua_State* L) {
  LuaScript& script = lua::enter(L, "parallel", lua::Place::anywhere);
  Arguments arguments{.call = "parallel"};
  take_name(L, arguments);
  lua_settop(L, 3);
  push_plan(L, 2, arguments);
  Options options(L, 3, "parallel", k_parallel_options);
  read_options(options, arguments);
  read_tolerate(L, options, arguments);
  keep_each(L, options, 4);
  arguments.merge = read_merge(L, options);
  int plan_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin(script, arguments, plan_ref, push_results));
}

int l_race(lua_State* L) {
  LuaScript& script = lua::enter(L, "race", lua::Place::anywhere);
  Arguments arguments{.call = "race"};
  take_name(L, arguments);
  lua_settop(L, 3);
  push_plan(L, 2, arguments);
  read_timeout(Options(L, 3, "race", k_race_options), arguments);
  if (arguments.total == 0) lua::raise_usage(L, code::k_usage, "race: it needs at least one branch");
  int plan_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin(script, arguments, plan_ref, push_winner));
}

// map's `name = function(item, i)`: the labels of the branches.
void keep_labels(lua_State* L, const Options& options, int items, int plan, size_t total) {
  int type = options.push("name");
  if (type == LUA_TNIL) return lua_pop(L, 1);
  if (type != LUA_TFUNCTION) options.wrong("name", "a function of item and index");
  int function = lua_gettop(L);
  lua_createtable(L, static_cast<int>(total), 0);
  for (size_t i = 1; i <= total; ++i) {
    lua_pushvalue(L, function);
    lua_rawgeti(L, items, static_cast<lua_Integer>(i));
    lua_pushinteger(L, static_cast<lua_Integer>(i));
    lua_call(L, 2, 1);
    if (lua_type(L, -1) != LUA_TSTRING) lua::raise_usage(L, code::k_usage, "map: name(item, i) must return a string");
    lua_rawseti(L, -2, static_cast<lua_Integer>(i));
  }
  lua_rawseti(L, plan, k_plan_labels);
  lua_pop(L, 1);
}

int l_map(lua_State* L) {
  LuaScript& script = lua::enter(L, "map", lua::Place::anywhere);
  Arguments arguments{.call = "map"};
  take_name(L, arguments);
  if (lua_gettop(L) == 3) {   // map(items, fn)
    lua_pushnil(L);
    lua_insert(L, 3);
  }
  lua_settop(L, 4);           // name, items, options, function
  if (lua_type(L, 2) != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage, "map: the items must be a list, not a %s", luaL_typename(L, 2));
  lua::check_function(L, 4, "map", "last argument");
  arguments.total = lua_rawlen(L, 2);
  Options options(L, 3, "map", k_map_options);
  read_options(options, arguments);
  read_tolerate(L, options, arguments);
  lua_createtable(L, 5, 0);
  lua_createtable(L, static_cast<int>(arguments.total), 0);   // a copy: the script may change its list meanwhile
  for (size_t i = 1; i <= arguments.total; ++i) {
    lua_rawgeti(L, 2, static_cast<lua_Integer>(i));
    lua_rawseti(L, -2, static_cast<lua_Integer>(i));
  }
  lua_rawseti(L, 5, k_plan_items);
  lua_pushvalue(L, 4);
  lua_rawseti(L, 5, k_plan_functions);
  keep_each(L, options, 5);
  keep_labels(L, options, 2, 5, arguments.total);
  arguments.merge = read_merge(L, options);
  int plan_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin(script, arguments, plan_ref, push_results));
}

int open_function(lua_State* L, lua_CFunction function) {
  lua_pushcfunction(L, function);
  return 1;
}

}  // namespace

int open_parallel(lua_State* L) { return open_function(L, l_parallel); }
int open_race(lua_State* L) { return open_function(L, l_race); }
int open_map(lua_State* L) { return open_function(L, l_map); }

}  // namespace perilune::api
