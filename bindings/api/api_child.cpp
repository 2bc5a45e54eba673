// call(workflow, input) -> its output; start(workflow, input, { id =, detached = }) -> h: h.id h:await() h:send() h:cancel().
// What a run does with others is in flow/child.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/flow/child.hpp"
#include "runtime/flow/receive.hpp"
#include "runtime/flow/spawn.hpp"

namespace perilune::api {

using flow::ChildRuns;
using flow::ChildStart;
using flow::ChildWait;
using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr const char* k_type = "run";
constexpr std::string_view k_start_options[] = {"id", "detached"};

// A handle of a run that was begun with start.
struct Child {
  std::string workflow, id;
  std::shared_ptr<task::TaskHandle> task;   // that ends with it; null for a detached one
  std::shared_ptr<std::string> output = std::make_shared<std::string>();
};

std::shared_ptr<Child>& child_at(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<Child>*>(luaL_checkudata(L, index, k_type));
}

// The id in the outcome of a ChildStart: a JSON text that escapes nothing.
std::string id_in(const task::Outcome& outcome) { return outcome.value.substr(1, outcome.value.size() - 2); }

enum class Begun : uint8_t { wrong, waits, ready };

// `wrong` leaves an error in script.pending_error(). The input stands at index 2.
Begun begin_start(lua_State* L, LuaScript& script, std::string_view workflow, std::string_view id, bool detached) noexcept {
  ChildRuns::Request request{std::string(workflow), "{}", std::string(id), detached};
  if (!lua_isnoneornil(L, 2)) {
    request.input.clear();
    Result<void> encoded = lua::encode(L, 2, request.input, "input");
    if (!encoded.ok()) {
      script.pending_error() = std::move(encoded.error());
      return Begun::wrong;
    }
  }
  auto start = std::make_unique<ChildStart>(script.execution(), script.context().children(), std::move(request));
  ChildStart& begun = *start;
  LuaTask& task = *script.current();
  task.fill({std::move(start), lua::push_outcome, LUA_NOREF});
  return script.execution().begin(begun, task.task()) ? Begun::ready : Begun::waits;
}

bool begin_wait(LuaScript& script, std::string workflow, std::string id, bool attached) noexcept {
  auto wait = std::make_unique<ChildWait>(script.execution(), script.context().children(), std::move(workflow),
                                          std::move(id), attached);
  ChildWait& begun = *wait;
  LuaTask& task = *script.current();
  task.fill({std::move(wait), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task());
}

bool begin_call_wait(LuaScript& script) noexcept {
  LuaTask& task = *script.current();
  std::string workflow = static_cast<ChildStart&>(*task.slot().operation).name();
  return begin_wait(script, std::move(workflow), id_in(task.task().outcome), true);
}

// The other run is on disk: wait for it.
int call_started(lua_State* L, int, lua_KContext) {
  LuaScript& script = *lua::surroundings_of(L).live();
  LuaTask& task = *script.current();
  if (task.task().outcome.kind != task::Outcome::Kind::value) return lua::push_outcome(L, task, task.task().outcome);
  return lua::await(L, begin_call_wait(script));
}

// call(workflow, [input])
int l_call(lua_State* L) {
  LuaScript& script = lua::enter(L, "call", lua::Place::body);
  std::string_view workflow = lua::check_text(L, 1, "call", "workflow");
  lua_settop(L, 2);
  switch (begin_start(L, script, workflow, {}, false)) {
    case Begun::wrong: lua::raise(L, std::move(script.pending_error()));
    case Begun::waits: return lua::suspend(L, call_started);
    case Begun::ready: return call_started(L, LUA_OK, 0);
  }
  return 0;
}

void fill_handle(LuaScript& script, std::shared_ptr<Child>& handle) noexcept {
  LuaTask& task = *script.current();
  const auto& started = static_cast<ChildStart&>(*task.slot().operation);
  handle = std::make_shared<Child>();
  handle->workflow = started.name();
  handle->id = id_in(task.task().outcome);
  if (!started.detached())
    handle->task = flow::spawn_child_task(script.execution(), task.task(), script.context().children(),
                                          handle->workflow, handle->id, handle->output);
}

// Stack: workflow, input, options, the handle.
int start_started(lua_State* L, int, lua_KContext) {
  LuaScript& script = *lua::surroundings_of(L).live();
  LuaTask& task = *script.current();
  if (task.task().outcome.kind != task::Outcome::Kind::value) return lua::push_outcome(L, task, task.task().outcome);
  fill_handle(script, child_at(L, 4));
  lua_settop(L, 4);
  return 1;
}

// ---- the handle

int push_output(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.slot().function_ref);   // the handle
  lua::push_json(L, *child_at(L, -1)->output);
  return 1;
}

bool begin_await(LuaScript& script, const std::shared_ptr<Child>& child, int ref) noexcept {
  if (child->task == nullptr) {
    luaL_unref(script.L(), LUA_REGISTRYINDEX, ref);
    return begin_wait(script, child->workflow, child->id, false);
  }
  auto operation = std::make_unique<flow::AwaitTask>(script.execution(), child->task);
  flow::AwaitTask& begun = *operation;
  LuaTask& task = *script.current();
  task.fill({std::move(operation), push_output, ref});
  return begun.begin(task.task());
}

int l_await(lua_State* L) {
  LuaScript& script = lua::enter(L, "h:await", lua::Place::body);
  std::shared_ptr<Child>& child = child_at(L, 1);
  lua_settop(L, 1);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin_await(script, child, ref));
}

bool begin_cancel(LuaScript& script, const std::shared_ptr<Child>& child) noexcept {
  LuaTask& task = *script.current();
  task.task().outcome = {};
  if (child->task != nullptr) {
    auto reason = std::make_shared<const Error>(code::k_cancelled, "cancelled by h:cancel()");
    if (child->task->task != nullptr) script.execution().scheduler().cancel(*child->task->task, reason);
    return true;
  }
  auto cancel = std::make_unique<flow::ChildCancel>(script.execution(), script.context().children(), child->id);
  flow::ChildCancel& begun = *cancel;
  task.fill({std::move(cancel), lua::push_outcome, LUA_NOREF});
  return script.execution().begin(begun, task.task());
}

int l_cancel(lua_State* L) {
  LuaScript& script = lua::enter(L, "h:cancel", lua::Place::body);
  std::shared_ptr<Child>& child = child_at(L, 1);
  if (child->task != nullptr) {
    begin_cancel(script, child);
    return 0;
  }
  return lua::await(L, begin_cancel(script, child));
}

int sent(lua_State*, int, lua_KContext) { return 0; }

// h:send(name, value): send(h.id, name, value).
int l_send(lua_State* L) {
  std::shared_ptr<Child>& child = child_at(L, 1);
  lua_settop(L, 3);
  open_send(L);
  lua_pushlstring(L, child->id.data(), child->id.size());
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_callk(L, 3, 0, 0, sent);
  return 0;
}

int l_index(lua_State* L) {
  std::shared_ptr<Child>& child = child_at(L, 1);
  std::string_view name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  if (name == "id") {
    lua_pushlstring(L, child->id.data(), child->id.size());
    return 1;
  }
  lua_pushvalue(L, 2);
  lua_rawget(L, lua_upvalueindex(1));
  return 1;
}

constexpr luaL_Reg k_methods[] = {{"await", l_await}, {"cancel", l_cancel}, {"send", l_send}, {nullptr, nullptr}};

// start(workflow, [input], [options])
int l_start(lua_State* L) {
  LuaScript& script = lua::enter(L, "start", lua::Place::body);
  std::string_view workflow = lua::check_text(L, 1, "start", "workflow");
  lua_settop(L, 3);
  Options options(L, 3, "start", k_start_options);
  std::string_view id = options.has("id") ? options.text("id", "") : std::string_view();
  if (options.has("id") && !is_run_id(id)) options.wrong("id", k_run_id_rule);
  bool detached = options.boolean("detached", false);
  make_shared_type<Child>(L, k_type, k_methods, l_index);
  new_shared<Child>(L, k_type, 0);
  switch (begin_start(L, script, workflow, id, detached)) {
    case Begun::wrong: lua::raise(L, std::move(script.pending_error()));
    case Begun::waits: return lua::suspend(L, start_started);
    case Begun::ready: return start_started(L, LUA_OK, 0);
  }
  return 0;
}

}  // namespace

int open_call(lua_State* L) {
  lua_pushcfunction(L, l_call);
  return 1;
}

int open_start(lua_State* L) {
  lua_pushcfunction(L, l_start);
  return 1;
}

}  // namespace perilune::api
