// finish(output): ends the run here, as completed, cancelling what else goes on.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using lua::LuaScript;

namespace {

// Leaves in script.pending_error() what is to be raised: the cancellation, or why the output can't be one.
void complete(lua_State* L, LuaScript& script) noexcept {
  std::string output;
  Result<void> done = lua::encode(L, 1, output, "output");
  task::Task& task = script.current()->task();
  if (done.ok()) done = script.execution().complete(task, std::move(output));
  script.pending_error() = done.ok() ? *task.cancel_reason : std::move(done.error());
}

int l_finish(lua_State* L) {
  LuaScript& script = lua::enter(L, "finish", lua::Place::body);
  lua_settop(L, 1);
  complete(L, script);
  lua::raise(L, std::move(script.pending_error()));
}

}  // namespace

int open_finish(lua_State* L) {
  lua_pushcfunction(L, l_finish);
  return 1;
}

}  // namespace perilune::api
