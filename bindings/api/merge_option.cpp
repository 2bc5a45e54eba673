// See merge_option.hpp. The script's function is called at the join, by no task: it is plain Lua and can't await.
// SPDX-License-Identifier: MIT
#include "bindings/api/merge_option.hpp"

#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using flow::MergeRule;
using flow::StateText;
using lua::LuaScript;

namespace {

struct Function {
  LuaScript& script;
  int ref;
  Function(LuaScript& script_, int ref_) : script(script_), ref(ref_) {}
  Function(const Function&) = delete;
  ~Function() { luaL_unref(script.L(), LUA_REGISTRYINDEX, ref); }
};

struct Call {
  int ref;
  const std::string* key;
  const std::string* a;
  const std::string* b;
  std::string text;                // the merged value, or empty
  std::unique_ptr<Error> error;
};

void push_value(lua_State* L, const std::string* text) {
  if (text == nullptr) lua_pushnil(L);
  else lua::push_json(L, *text);
}

void keep_result(lua_State* L, Call& call) noexcept {
  if (lua_isnil(L, -1)) return;
  Result<void> encoded = lua::encode(L, lua_gettop(L), call.text, "what merge gave for state." + *call.key);
  if (!encoded.ok()) call.error = std::make_unique<Error>(std::move(encoded.error()));
}

int l_ask(lua_State* L) {
  Call& call = *static_cast<Call*>(lua_touserdata(L, 1));
  lua_rawgeti(L, LUA_REGISTRYINDEX, call.ref);
  lua_pushlstring(L, call.key->data(), call.key->size());
  push_value(L, call.a);
  push_value(L, call.b);
  lua_call(L, 3, 1);
  keep_result(L, call);
  return 0;
}

Result<std::string> ask(const Function& function, const std::string& key, const StateText& a, const StateText& b) {
  LuaScript& script = function.script;
  if (script.state().killed()) return script.state().kill_error();
  LuaScript::Thread thread = script.take_thread();
  if (thread.L == nullptr) return script.state().kill_error();
  Call call{function.ref, &key, a.get(), b.get(), {}, nullptr};
  script.state().begin_slice();
  lua_pushcfunction(thread.L, l_ask);
  lua_pushlightuserdata(thread.L, &call);
  if (lua_pcall(thread.L, 1, 0, 0) != LUA_OK)
    call.error = std::make_unique<Error>(lua::error_from_value(thread.L, -1, code::k_script));
  script.give_back(thread, true);
  if (call.error != nullptr) return std::move(*call.error);
  return std::move(call.text);
}

}  // namespace

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
  rule.ask = [function = std::make_shared<const Function>(script, option.function_ref)](
                 const std::string& key, const StateText& a, const StateText& b) { return ask(*function, key, a, b); };
  return rule;
}

}  // namespace perilune::api
