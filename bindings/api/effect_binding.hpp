// Effects of the API (shell.run, http.get, file.write, ...): arguments go to C++ as JSON, the result comes back as JSON.
// Inside a step an effect belongs to the step; in the body it is a step of its own, named after its function, with one
// attempt. One function does it all; a module only says how its effect is prepared and started.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "bindings/lua/state.hpp"
#include "runtime/engine/script_host.hpp"
#include "runtime/flow/effect_call.hpp"

namespace perilune::api {

struct EffectKind {
  const char* call;   // "shell.run": the name of the step that it is in the body
  // Reads the arguments (a JSON array, absent ones null) and gives what starts the effect: called once an attempt, with the
  // attempt (key, deadline). Wrong arguments are errors (code "usage") that name the argument and say what would be right.
  Result<flow::EffectStep::Start> (*prepare)(const std::string& arguments_json, engine::RunContext& context);
};

// The body of the Lua C function: `kind` must live for ever.
int call_effect(lua_State* L, const EffectKind& kind);

// Relative paths mean the directory in which the run was started.
std::string path_in_run(engine::RunContext& context, const std::string& path);

}  // namespace perilune::api
