// preflight and postflight: functions of a workflow that say yes or no. Each is the body of a step (flow/gate.hpp), so its
// effects belong to it and a replay reads the verdict back.
//
//   fn(input) gives nothing or true: it holds.  false, message, or an error: it does not, and the run fails with `gate`
//
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "bindings/lua/lua_task.hpp"
#include "runtime/flow/step.hpp"

namespace perilune::lua {

// Takes over the registry reference of the function.
std::unique_ptr<flow::StepCode> make_gate_code(LuaScript& script, int function_ref);

// Begins preflight as a step of the running task, with the run's input. True: its outcome is there already. Never raises.
// Takes over the reference.
bool begin_preflight(LuaScript& script, int function_ref, LuaTask::Push push) noexcept;

}  // namespace perilune::lua
