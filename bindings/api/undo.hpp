// The Lua side of a compensation: a function, and what it is called with.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "bindings/lua/lua_task.hpp"
#include "runtime/flow/saga.hpp"

namespace perilune::api {

// A function for LuaUndo whose argument is { workflow =, input = }: calls that workflow, and undoes by it.
int call_workflow_to_undo(lua_State* L);

class LuaUndo final : public flow::UndoAction {
 public:
  // Takes over the registry reference. `argument` is JSON text, or empty for none.
  LuaUndo(lua::LuaScript& script, int function_ref, std::string argument);
  std::unique_ptr<flow::StepCode> code() override;
  int function_ref() const;
  const std::string& argument() const;
  std::string input() const override { return argument() == "null" ? std::string() : argument(); }

 private:
  struct Function;
  std::shared_ptr<Function> function_;
};

}  // namespace perilune::api
