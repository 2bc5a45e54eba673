// decide(name, value) -> the journaled value; branch(name, cases) -> value, label.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/decision.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr std::string_view k_case_options[] = {"when", "run"};

// Work: false with an error in script.pending_error().
bool begin(lua_State* L, LuaScript& script, std::string_view name, int value, LuaTask::Push push, bool& ready) noexcept {
  std::string text;
  Result<void> encoded = lua::encode(L, value, text, "decide");
  if (!encoded.ok()) {
    script.pending_error() = std::move(encoded.error());
    return false;
  }
  auto decision = std::make_unique<flow::Decision>(script.execution(), std::string(name), std::move(text));
  flow::Decision& begun = *decision;
  LuaTask& task = *script.current();
  task.fill({std::move(decision), push, LUA_NOREF});
  ready = script.execution().begin(begun, task.task());
  return true;
}

int l_decide(lua_State* L) {
  LuaScript& script = lua::enter(L, "decide", lua::Place::body);
  std::string_view name = lua::check_text(L, 1, "decide", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "decide: the name must not be empty");
  lua_settop(L, 2);
  bool ready = false;
  if (!begin(L, script, name, 2, lua::push_outcome, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

// ---- branch(name, { { "label", when = fn, run = fn }, ..., { "otherwise", run = fn } })
// Stack: 1 name, 2 cases, 3 label of the chosen case (or nil).

int branch_ran(lua_State* L, int, lua_KContext) {   // ..., label, value
  lua_insert(L, -2);
  return 2;   // value, label
}

// The decision's outcome is the label: the case with that label runs, also when another would be chosen now.
int branch_decided(lua_State* L, int, lua_KContext) {
  LuaTask& task = *lua::enter_now(L, "branch").current();
  task::Outcome& outcome = task.task().outcome;
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  lua_settop(L, 2);
  lua::push_outcome(L, task, outcome);   // 3: the label, or nil
  if (lua_isnil(L, 3)) return 0;
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; ++i) {
    lua_rawgeti(L, -1, 1);
    bool chosen = lua_rawequal(L, -1, 3) != 0;
    lua_pop(L, 1);
    if (chosen) {
      lua_getfield(L, -1, "run");
      lua_remove(L, -2);
      lua_callk(L, 0, 1, 0, branch_ran);
      return branch_ran(L, LUA_OK, 0);
    }
    lua_pop(L, 1);
  }
  lua::raise_usage(L, code::k_diverged, "branch: the recorded case '%s' is not in the script any more", lua_tostring(L, 3));
}

void check_case(lua_State* L, int index, lua_Integer number) {
  if (lua_rawgeti(L, index, 1) != LUA_TSTRING)
    lua::raise_usage(L, code::k_usage, "branch: case %d has no label: write { \"label\", when = fn, run = fn }",
                     static_cast<int>(number));
  lua_pop(L, 1);
  lua_pushnil(L);
  while (lua_next(L, index) != 0) {   // unknown names; the label is the one number
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING) continue;
    std::string_view name(lua_tostring(L, -1));
    if (name != k_case_options[0] && name != k_case_options[1])
      lua::raise_usage(L, code::k_usage, "unknown option '%s' of branch: valid are when, run", lua_tostring(L, -1));
  }
  lua_getfield(L, index, "run");
  lua::check_function(L, -1, "branch", "run of a case");
  lua_pop(L, 1);
}

int l_branch(lua_State* L) {
  LuaScript& script = lua::enter(L, "branch", lua::Place::body);
  std::string_view name = lua::check_text(L, 1, "branch", "name");
  if (lua_type(L, 2) != LUA_TTABLE) lua::raise_usage(L, code::k_usage, "branch: the cases must be a list of tables");
  lua_settop(L, 2);
  lua_pushnil(L);   // 3: the label
  for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TTABLE; ++i) {
    check_case(L, 4, i);
    int when = lua_getfield(L, 4, "when");
    if (when == LUA_TFUNCTION) lua_call(L, 0, 1);   // plain Lua: a condition does not await
    bool holds = when == LUA_TNIL || lua_toboolean(L, -1);
    if (holds && lua_isnil(L, 3)) {
      lua_rawgeti(L, 4, 1);
      lua_replace(L, 3);
    }
    lua_settop(L, 3);
    if (holds) break;
  }
  lua_settop(L, 3);
  bool ready = false;
  if (!begin(L, script, name, 3, nullptr, ready)) lua::raise(L, std::move(script.pending_error()));
  return ready ? branch_decided(L, LUA_OK, 0) : lua::suspend(L, branch_decided);
}

int open_function(lua_State* L, lua_CFunction function) {
  lua_pushcfunction(L, function);
  return 1;
}

}  // namespace

int open_decide(lua_State* L) { return open_function(L, l_decide); }
int open_branch(lua_State* L) { return open_function(L, l_branch); }

}  // namespace perilune::api
