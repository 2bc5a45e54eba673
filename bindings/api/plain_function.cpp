// See plain_function.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/plain_function.hpp"

#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using lua::LuaScript;

namespace {

struct Call {
  int ref;
  const std::vector<const std::string*>* arguments;
  const std::string* what;
  std::string text;                // the result, or empty
  std::unique_ptr<Error> error;
};

void keep_result(lua_State* L, Call& call) noexcept {
  if (lua_isnil(L, -1)) return;
  Result<void> encoded = lua::encode(L, lua_gettop(L), call.text, *call.what);
  if (!encoded.ok()) call.error = std::make_unique<Error>(std::move(encoded.error()));
}

int l_call(lua_State* L) {
  Call& call = *static_cast<Call*>(lua_touserdata(L, 1));
  lua_rawgeti(L, LUA_REGISTRYINDEX, call.ref);
  for (const std::string* text : *call.arguments) {
    if (text == nullptr) lua_pushnil(L);
    else lua::push_json(L, *text);
  }
  lua_call(L, static_cast<int>(call.arguments->size()), 1);
  keep_result(L, call);
  return 0;
}

}  // namespace

PlainFunction::~PlainFunction() { luaL_unref(script_.L(), LUA_REGISTRYINDEX, ref_); }

Result<std::string> PlainFunction::call(const std::vector<const std::string*>& arguments, const std::string& what) const {
  if (script_.state().killed()) return script_.state().kill_error();
  LuaScript::Thread thread = script_.take_thread();
  if (thread.L == nullptr) return script_.state().kill_error();
  Call call{ref_, &arguments, &what, {}, nullptr};
  lua::LuaTask* before = script_.current();
  script_.set_current(nullptr);
  script_.state().begin_slice();
  lua_pushcfunction(thread.L, l_call);
  lua_pushlightuserdata(thread.L, &call);
  if (lua_pcall(thread.L, 1, 0, 0) != LUA_OK)
    call.error = std::make_unique<Error>(lua::error_from_value(thread.L, -1, code::k_script));
  script_.set_current(before);
  script_.give_back(thread, true);
  if (call.error != nullptr) return std::move(*call.error);
  return std::move(call.text);
}

}  // namespace perilune::api
