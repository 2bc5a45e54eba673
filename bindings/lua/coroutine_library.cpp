// The coroutine library of scripts. A coroutine of a script runs inside a task, and an await yields through both: it
// begins with the private sentinel, and resume and wrap pass such a yield on to the outside, up to the task, and what
// comes back in to the inside. Yields of the script's own stay between the script and its coroutine.
// Promises: every coroutine is watched, a kill passes through all of them, a coroutine that waits in an await counts as
// "normal" (its resumer waits for it), so nobody else can resume or close it, nor a task of the runtime.
// SPDX-License-Identifier: MIT
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/libraries.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state_hidden.hpp"

namespace perilune::lua {
namespace {

constexpr int k_close_depth_max = 8;  // nested closing is not counted as C stack by Lua 5.4.4, and would overflow it

// A coroutine counts its instructions for the hook from zero: one that makes others must not escape by that.
constexpr int64_t k_create_work = 500;

constexpr int k_wrapped = lua_upvalueindex(1);  // the coroutine of a wrap

enum class Outcome { k_done, k_failed, k_await };

enum class Status { k_running, k_suspended, k_normal, k_dead };

lua_State* coroutine_argument(lua_State* L) {
  lua_State* co = lua_tothread(L, 1);
  luaL_argexpected(L, co != nullptr, 1, "coroutine");
  return co;
}

// ---- the table of coroutines that scripts have made: co -> whether it waits in an await

// The coroutine is the value at `index`.
void mark(lua_State* L, int index, bool awaiting) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_script_threads);
  lua_pushvalue(L, index);
  lua_pushboolean(L, awaiting);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

Status status_of(lua_State* L, int index, lua_State* co) {
  if (co == L) return Status::k_running;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &registry::k_script_threads);
  lua_pushvalue(L, index);
  const int type = lua_rawget(L, -2);
  const bool free_to_resume = type == LUA_TBOOLEAN && !lua_toboolean(L, -1);
  lua_pop(L, 2);
  if (!free_to_resume) return Status::k_normal;
  switch (lua_status(co)) {
    case LUA_YIELD:
      return Status::k_suspended;
    case LUA_OK: {
      lua_Debug frame;
      if (lua_getstack(co, 0, &frame)) return Status::k_normal;
      return lua_gettop(co) == 0 ? Status::k_dead : Status::k_suspended;
    }
    default:
      return Status::k_dead;
  }
}

const char* status_name(Status status) {
  switch (status) {
    case Status::k_running:
      return "running";
    case Status::k_suspended:
      return "suspended";
    case Status::k_normal:
      return "normal";
    default:
      return "dead";
  }
}

// Runs __close of what the coroutine holds. The result (or the error) stays on its stack.
int reset(lua_State* L, lua_State* co) {
  State::Hidden& hidden = State::of(L).hidden();
  if (hidden.close_depth >= k_close_depth_max) raise(L, Error(code::k_limit, "coroutines closed within one another"));
  ++hidden.close_depth;
  const int status = lua_resetthread(co);  // does not raise
  --hidden.close_depth;
  return status;
}

// ---- resuming

// Moves `count` arguments from L to co and lets it run. Its results, its error (one value), or what it yields for an
// await are on top of L then; `results` is their number.
Outcome run(lua_State* L, lua_State* co, int count, int& results) {
  State& state = State::of(L);
  State::Hidden& hidden = state.hidden();
  results = 1;
  if (state.killed()) state.raise_killed(L);
  if (!lua_checkstack(co, count)) {
    lua_pushliteral(L, "too many arguments to resume");
    return Outcome::k_failed;
  }
  lua_xmove(L, co, count);
  const bool blocked = hidden.await_blocked;
  hidden.await_blocked = blocked || !lua_isyieldable(L);
  ++hidden.coroutine_depth;
  const int status = lua_resume(co, L, count, &results);  // does not raise
  --hidden.coroutine_depth;
  hidden.await_blocked = blocked;
  if (status != LUA_OK && status != LUA_YIELD) {
    results = 1;
    lua_xmove(co, L, 1);
    state.after_protected_call(L, status);
    return Outcome::k_failed;
  }
  state.after_protected_call(L, status);
  if (!lua_checkstack(L, results + 2)) {
    lua_pop(co, results);
    results = 1;
    lua_pushliteral(L, "too many results to resume");
    return Outcome::k_failed;
  }
  const bool await = status == LUA_YIELD && results > 0 && lua_touserdata(co, -results) == await_sentinel();
  lua_xmove(co, L, results);
  return await ? Outcome::k_await : Outcome::k_done;
}

// Passes an await of the coroutine at `index` on: L yields the same values, and goes on with `continuation` when it is
// answered.
int pass_on(lua_State* L, int index, int results, lua_KFunction continuation) {
  if (!lua_isyieldable(L)) {
    reset(L, lua_tothread(L, index));
    raise(L, Error(code::k_not_yieldable,
                   "an await in a coroutine that is resumed where none may stand (in table.sort, "
                   "string.gsub, a metamethod called from C)"));
  }
  mark(L, index, true);
  return lua_yieldk(L, results, 0, continuation);
}

int answer_resume(lua_State* L, Outcome outcome, int results) {
  lua_pushboolean(L, outcome != Outcome::k_failed);
  lua_insert(L, -(results + 1));
  return results + 1;
}

// Stack: the coroutine, what the await is answered with.
int continue_resume(lua_State* L, int, lua_KContext) {
  lua_State* co = lua_tothread(L, 1);
  mark(L, 1, false);
  int results = 0;
  const Outcome outcome = run(L, co, lua_gettop(L) - 1, results);
  if (outcome == Outcome::k_await) return pass_on(L, 1, results, continue_resume);
  return answer_resume(L, outcome, results);
}

int l_resume(lua_State* L) {
  lua_State* co = coroutine_argument(L);
  const Status status = status_of(L, 1, co);
  if (status != Status::k_suspended) {
    lua_pushboolean(L, 0);
    lua_pushfstring(L, "cannot resume %s coroutine", status == Status::k_dead ? "dead" : "non-suspended");
    return 2;
  }
  int results = 0;
  const Outcome outcome = run(L, co, lua_gettop(L) - 1, results);
  if (outcome == Outcome::k_await) return pass_on(L, 1, results, continue_resume);
  return answer_resume(L, outcome, results);
}

// As Lua does: the coroutine is closed, and a text gets the position of the caller.
int raise_from_wrap(lua_State* L, lua_State* co) {
  const int status = lua_status(co);
  if (status != LUA_OK && status != LUA_YIELD) {
    if (reset(L, co) != LUA_OK) {
      lua_pop(L, 1);
      lua_xmove(co, L, 1);
    }
    if (State::of(L).killed()) State::of(L).raise_killed(L);
  }
  if (lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

int continue_wrap(lua_State* L, int, lua_KContext) {
  lua_State* co = lua_tothread(L, k_wrapped);
  mark(L, k_wrapped, false);
  int results = 0;
  const Outcome outcome = run(L, co, lua_gettop(L), results);
  if (outcome == Outcome::k_await) return pass_on(L, k_wrapped, results, continue_wrap);
  return outcome == Outcome::k_done ? results : raise_from_wrap(L, co);
}

int l_wrapped(lua_State* L) {
  lua_State* co = lua_tothread(L, k_wrapped);
  const Status status = status_of(L, k_wrapped, co);
  if (status != Status::k_suspended) {
    return luaL_error(L, "cannot resume %s coroutine", status == Status::k_dead ? "dead" : "non-suspended");
  }
  int results = 0;
  const Outcome outcome = run(L, co, lua_gettop(L), results);
  if (outcome == Outcome::k_await) return pass_on(L, k_wrapped, results, continue_wrap);
  return outcome == Outcome::k_done ? results : raise_from_wrap(L, co);
}

// ---- the rest of the library

int l_create(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  State::of(L).charge(L, k_create_work);
  lua_State* co = lua_newthread(L);
  State::of(L).watch(co);
  mark(L, lua_gettop(L), false);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

int l_wrap(lua_State* L) {
  l_create(L);
  lua_pushcclosure(L, l_wrapped, 1);
  return 1;
}

int l_yield(lua_State* L) {
  if (State::of(L).hidden().coroutine_depth == 0) return luaL_error(L, "attempt to yield from outside a coroutine");
  return lua_yield(L, lua_gettop(L));
}

int l_status(lua_State* L) {
  lua_State* co = coroutine_argument(L);
  lua_pushstring(L, status_name(status_of(L, 1, co)));
  return 1;
}

int l_isyieldable(lua_State* L) {
  lua_State* co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;
  lua_pushboolean(L, lua_isyieldable(co) && (co != L || State::of(L).hidden().coroutine_depth > 0));
  return 1;
}

int l_running(lua_State* L) {
  lua_pushthread(L);
  lua_pushboolean(L, State::of(L).hidden().coroutine_depth == 0);
  return 2;
}

int l_close(lua_State* L) {
  lua_State* co = coroutine_argument(L);
  const Status status = status_of(L, 1, co);
  if (status != Status::k_dead && status != Status::k_suspended) {
    return luaL_error(L, "cannot close a %s coroutine", status_name(status));
  }
  const int result = reset(L, co);
  lua_settop(L, 1);
  if (result == LUA_OK) {
    if (State::of(L).killed()) State::of(L).raise_killed(L);
    lua_pushboolean(L, 1);
    return 1;
  }
  lua_xmove(co, L, 1);
  State::of(L).after_protected_call(L, result);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

}  // namespace

int l_open_coroutine(lua_State* L) {
  static const luaL_Reg k_functions[] = {{"close", l_close},   {"create", l_create},   {"isyieldable", l_isyieldable},
                                         {"resume", l_resume}, {"running", l_running}, {"status", l_status},
                                         {"wrap", l_wrap},     {"yield", l_yield},     {nullptr, nullptr}};
  lua_createtable(L, 0, int(std::size(k_functions)));
  luaL_setfuncs(L, k_functions, 0);
  return 1;
}

}  // namespace perilune::lua
