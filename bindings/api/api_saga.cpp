// compensate, saga, rollback and shield. What they do is in flow/saga.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/api/undo.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/saga.hpp"
#include "runtime/flow/shield.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

void register_undo(LuaScript& script, std::string_view name, int function_ref, std::string argument) noexcept {
  task::Task& task = script.current()->task();
  flow::Execution& execution = script.execution();
  uint32_t number = ++task.ops;
  if (!execution.noted(task, number, journal::Kind::compensation_added)) {
    journal::Record record;
    record.kind = journal::Kind::compensation_added;
    record.task = task.id;
    record.op = number;
    record.name = std::string(name);
    execution.note(std::move(record), false);
  }
  flow::Saga::of(task).add(execution, std::string(name), std::make_unique<LuaUndo>(script, function_ref, std::move(argument)));
}

// Work: false with an error in script.pending_error().
bool register_call(lua_State* L, LuaScript& script, std::string_view name, int function_ref) noexcept {
  std::string argument = "{\"workflow\":";
  Result<void> encoded = lua::encode(L, 2, argument, "workflow");
  argument += ",\"input\":";
  if (encoded.ok() && lua_isnil(L, 3)) argument += "{}";
  else if (encoded.ok()) encoded = lua::encode(L, 3, argument, "input");
  if (!encoded.ok()) {
    luaL_unref(L, LUA_REGISTRYINDEX, function_ref);
    script.pending_error() = std::move(encoded.error());
    return false;
  }
  register_undo(script, name, function_ref, argument + "}");
  return true;
}

// compensate(name, fn), compensate(name, workflow, [input])
int l_compensate(lua_State* L) {
  LuaScript& script = lua::enter(L, "compensate", lua::Place::body);
  std::string_view name = lua::check_text(L, 1, "compensate", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "compensate: the name must not be empty");
  bool calls = lua_type(L, 2) == LUA_TSTRING;
  if (!calls && lua_type(L, 2) != LUA_TFUNCTION)
    lua::raise_usage(L, code::k_usage, "compensate: the action must be a function or the name of a workflow, not a %s", luaL_typename(L, 2));
  lua_settop(L, calls ? 3 : 2);
  if (calls) lua_pushcfunction(L, call_workflow_to_undo);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  if (!calls) register_undo(script, name, ref, "");
  else if (!register_call(L, script, name, ref)) lua::raise(L, std::move(script.pending_error()));
  return 0;
}

bool begin_rollback(LuaScript& script, flow::Rollback::To to) noexcept {
  auto rollback = std::make_unique<flow::Rollback>(script.execution(), std::move(to));
  flow::Rollback& begun = *rollback;
  LuaTask& task = *script.current();
  task.fill({std::move(rollback), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task());
}

// To the checkpoint, or to where the task began.
bool begin_named(LuaScript& script, std::string_view name, bool& found) noexcept {
  flow::Rollback::To to = flow::Rollback::beginning(script.current()->task());
  const flow::CheckpointMark* mark = name.empty() ? nullptr : script.execution().checkpoint_mark(std::string(name));
  found = name.empty() || mark != nullptr;
  if (!found) return true;
  if (mark != nullptr) to = {mark->undo_order, true, mark->state};
  return begin_rollback(script, std::move(to));
}

// rollback([checkpoint]): runs the task's compensations now, back to that checkpoint, and returns.
int l_rollback(lua_State* L) {
  LuaScript& script = lua::enter(L, "rollback", lua::Place::body);
  std::string_view name;
  if (!lua_isnoneornil(L, 1)) {
    name = lua::check_text(L, 1, "rollback", "checkpoint");
    if (name.empty()) lua::raise_usage(L, code::k_usage, "rollback: the checkpoint's name must not be empty");
  }
  bool found = false;
  const bool ready = begin_named(script, name, found);
  if (!found) lua::raise_usage(L, code::k_not_found, "rollback: there is no checkpoint '%s' yet", lua_tostring(L, 1));
  return lua::await(L, ready);
}

// ---- saga(fn, [options]): when fn raises, its own compensations run, and the error goes on up. Stack: where it began, then
// fn's results or the error.

constexpr const char* k_saga_type = "saga";
constexpr std::string_view k_saga_options[] = {"state"};
constexpr std::string_view k_saga_state[] = {"keep", "restore"};
constexpr luaL_Reg k_no_methods[] = {{nullptr, nullptr}};

int saga_undone(lua_State* L, int, lua_KContext) {
  lua_settop(L, 2);
  return lua_error(L);
}

bool undo_saga(LuaScript& script, const flow::Rollback::To& to) noexcept { return begin_rollback(script, to); }

int saga_body_ended(lua_State* L, int status, lua_KContext) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  lua::State::of(L).after_protected_call(L, status);
  LuaScript& script = lua::enter_now(L, "saga");
  lua_settop(L, 2);   // the error
  auto& to = *static_cast<std::shared_ptr<flow::Rollback::To>*>(lua_touserdata(L, 1));
  if (undo_saga(script, *to)) return saga_undone(L, LUA_OK, 0);
  return lua::suspend(L, saga_undone);
}

void mark_saga(LuaScript& script, bool restore, std::shared_ptr<flow::Rollback::To>& to) noexcept {
  to = std::make_shared<flow::Rollback::To>();
  to->undo_order = script.execution().next_undo_order();
  to->restore = restore;
  flow::StateView* view = flow::StateView::find(script.current()->task());
  if (restore && view != nullptr) to->state = view->all();
}

int l_saga(lua_State* L) {
  LuaScript& script = lua::enter(L, "saga", lua::Place::body);
  lua::check_function(L, 1, "saga", "first argument");
  lua_settop(L, 2);
  Options options(L, 2, "saga", k_saga_options);
  const bool restore = options.choice("state", k_saga_state, 0) == 1;
  lua_settop(L, 1);
  make_shared_type<flow::Rollback::To>(L, k_saga_type, k_no_methods, nullptr);
  std::shared_ptr<flow::Rollback::To>& to = new_shared<flow::Rollback::To>(L, k_saga_type, 0);
  lua_insert(L, 1);
  mark_saga(script, restore, to);
  int status = lua_pcallk(L, 0, LUA_MULTRET, 0, 0, saga_body_ended);
  return saga_body_ended(L, status, 0);
}

// ---- shield([options], fn): cancellation waits until fn has ended, or until the time-out.

constexpr const char* k_shield_type = "shield";
constexpr std::string_view k_shield_options[] = {"timeout"};

int shield_ended(lua_State* L, int status, lua_KContext) {
  LuaScript& script = lua::enter_now(L, "shield");
  --script.current()->task().shield;
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L);
  lua::State::of(L).after_protected_call(L, status);
  return lua_error(L);
}

std::shared_ptr<flow::Shield>& shield_at(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<flow::Shield>*>(luaL_checkudata(L, index, k_shield_type));
}

// Stack: 1 the shield, then what fn returned, or the error.
int timed_shield_ended(lua_State* L, int status, lua_KContext) {
  flow::Shield& shield = *shield_at(L, 1);
  [&]() noexcept { shield.end(); }();
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;
  lua::State::of(L).after_protected_call(L, status);
  return lua_error(L);
}

void begin_shield(LuaScript& script, int64_t timeout_us, std::shared_ptr<flow::Shield>& shield) noexcept {
  shield = std::make_shared<flow::Shield>(script.execution(), timeout_us);
  shield->begin(script.current()->task());
}

int run_timed_shield(lua_State* L, LuaScript& script, int64_t timeout_us) {   // options, fn
  make_shared_type<flow::Shield>(L, k_shield_type, k_no_methods, nullptr);
  std::shared_ptr<flow::Shield>& shield = new_shared<flow::Shield>(L, k_shield_type, 0);
  lua_replace(L, 1);
  begin_shield(script, timeout_us, shield);
  int status = lua_pcallk(L, 0, LUA_MULTRET, 0, 0, timed_shield_ended);
  return timed_shield_ended(L, status, 0);
}

int l_shield(lua_State* L) {
  LuaScript& script = lua::enter(L, "shield", lua::Place::body);
  if (lua_gettop(L) == 1) {   // the options may be left out
    lua_pushnil(L);
    lua_insert(L, 1);
  }
  lua_settop(L, 2);
  lua::check_function(L, 2, "shield", "last argument");
  Options options(L, 1, "shield", k_shield_options);
  if (options.has("timeout")) return run_timed_shield(L, script, options.duration_us("timeout", 0));
  ++script.current()->task().shield;
  lua_remove(L, 1);
  int status = lua_pcallk(L, 0, LUA_MULTRET, 0, 0, shield_ended);
  return shield_ended(L, status, 0);
}

int open_function(lua_State* L, lua_CFunction function) {
  lua_pushcfunction(L, function);
  return 1;
}

}  // namespace

int open_compensate(lua_State* L) { return open_function(L, l_compensate); }
int open_saga(lua_State* L) { return open_function(L, l_saga); }
int open_rollback(lua_State* L) { return open_function(L, l_rollback); }
int open_shield(lua_State* L) { return open_function(L, l_shield); }

}  // namespace perilune::api
