// A task's coroutine in Lua. lua_resume is called in LuaTask::resume and nowhere else in the tree.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/lua/script.hpp"
#include "runtime/task/task.hpp"

namespace perilune::lua {

class LuaTask final : public task::Coroutine {
 public:
  // What the task awaits: kept here, so that a raise leaks nothing. `push` turns the outcome into Lua values.
  using Push = int (*)(lua_State* L, LuaTask& task, task::Outcome& outcome);
  struct Slot {
    std::unique_ptr<task::Operation> operation;
    Push push = nullptr;
    int function_ref = LUA_NOREF;      // anything of Lua that the operation needs; released with the slot
  };

  LuaTask(LuaScript& script, LuaScript::Thread thread);
  ~LuaTask() override;

  State resume(task::Task& task) override;
  Error take_error() override { return std::move(error_); }
  Result<std::string> encode_result() override;
  std::string short_result(size_t bytes_max) override;
  std::string where() override;
  void ended(task::Task& task) override;

  lua_State* L() { return thread_.L; }
  LuaScript& script() { return script_; }
  task::Task& task() { return *task_; }        // only while it runs or waits
  Slot& slot() { return slot_; }
  void fill(Slot slot);                        // drops what was there
  void set_argument_count(int count) { arguments_ = count; }
  // How long its code has run, awaits not counted.
  int64_t busy_us() const;
  int result_count() const { return results_; }
  void fail(Error error) { error_ = std::move(error), failed_ = true; }
  // An error as it was where it was raised. It may be caught yet: Lua asks the handler of the task also for an overflow
  // of the C stack in `load`, which gives it back to the script.
  void note_raised(Error error) { raised_ = std::move(error); }
  Error take_raised() { return std::exchange(raised_, {}); }

  // The error that a retry filter is asked about.
  void set_argument_error(Error error) { argument_error_ = std::move(error); }
  const Error& argument_error() const { return argument_error_; }
  // What an undo is called with, as JSON text.
  void set_argument_json(std::string json) { argument_json_ = std::move(json); }
  const std::string& argument_json() const { return argument_json_; }

  // A hook is being called in it: what it does, and what tasks do that it begins, meets no hooks.
  bool within_hook() const { return within_hook_; }
  void set_within_hook(bool within) { within_hook_ = within; }

  // A cancelled task that goes on: its awaits are counted, and at last it is ended by force (of its to-be-closed
  // variables those of the task itself are closed, without awaits; those of its own coroutines are not).
  int count_refusal() { return ++refusals_; }
  void end_by_force() { forced_ = true; }

  // Watches the variables that the body captured: assigning one in a step is an error (checked at each suspension).
  void watch_captures(int function_ref) { watched_ref_ = function_ref; }
  // Keeps the results under this registry reference when the task ends (spawn handles): a table {n = .., ...}.
  void keep_results_in(int table_ref) { results_ref_ = table_ref; }

 private:
  struct Capture {
    int type;
    uint64_t bits;
    bool operator==(const Capture&) const = default;
  };
  State end_by_kill();
  void close_by_force();
  void take_captures();
  void look_at_captures();
  template <class F>
  void each_capture(F&& visit);

  LuaScript& script_;
  LuaScript::Thread thread_;
  task::Task* task_ = nullptr;
  Slot slot_;
  int arguments_ = 0;
  int results_ = 0;
  int64_t busy_ns_ = 0;              // until the last suspension
  int64_t resumed_ns_ = 0;           // when it was resumed last, by a clock that only goes on
  bool begun_ = false;
  bool over_ = false;
  bool failed_ = false;
  bool forced_ = false;
  bool within_hook_ = false;
  int refusals_ = 0;
  Error error_;
  Error raised_;
  Error argument_error_;
  std::string argument_json_;
  int watched_ref_ = LUA_NOREF;
  int results_ref_ = LUA_NOREF;
  std::vector<Capture> captures_;
  std::unique_ptr<Error> capture_error_;
};

// The base function of every task: calls what is below it on the stack protected, and keeps the error (with traceback).
int l_task_base(lua_State* L);

}  // namespace perilune::lua
