// workflow, this, input and fail.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/definition.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::Options;

namespace {

constexpr std::string_view k_fail_options[] = {"code", "retry", "data", "retry_after"};

struct Failure {
  std::string_view message;
  const char* code;
  bool retry;
  double retry_after_s;
};

bool make_failure(lua_State* L, const Failure& failure, Error& error) noexcept {
  error = Error(failure.code, std::string(failure.message));
  error.retry = failure.retry;
  error.retry_after_s = failure.retry_after_s;
  if (lua_type(L, 3) == LUA_TNIL) return true;
  Result<void> encoded = lua::encode(L, 3, error.data, "fail data");
  if (!encoded.ok()) error = std::move(encoded.error());
  return true;
}

// fail(message, { code =, retry =, data =, retry_after = }): raises a structured error.
int l_fail(lua_State* L) {
  LuaScript* script = lua::surroundings_of(L).live();
  lua_settop(L, 2);
  Failure failure;
  failure.message = lua::check_text(L, 1, "fail", "message");
  Options options(L, 2, "fail", k_fail_options);
  failure.code = options.text("code", code::k_step_failed);
  failure.retry = options.boolean("retry", true);
  failure.retry_after_s = options.has("retry_after") ? static_cast<double>(options.duration_us("retry_after", 0)) / 1e6 : -1;
  options.push("data");   // at 3
  if (script == nullptr) lua::raise_usage(L, failure.code, "%.900s", failure.message.data());
  make_failure(L, failure, script->pending_error());
  lua::raise(L, std::move(script->pending_error()));
}

void set_text(lua_State* L, const char* name, const std::string& text) {
  if (text.empty()) return;
  lua_pushlstring(L, text.data(), text.size());
  lua_setfield(L, -2, name);
}

// this.attempt: what else is in `this` stays as it is, this may rise while the run lives on.
int l_this_index(lua_State* L) {
  if (lua_type(L, 2) != LUA_TSTRING || std::string_view(lua_tostring(L, 2)) != "attempt") return 0;
  lua_pushinteger(L, lua::enter_now(L, "this").context().attempt());
  return 1;
}

}  // namespace

int open_workflow(lua_State* L) {
  lua_pushcfunction(L, lua::l_workflow);
  return 1;
}

int open_fail(lua_State* L) {
  lua_pushcfunction(L, l_fail);
  return 1;
}

int open_this(lua_State* L) {
  engine::RunContext& context = lua::enter_now(L, "this").context();
  const store::RunRow& row = context.row();
  lua_createtable(L, 0, 7);
  set_text(L, "id", row.id);
  set_text(L, "workflow", row.workflow);
  set_text(L, "session", row.session);
  set_text(L, "parent", row.parent);
  lua_pushinteger(L, row.version);
  lua_setfield(L, -2, "version");
  lua_pushnumber(L, static_cast<double>(context.facts().started_us) / 1e6);
  lua_setfield(L, -2, "started_at");
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, l_this_index);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  return 1;
}

int open_input(lua_State* L) {
  LuaScript& script = lua::enter_now(L, "input");
  const std::string& input = script.context().row().input;
  lua::push_json(L, input.empty() ? std::string_view("{}") : std::string_view(input));
  return 1;
}

}  // namespace perilune::api
