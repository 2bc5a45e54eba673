// See merge_option.hpp. The script's function is called at the join.
// SPDX-License-Identifier: MIT
#include "bindings/api/merge_option.hpp"

#include "bindings/api/plain_function.hpp"
#include "runtime/base/json_members.hpp"

namespace perilune::api {

using flow::MergeRule;
using flow::StateText;
using lua::LuaScript;

MergeOption read_merge(lua_State* L, const lua::Options& options) {
  MergeOption option;
  const int type = options.push("merge");
  const std::string_view word = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
  if (type == LUA_TFUNCTION) {
    option.kind = MergeRule::Kind::ask;
    option.function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return option;
  }
  if (word == "last") option.kind = MergeRule::Kind::last;
  else if (type != LUA_TNIL && word != "error") options.wrong("merge", "\"error\", \"last\" or a function of key, a, b");
  lua_pop(L, 1);
  return option;
}

MergeRule make_rule(LuaScript& script, const MergeOption& option) noexcept {
  MergeRule rule;
  rule.kind = option.kind;
  if (option.kind != MergeRule::Kind::ask) return rule;
  rule.ask = [function = std::make_shared<const PlainFunction>(script, option.function_ref)](
                 const std::string& key, const StateText& a, const StateText& b) {
    const std::string name = json_string(key);
    return function->call({&name, a.get(), b.get()}, "what merge gave for state." + key);
  };
  return rule;
}

}  // namespace perilune::api
