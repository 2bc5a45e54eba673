// The rules of a workflow: rules = { { name, options, check, message }, ... }, each the arguments of a call of rule(); and the
// counts of all rules at the end of a run.
// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "bindings/lua/script.hpp"

namespace perilune::lua {

inline constexpr const char* k_rules_module = "perilune.rules";

// Pushes a function of the module stdlib/perilune/rules.lua, which the global `rule` has loaded.
void push_rules_function(lua_State* L, const char* name);

// What the list at `index` says; raises when it is none, or one in it is no rule. Pushes { { name, on, step, message }, ... }.
void push_rule_facts(lua_State* L, int index);
// Calls rule() for each of the list at `index`, or does nothing for nil.
void register_rules(lua_State* L, int index);

// A record for each rule of the run: how often it was checked and broken. Never raises.
std::vector<journal::Record> rule_tallies(LuaScript& script) noexcept;

}  // namespace perilune::lua
