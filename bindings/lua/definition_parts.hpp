// Parts of workflow{...} that have a form of their own: requires. Each is made ready in Lua (may raise), and read from JSON
// then (does not).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "bindings/lua/state.hpp"
#include "runtime/engine/requirements.hpp"

namespace perilune::lua {

// The value at `index` is `requires`: { "git", env = "HOME", files = {"x.txt"} }. Pushes the same as lists by name. Names without
// a key are commands, a single text is a list of one. Raises for anything else.
void push_requirements(lua_State* L, int index);
// Of the JSON text of what was pushed.
engine::Requirements read_requirements(const std::string& json);

}  // namespace perilune::lua
