// The await protocol; see script.hpp and await.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/await.hpp"

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state_table.hpp"
#include "runtime/flow/durable.hpp"

namespace perilune::lua {

ApiSurroundings& surroundings_of(lua_State* L) { return static_cast<ApiSurroundings&>(State::of(L).surroundings()); }

namespace {

// A cancelled task whose script goes on after so many awaits that raised is ended by force.
constexpr int k_refusals_max = 1000;
constexpr size_t k_traceback_max = 8000;

void refuse_inside_step(lua_State* L, const char* call, LuaTask* task) {
  const task::AttemptContext* attempt = task == nullptr ? nullptr : task->task().attempt;
  if (attempt == nullptr) return;
  if (attempt->refusal != nullptr) raise_usage(L, code::k_usage, "%s can't be called here: %s", call, attempt->refusal);
  if (!attempt->effects_allowed)
    raise_usage(L, code::k_usage, "%s can't be called here: `when` and the retry filters decide by plain Lua", call);
  raise_usage(L, code::k_usage,
              "%s can't be called inside a step: a step is one unit that is recorded whole; only effects, parallel, "
              "race, map, sleep and plain Lua may stand in it",
              call);
}

[[noreturn]] void refuse_in_answer(lua_State* L, const char* call) {
  raise_usage(L, code::k_usage,
              "%s can't be called in the answer to a query: that must neither wait nor leave a record; it reads what the "
              "script has, by plain Lua",
              call);
}

}  // namespace

LuaScript& enter_now(lua_State* L, const char* call, Place place) {
  State& state = State::of(L);
  if (state.killed()) state.raise_killed(L);
  LuaScript* script = surroundings_of(L).live();
  if (script == nullptr) {  // inspection: a durable call is reached, so the file is itself a workflow
    state.kill("inspected", call);
    state.raise_killed(L);
  }
  if (place == Place::body) {
    if (script->answering()) refuse_in_answer(L, call);
    refuse_inside_step(L, call, script->current());
  }
  return *script;
}

LuaScript& enter(lua_State* L, const char* call, Place place) {
  LuaScript& script = enter_now(L, call);
  if (script.answering()) refuse_in_answer(L, call);
  if (!script.state().can_await(L) || script.current() == nullptr)
    raise_usage(L, code::k_not_yieldable,
                "%s can't be called here: Lua can't suspend inside table.sort, string.gsub, string.format or a "
                "finalizer; call it before and use the result here",
                call);
  LuaTask& task = *script.current();
  const task::AttemptContext* attempt = task.task().attempt;
  if (place == Place::body || (attempt != nullptr && !attempt->effects_allowed)) refuse_inside_step(L, call, &task);
  if (task.task().cancelling() && task.count_refusal() > k_refusals_max) {
    task.end_by_force();
    suspend(L, nullptr);   // for ever
  }
  if (attempt == nullptr) settle_state(L, script);
  return script;
}

namespace {
// The frames that waited follow those where the error was raised.
void join_traceback(lua_State* L, const Error& error, Error& joined) noexcept {
  joined = error;
  if (joined.traceback.empty() || joined.traceback.size() > k_traceback_max) return;
  std::string frames = traceback_of(L);
  if (!frames.empty()) joined.traceback.append("\n").append(frames);
}
}  // namespace

void raise_awaited(lua_State* L, const Error& error) {
  Error& joined = surroundings_of(L).live()->pending_error();
  join_traceback(L, error, joined);
  raise(L, std::move(joined));
}

int push_outcome(lua_State* L, LuaTask&, task::Outcome& outcome) {
  switch (outcome.kind) {
    case task::Outcome::Kind::error:
      raise_awaited(L, *outcome.error);
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

int await(lua_State* L, bool ready) {
  if (!ready) return suspend(L, resumed);
  LuaTask& task = *surroundings_of(L).live()->current();   // on replay many durable calls return in one slice
  if (dynamic_cast<flow::Durable*>(task.slot().operation.get()) != nullptr) task.script().state().begin_slice();
  return resumed(L, LUA_OK, 0);
}

}  // namespace perilune::lua
