// The Lua side of the engine: what the faces give to engine::Engine.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/engine/script_host.hpp"

struct lua_State;

namespace perilune::lua {

// `open_api` adds the script API's globals to each new state (bindings/api/api.hpp: api::open).
std::unique_ptr<engine::ScriptHost> make_lua_host(void (*open_api)(lua_State*));

// The stdlib's Lua modules by name ("perilune.text"), for Engine::Options::builtin_modules.
std::map<std::string, std::string> stdlib_modules();

}  // namespace perilune::lua
