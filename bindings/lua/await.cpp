// The await protocol; see script.hpp and await.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/await.hpp"

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"

namespace perilune::lua {

ApiSurroundings& surroundings_of(lua_State* L) { return static_cast<ApiSurroundings&>(State::of(L).surroundings()); }

LuaScript& enter_now(lua_State* L, const char* call) {
  State& state = State::of(L);
  if (state.killed()) state.raise_killed(L);
  LuaScript* script = surroundings_of(L).live();
  if (script == nullptr) {  // inspection: a durable call is reached, so the file is itself a workflow
    state.kill("inspected", call);
    state.raise_killed(L);
  }
  return *script;
}

LuaScript& enter(lua_State* L, const char* call, Place place) {
  LuaScript& script = enter_now(L, call);
  if (!script.state().can_await(L) || script.current() == nullptr)
    raise_usage(L, code::k_not_yieldable,
                "%s can't be called here: Lua can't suspend inside table.sort, string.gsub, tostring, a finalizer or a "
                "schema; call it before and use the result here",
                call);
  const task::AttemptContext* attempt = script.current()->task().attempt;
  if (attempt != nullptr && !attempt->effects_allowed)
    raise_usage(L, code::k_usage, "%s can't be called here: `when` and the retry filters decide by plain Lua", call);
  if (place == Place::body && attempt != nullptr)
    raise_usage(L, code::k_usage,
                "%s can't be called inside a step: a step is one unit that is recorded whole; only effects, parallel, "
                "race, map, sleep and plain Lua may stand in it",
                call);
  script.state().begin_slice();
  return script;
}

int push_outcome(lua_State* L, LuaTask&, task::Outcome& outcome) {
  switch (outcome.kind) {
    case task::Outcome::Kind::error:
      push_error(L, *outcome.error);
      return lua_error(L);
    case task::Outcome::Kind::value:
      push_json(L, outcome.value);
      return 1;
    case task::Outcome::Kind::nothing:
      lua_pushnil(L);
      return 1;
  }
  return 0;
}

namespace {
int resumed(lua_State* L, int, lua_KContext) {
  LuaTask& task = *surroundings_of(L).live()->current();
  return task.slot().push(L, task, task.task().outcome);
}
}  // namespace

int suspend(lua_State* L, lua_KFunction then) {
  lua_pushlightuserdata(L, await_sentinel());
  return lua_yieldk(L, 1, 0, then);
}

int await(lua_State* L, bool ready) { return ready ? resumed(L, LUA_OK, 0) : suspend(L, resumed); }

}  // namespace perilune::lua
