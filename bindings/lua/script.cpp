// The state of a run: opening, the main task, threads, and what the sandbox asks of its surroundings. See script.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/script.hpp"

#include <algorithm>

#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/definition.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/gate.hpp"
#include "bindings/lua/lua_task.hpp"
#include "bindings/lua/sandbox.hpp"
#include "runtime/hooks/registry.hpp"

namespace perilune::lua {

namespace {

constexpr size_t k_threads_kept = 64;

// The main task: runs the file; when it gives definitions, runs the one that is asked for.
int main_file_ran(lua_State* L, int, lua_KContext);

int l_main(lua_State* L) {
  LuaScript& script = *surroundings_of(L).live();
  lua_settop(L, 1);  // the file's function
  (void)script;
  lua_callk(L, 0, 1, 0, main_file_ran);
  return main_file_ran(L, LUA_OK, 0);
}

// Stack: 1 what the file gave, 2 the run function.
int call_run(lua_State* L) {
  lua_getglobal(L, "input");
  lua_callk(L, 1, 1, 0, [](lua_State*, int, lua_KContext) { return 1; });
  return 1;
}

int preflight_held(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return push_outcome(L, task, outcome);   // raises
  lua_settop(L, 2);
  return call_run(L);
}

int main_file_ran(lua_State* L, int, lua_KContext) {
  LuaScript& script = *surroundings_of(L).live();
  const char* name = script.workflow().c_str();
  if (!push_workflow_run(L, 1, name)) return 1;  // the file is itself the workflow
  script.defined();
  push_workflow_gates(L, 1, name);  // 3 preflight, 4 postflight
  script.set_postflight(lua_isnil(L, 4) ? LUA_NOREF : (lua_pushvalue(L, 4), luaL_ref(L, LUA_REGISTRYINDEX)));
  lua_settop(L, 3);
  if (lua_isnil(L, 3)) {
    lua_settop(L, 2);
    return call_run(L);
  }
  return await(L, begin_preflight(script, luaL_ref(L, LUA_REGISTRYINDEX), preflight_held));
}

int l_open_globals(lua_State* L) {
  auto open_api = reinterpret_cast<void (*)(lua_State*)>(lua_touserdata(L, 1));
  open_api(L);
  return 0;
}

// The thread and its place in the registry: both need memory, so both are got where an error can be caught.
int l_new_thread(lua_State* L) {
  lua_newthread(L);
  lua_pushvalue(L, -1);
  lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
  return 2;
}

}  // namespace

std::string module_chunk_name(const std::string& name) {
  std::string path = "@" + name;
  std::replace(path.begin(), path.end(), '.', '/');
  return path + ".lua";
}

Result<std::shared_ptr<const flow::Schema>> SchemaCache::get(const std::string& json, const std::string& what) {
  std::string key = what + '\0' + json;
  if (auto found = schemas_.find(key); found != schemas_.end()) return found->second;
  auto schema = flow::compile_schema(json, what);
  if (schema.ok()) schemas_[key] = *schema;
  return schema;
}

LuaScript::LuaScript(std::shared_ptr<const CompiledBundle> code, std::string workflow, SchemaCache& schemas,
                     engine::RunContext& context)
    : code_(std::move(code)), workflow_(std::move(workflow)), schemas_(schemas), context_(context) {}

// While the state closes, finalizers still give threads back: state_ names it until then, which reset() would not do.
LuaScript::~LuaScript() {
  std::default_delete<State>()(state_.get());
  (void)state_.release();
}

Result<void> LuaScript::open(void (*open_api)(lua_State*)) {
  const engine::Settings& settings = context_.settings();
  StateLimits limits;
  limits.memory_bytes = settings.memory_bytes;
  limits.cpu_us = settings.cpu_us;
  limits.payload_bytes = settings.payload_bytes;
  Result<std::unique_ptr<State>> state = State::create(limits, *this);
  if (!state.ok()) return state.error();
  state_ = std::move(*state);
  lua_pushcfunction(L(), l_open_globals);
  lua_pushlightuserdata(L(), reinterpret_cast<void*>(open_api));
  if (lua_pcall(L(), 1, 0, 0) != LUA_OK) {
    Error error = error_from_value(L(), -1, code::k_memory);
    lua_pop(L(), 1);
    return error;
  }
  return {};
}

Result<std::unique_ptr<task::Coroutine>> LuaScript::main() {
  Result<void> loaded = load_bytecode(L(), code_->bytecode, code_->chunk_name.c_str());
  if (!loaded.ok()) return loaded.error();
  Thread thread = take_thread();
  if (thread.L == nullptr) return state_->kill_error();
  lua_pushcfunction(thread.L, l_task_base);
  lua_pushcfunction(thread.L, l_main);
  lua_xmove(L(), thread.L, 1);
  auto task = std::make_unique<LuaTask>(*this, thread);
  task->set_argument_count(2);
  return std::unique_ptr<task::Coroutine>(std::move(task));
}

LuaScript::Thread LuaScript::take_thread() {
  if (!threads_.empty()) {
    Thread thread = threads_.back();
    threads_.pop_back();
    return thread;
  }
  lua_State* main = L();
  lua_pushcfunction(main, l_new_thread);
  if (lua_checkstack(main, 4) == 0 || lua_pcall(main, 0, 2, 0) != LUA_OK) {
    lua_pop(main, 1);
    state_->kill(code::k_memory, "no memory is left for another task");
    return {};
  }
  Thread thread;
  thread.L = lua_tothread(main, -2);
  thread.ref = static_cast<int>(lua_tointeger(main, -1));
  lua_pop(main, 2);
  state_->watch(thread.L);
  return thread;
}

void LuaScript::give_back(Thread thread, bool reusable) {
  if (reusable && threads_.size() < k_threads_kept && !state_->killed()) {
    lua_settop(thread.L, 0);
    threads_.push_back(thread);
  } else {
    luaL_unref(L(), LUA_REGISTRYINDEX, thread.ref);
  }
}

std::unique_ptr<LuaTask> LuaScript::new_task() {
  Thread thread = take_thread();
  if (thread.L != nullptr) lua_pushcfunction(thread.L, l_task_base);
  auto task = std::make_unique<LuaTask>(*this, thread);
  task->set_within_hook(current_ != nullptr && current_->within_hook());
  return task;
}

std::unique_ptr<LuaTask> LuaScript::make_task(int function_ref, lua_CFunction adapter) {
  auto task = new_task();
  lua_State* T = task->L();
  if (T == nullptr) return task;
  if (adapter != nullptr) lua_pushcfunction(T, adapter);
  lua_rawgeti(T, LUA_REGISTRYINDEX, function_ref);
  task->set_argument_count(adapter != nullptr ? 2 : 1);
  return task;
}

std::unique_ptr<task::Coroutine> LuaScript::hook(int function, std::shared_ptr<const hooks::Event> event) {
  auto task = make_task(function, hook_caller_);
  std::string text = hooks::event_json(*event);   // its run goes last
  text.insert(text.size() - 1, ",\"run\":" + hooks::run_json(*event->run));
  task->set_argument_json(std::move(text));
  return task;
}

double LuaScript::now_s() {
  bool in_step = current_ != nullptr && !current_->task().journaled();
  int64_t us = in_step ? execution().loop().clock().wall_us() : execution().now_us();
  return static_cast<double>(us) / 1e6;
}

Random& LuaScript::random() {
  if (current_ == nullptr) return fallback_random_;
  task::Task& task = current_->task();
  return task.attempt != nullptr ? task.attempt->random : task.random;
}

uint64_t LuaScript::next_object_id() {
  if (current_ != nullptr && current_->task().attempt != nullptr) return ++current_->task().attempt->object_ids;
  return ++object_ids_;
}

void LuaScript::log(const char* level, std::string_view text, std::string_view fields) {
  context_.log(level, text, fields);
}

void LuaScript::warn_once(const std::string& text) {
  if (warned_.insert(text).second) log("warn", text, {});
}

Result<Module> LuaScript::find_module(const std::string& name) {
  Result<std::string> text = context_.find_module(name);
  if (!text.ok()) return text.error();
  return Module{module_chunk_name(name), std::move(*text)};
}

void LuaScript::set_postflight(int function_ref) {
  luaL_unref(L(), LUA_REGISTRYINDEX, postflight_ref_);
  postflight_ref_ = function_ref;
}

std::unique_ptr<flow::StepCode> LuaScript::postflight() {
  if (postflight_ref_ == LUA_NOREF) return nullptr;
  return make_gate_code(*this, std::exchange(postflight_ref_, LUA_NOREF));
}

void LuaScript::declared(engine::Definition definition, bool has_run) {
  if (definition.name != workflow_) return;
  defined_output_ = definition.output;
  if (!has_run) output_schema_ = definition.output;
}

}  // namespace perilune::lua
