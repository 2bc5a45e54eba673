// The Lua side of a step: makes the coroutines of its attempts and of its questions (when, retry.on, retry.unless).
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "bindings/lua/lua_task.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::api {

// Pushes the attempt object of the attempt that is running.
void push_attempt(lua_State* L);

class LuaStepCode final : public flow::StepCode {
 public:
  struct Functions {        // registry references, owned by the code from its making on
    int body = LUA_NOREF, when = LUA_NOREF, on = LUA_NOREF, unless = LUA_NOREF, undo = LUA_NOREF;
    bool takes_arguments = true;   // the body has parameters
    bool captures = true;          // the body has captured variables
  };
  LuaStepCode(lua::LuaScript& script, std::string name, Functions functions)
      : script_(script), name_(std::move(name)), functions_(functions) {}
  ~LuaStepCode() override;

  std::unique_ptr<task::Coroutine> attempt(const task::AttemptContext& attempt) override;
  std::unique_ptr<task::Coroutine> condition() override;
  std::unique_ptr<task::Coroutine> retry_on(const Error& error) override { return ask(functions_.on, error); }
  std::unique_ptr<task::Coroutine> retry_unless(const Error& error) override { return ask(functions_.unless, error); }
  void done(task::Task& task, const std::string& value) override;

 private:
  std::unique_ptr<task::Coroutine> ask(int function_ref, const Error& error);
  lua::LuaScript& script_;
  std::string name_;
  Functions functions_;
};

}  // namespace perilune::api
