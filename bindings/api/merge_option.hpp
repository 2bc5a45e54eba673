// The option `merge` of parallel, map and group: how two values that branches gave one key of `state` become one.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/script.hpp"
#include "runtime/flow/state_view.hpp"

namespace perilune::api {

struct MergeOption {
  flow::MergeRule::Kind kind = flow::MergeRule::Kind::error;
  int function_ref = LUA_NOREF;
};

// "error" (the default), "last", or function(key, a, b). May raise. What it gives must be made a rule of, with no call that
// raises between: the rule owns the reference.
MergeOption read_merge(lua_State* L, const lua::Options& options);
flow::MergeRule make_rule(lua::LuaScript& script, const MergeOption& option) noexcept;

}  // namespace perilune::api
