// Resuming, results, errors and captured variables of a task. See lua_task.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/lua_task.hpp"

#include <chrono>
#include <cstring>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state_hidden.hpp"

namespace perilune::lua {

namespace {

constexpr int k_captured_functions_max = 32;  // functions looked into for one step

int64_t steady_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

LuaTask& current_task(lua_State* L) { return *surroundings_of(L).live()->current(); }

// Runs where the error was raised: the frames are still there.
int l_keep_traceback(lua_State* L) {
  if (is_error_object(L, 1)) {
    lua_getfield(L, 1, "traceback");
    bool has = lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) > 0;
    lua_pop(L, 1);
    if (has) return 1;
  }
  LuaTask& task = current_task(L);
  Error error = error_from_value(L, 1, code::k_script);
  if (error.traceback.empty()) error.traceback = traceback_of(L);
  task.note_raised(std::move(error));
  return 1;
}

int task_base_ended(lua_State* L, int status, lua_KContext) {
  State& state = State::of(L);
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - 1;  // below: the message handler
  state.after_protected_call(L, status);
  LuaTask& task = current_task(L);
  Error error = error_from_value(L, -1, code::k_script);
  if (error.traceback.empty()) {
    Error raised = task.take_raised();  // the handler saw it where it was raised
    if (raised.message == error.message) error.traceback = std::move(raised.traceback);
  }
  task.fail(std::move(error));
  return 0;
}

}  // namespace

int l_task_base(lua_State* L) {
  int arguments = lua_gettop(L) - 1;
  lua_pushcfunction(L, l_keep_traceback);
  lua_insert(L, 1);
  int status = lua_pcallk(L, arguments, LUA_MULTRET, 1, 0, task_base_ended);
  return task_base_ended(L, status, 0);
}

LuaTask::LuaTask(LuaScript& script, LuaScript::Thread thread) : script_(script), thread_(thread) {}

LuaTask::~LuaTask() {
  fill({});
  if (thread_.L == nullptr) return;
  if (results_ref_ != LUA_NOREF) luaL_unref(script_.L(), LUA_REGISTRYINDEX, results_ref_);
  script_.give_back(thread_, over_);
}

void LuaTask::fill(Slot slot) {
  if (slot_.function_ref != LUA_NOREF) luaL_unref(script_.L(), LUA_REGISTRYINDEX, slot_.function_ref);
  slot_ = std::move(slot);
}

task::Coroutine::State LuaTask::resume(task::Task& task) {
  task_ = &task;
  lua::State& state = script_.state();
  if (state.killed()) return end_by_kill();
  LuaTask* before = script_.current();
  script_.set_current(this);
  state.begin_slice();
  if (capture_error_ != nullptr) task.outcome = task::Outcome::of_error(*capture_error_);
  if (watched_ref_ != LUA_NOREF) take_captures();
  int count = 0;
  resumed_ns_ = steady_ns();
  int status = lua_resume(thread_.L, nullptr, begun_ ? 0 : arguments_, &count);
  busy_ns_ += steady_ns() - resumed_ns_;
  begun_ = true;
  if (forced_ && status == LUA_YIELD && !state.killed()) close_by_force();
  script_.set_current(before);
  if (status != LUA_OK && status != LUA_YIELD && !state.killed())
    state.kill(status == LUA_ERRMEM ? code::k_memory : code::k_internal, "the task could not go on");
  if (state.killed()) return end_by_kill();
  if (forced_) {
    error_ = *task.cancel_reason;
    return State::failed;
  }
  if (watched_ref_ != LUA_NOREF && capture_error_ == nullptr) look_at_captures();
  if (status == LUA_YIELD) {  // an assignment is raised when what is awaited now has ended
    lua_pop(thread_.L, count);
    return State::suspended;
  }
  over_ = true;
  if (capture_error_ != nullptr) fail(*capture_error_);
  results_ = failed_ ? 0 : count;
  if (failed_) lua_settop(thread_.L, 0);
  return failed_ ? State::failed : State::finished;
}

// The run ends here: nobody is told by the error of a task, which others might wait for, or catch.
task::Coroutine::State LuaTask::end_by_kill() {
  error_ = script_.state().kill_error();
  script_.execution().abort(error_);
  return State::failed;
}

// Runs the __close of what the task holds. Nothing may await in it: there is nobody left to go on.
void LuaTask::close_by_force() {
  lua::State::Hidden& hidden = script_.state().hidden();
  bool blocked = std::exchange(hidden.await_blocked, true);
  (void)lua_resetthread(thread_.L);
  hidden.await_blocked = blocked;
  results_ = 0;
}

int64_t LuaTask::busy_us() const {
  bool running = script_.current() == this;
  return (busy_ns_ + (running ? steady_ns() - resumed_ns_ : 0)) / 1000;
}

Result<std::string> LuaTask::encode_result() {
  lua_State* L = thread_.L;
  if (results_ == 0) return std::string("null");
  std::string text;
  LuaTask* before = script_.current();   // `state` in a result is this task's
  script_.set_current(this);
  Result<void> encoded = encode(L, lua_gettop(L) - results_ + 1, text, "result");
  script_.set_current(before);
  if (!encoded.ok()) return encoded.error();
  return text;
}

std::string LuaTask::short_result(size_t bytes_max) {
  lua_State* L = thread_.L;
  if (results_ == 0) return "null";
  std::string text;
  LuaTask* before = script_.current();
  script_.set_current(this);
  const bool encoded = encode(L, lua_gettop(L) - results_ + 1, text, "result", false, bytes_max).ok();
  script_.set_current(before);
  return encoded ? text : std::string();
}

std::string LuaTask::where() {
  lua_Debug debug;
  for (int level = 0; lua_getstack(thread_.L, level, &debug) != 0; ++level) {
    lua_getinfo(thread_.L, "Sl", &debug);
    if (debug.currentline > 0 && !is_own_chunk(debug.source)) return std::string(debug.short_src) + ":" + std::to_string(debug.currentline);
  }
  return {};
}

void LuaTask::ended(task::Task& task) {
  if (results_ref_ == LUA_NOREF || script_.state().killed()) return;
  lua_State* L = thread_.L;
  if (lua_checkstack(L, 4) == 0) return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, results_ref_);  // the table has its slots already: filling them raises nothing
  int table = lua_gettop(L);
  if (!task.failed && results_ > 0) {
    lua_pushvalue(L, table - results_);
    lua_rawseti(L, table, 1);
  }
  lua_pop(L, 1);
}

// ---- captured variables

template <class F>
void LuaTask::each_capture(F&& visit) {
  lua_State* L = thread_.L;
  if (lua_checkstack(L, k_captured_functions_max + 4) == 0) return;
  int base = lua_gettop(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, watched_ref_);
  for (int f = base + 1; f <= lua_gettop(L); ++f) {  // the functions on the stack are the queue
    for (int i = 1;; ++i) {
      const char* name = lua_getupvalue(L, f, i);
      if (name == nullptr) break;
      visit(L, name);
      bool deeper = lua_type(L, -1) == LUA_TFUNCTION && !lua_iscfunction(L, -1) &&
                    lua_gettop(L) - base < k_captured_functions_max;
      for (int g = base + 1; deeper && g < lua_gettop(L); ++g) deeper = lua_rawequal(L, g, -1) == 0;
      if (!deeper) lua_pop(L, 1);
    }
  }
  lua_settop(L, base);
}

namespace {
uint64_t bits_of(lua_State* L) {
  switch (lua_type(L, -1)) {
    case LUA_TNIL:
      return 0;
    case LUA_TBOOLEAN:
      return static_cast<uint64_t>(lua_toboolean(L, -1));
    case LUA_TNUMBER: {
      uint64_t bits = 0;
      if (lua_isinteger(L, -1)) return static_cast<uint64_t>(lua_tointeger(L, -1));
      lua_Number number = lua_tonumber(L, -1);
      std::memcpy(&bits, &number, sizeof bits);
      return bits;
    }
    default:
      return reinterpret_cast<uint64_t>(lua_topointer(L, -1));
  }
}
}  // namespace

void LuaTask::take_captures() {
  captures_.clear();
  each_capture([this](lua_State* L, const char*) { captures_.push_back({lua_type(L, -1), bits_of(L)}); });
}

void LuaTask::look_at_captures() {
  size_t index = 0;
  const char* changed = nullptr;
  each_capture([&](lua_State* L, const char* name) {
    if (index < captures_.size() && changed == nullptr && !(captures_[index] == Capture{lua_type(L, -1), bits_of(L)}))
      changed = name;
    ++index;
  });
  if (changed == nullptr) return;
  capture_error_ = std::make_unique<Error>(
      code::k_usage, std::string("the step assigned the captured variable '") + changed +
                         "': after a crash the step is not run again and the assignment would be lost; "
                         "return the value instead");
}

}  // namespace perilune::lua
