// A running script: one Lua state, the tasks in it, and what the API functions find through it.
//
// An API function has three parts: parse (may raise, holds nothing with a destructor), work (noexcept, no Lua calls that
// raise), push (may raise, holds nothing). Between work and push the task may suspend:
//
//   l_step: parse -> enter() -> work: task.slot = operation, execution.begin() -> await(L, ready)
//                                                   ready: push at once    not ready: lua_yieldk -> ... -> push
//
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/lua/prototypes.hpp"
#include "bindings/lua/state.hpp"
#include "runtime/engine/script_host.hpp"
#include "runtime/hooks/decision.hpp"

namespace perilune::lua {

class LuaTask;
class LuaScript;

// The Surroundings of every state that has the API: a running script, or a file that is only inspected (live() is null:
// a durable call ends the inspection).
class ApiSurroundings : public Surroundings {
 public:
  virtual LuaScript* live() { return nullptr; }
  virtual const engine::Settings& settings() const = 0;
  // The file's stem: the default name of a workflow.
  virtual std::string default_name() const = 0;
  // A schema of the script, compiled once for all states of the host.
  virtual Result<std::shared_ptr<const flow::Schema>> schema(const std::string& json, const std::string& what) = 0;
  // workflow{...} was called. With a `run` in it, it says nothing of the script around it, unless that returns it.
  virtual void declared(engine::Definition definition, bool has_run) = 0;
};

ApiSurroundings& surroundings_of(lua_State* L);

// Compiled code shared by the runs of one bundle.
struct CompiledBundle {
  std::string bytecode;      // of the entry
  std::string chunk_name;    // "@order.lua"
};

// What messages call a module: "lib.tax" is lib/tax.lua.
std::string module_chunk_name(const std::string& name);

// Schemas by their text: compiling one costs more than a run.
class SchemaCache {
 public:
  Result<std::shared_ptr<const flow::Schema>> get(const std::string& json, const std::string& what);

 private:
  std::unordered_map<std::string, std::shared_ptr<const flow::Schema>> schemas_;
};

class LuaScript final : public engine::Script, public ApiSurroundings {
 public:
  LuaScript(std::shared_ptr<const CompiledBundle> code, std::string workflow, SchemaCache& schemas,
            engine::RunContext& context);
  ~LuaScript() override;
  Result<void> open(void (*open_api)(lua_State*));

  // ---- engine::Script
  Result<std::unique_ptr<task::Coroutine>> main() override;
  const Error* killed() const override { return state_->killed() ? &state_->kill_error() : nullptr; }
  std::shared_ptr<const flow::Schema> output_schema() const override { return output_schema_; }
  std::unique_ptr<flow::StepCode> postflight() override;
  std::unique_ptr<task::Coroutine> hook(int function, std::shared_ptr<const hooks::Event> event) override;
  Result<std::string> query(const std::string& name, const std::string& input_json) override;   // query.cpp

  // ---- ApiSurroundings
  double now_s() override;
  Random& random() override;
  uint64_t next_object_id() override;
  void log(const char* level, std::string_view text, std::string_view fields) override;
  Result<Module> find_module(const std::string& name) override;
  LuaScript* live() override { return this; }
  const engine::Settings& settings() const override { return context_.settings(); }
  std::string default_name() const override { return context_.row().workflow; }
  Result<std::shared_ptr<const flow::Schema>> schema(const std::string& json, const std::string& what) override {
    return schemas_.get(json, what);
  }
  void declared(engine::Definition definition, bool has_run) override;

  // ---- for the API functions
  State& state() { return *state_; }
  lua_State* L() { return state_->main(); }
  engine::RunContext& context() { return context_; }
  flow::Execution& execution() { return context_.execution(); }
  LuaTask* current() { return current_; }
  // Takes over a registry reference, LUA_NOREF for none.
  void set_postflight(int function_ref);
  // What runs now is the answer to a query.
  bool answering() const { return answering_; }
  // The file has returned the definition that this run is of.
  void defined() { output_schema_ = defined_output_; }
  void set_current(LuaTask* task) { current_ = task; }

  // Where a work part leaves its error for the raise (a local would leak).
  Error& pending_error() { return pending_error_; }

  // Its hooks: whether one may listen to points of that family (api/hooked.hpp asks), and what the call that is being made
  // has been told by them.
  bool hears(hooks::Family family) const { return (families_heard_ >> static_cast<unsigned>(family) & 1) != 0; }
  void hear(hooks::Family family) { families_heard_ |= 1u << static_cast<unsigned>(family); }
  void hear_all() { families_heard_ = ~0u; }
  struct Told {
    std::shared_ptr<const hooks::Decision> decided;   // or null
    std::string input;                                // JSON text, or empty
    uint32_t again = 0;                               // the operation that it repeats, or 0
  };
  Told& told() { return told_; }

  // For the snapshots of loops.
  Prototypes& prototypes() { return prototypes_; }
  uint64_t object_ids() const { return object_ids_; }
  void set_object_ids(uint64_t count) { object_ids_ = count; }
  int64_t& numbering_cost_us() { return numbering_cost_us_; }   // of the last loop's objects
  // A warning of the run's log, once for each text.
  void warn_once(const std::string& text);

  const CompiledBundle& code() const { return *code_; }
  const std::string& workflow() const { return workflow_; }

  // A task that calls `function` (a registry reference, which stays the caller's), through `adapter` when that is given:
  // adapter(function) makes the arguments, inside the task. Never raises; after a memory error the state is killed and the
  // task fails at its first resume.
  std::unique_ptr<LuaTask> make_task(int function_ref, lua_CFunction adapter = nullptr);

  // A task whose function and arguments the caller pushes on its stack (at most 16 values), and then counts with
  // set_argument_count (the function counts as one). Its thread is null after a memory error.
  std::unique_ptr<LuaTask> new_task();

  // What calls a hook of a file: (function) with the event in argument_json of the task; bindings/api sets it.
  void set_hook_caller(lua_CFunction caller) { hook_caller_ = caller; }

  // Lua threads are used again: a thread costs more than a task.
  struct Thread {
    lua_State* L = nullptr;
    int ref = LUA_NOREF;
  };
  Thread take_thread();
  void give_back(Thread thread, bool reusable);

 private:
  std::shared_ptr<const CompiledBundle> code_;
  std::string workflow_;
  SchemaCache& schemas_;
  engine::RunContext& context_;
  std::unique_ptr<State> state_;
  LuaTask* current_ = nullptr;
  bool answering_ = false;
  Error pending_error_;
  uint32_t families_heard_ = 0;
  Told told_;
  lua_CFunction hook_caller_ = nullptr;
  std::vector<Thread> threads_;
  std::shared_ptr<const flow::Schema> output_schema_, defined_output_;
  int postflight_ref_ = LUA_NOREF;
  uint64_t object_ids_ = 0;
  Prototypes prototypes_{*this};
  std::set<std::string> warned_;
  int64_t numbering_cost_us_ = 0;
  Random fallback_random_;
};

}  // namespace perilune::lua
