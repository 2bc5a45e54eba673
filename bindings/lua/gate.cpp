// The body of a gate in Lua; see gate.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/lua/gate.hpp"

#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/gate.hpp"

namespace perilune::lua {

namespace {

// Stack: 1 the answer, 2 the message.
int gate_answered(lua_State* L, int, lua_KContext) {
  if (lua_isnil(L, 1) || (lua_type(L, 1) == LUA_TBOOLEAN && lua_toboolean(L, 1))) return 0;
  if (lua_type(L, 1) != LUA_TBOOLEAN)
    raise_usage(L, code::k_usage, "a gate gives nothing or true when it holds, else false and a message: not a %s",
                luaL_typename(L, 1));
  if (is_error_object(L, 2)) return lua_error(L);   // on top
  if (lua_isnil(L, 2)) raise_usage(L, code::k_gate, "it did not hold");
  if (lua_type(L, 2) != LUA_TSTRING && lua_type(L, 2) != LUA_TNUMBER)
    raise_usage(L, code::k_usage, "the message of a gate is a text, not a %s", luaL_typename(L, 2));
  raise_usage(L, code::k_gate, "%.900s", lua_tostring(L, 2));
}

int l_call_gate(lua_State* L) {   // 1: the function
  const std::string& input = enter_now(L, "gate").current()->task().attempt->input;
  if (input.empty() || input == "null") lua_pushnil(L);
  else push_json(L, input);
  lua_callk(L, 1, 2, 0, gate_answered);
  return gate_answered(L, LUA_OK, 0);
}

class GateCode final : public flow::StepCode {
 public:
  GateCode(LuaScript& script, int function_ref) : script_(script), function_ref_(function_ref) {}
  ~GateCode() override { luaL_unref(script_.L(), LUA_REGISTRYINDEX, function_ref_); }
  std::unique_ptr<task::Coroutine> attempt(const task::AttemptContext&) override {
    auto task = script_.make_task(function_ref_, l_call_gate);
    task->watch_captures(function_ref_);
    return task;
  }

 private:
  LuaScript& script_;
  int function_ref_;
};

}  // namespace

std::unique_ptr<flow::StepCode> make_gate_code(LuaScript& script, int function_ref) {
  return std::make_unique<GateCode>(script, function_ref);
}

bool begin_preflight(LuaScript& script, int function_ref, LuaTask::Push push) noexcept {
  flow::StepSpec spec;
  spec.name = spec.gate = flow::k_gate_preflight;
  spec.retry.attempts = 1;
  spec.input = script.context().row().input;
  auto step = std::make_unique<flow::Step>(script.execution(), std::move(spec), make_gate_code(script, function_ref));
  flow::Step& begun = *step;
  LuaTask& task = *script.current();
  task.fill({std::move(step), push, LUA_NOREF});
  return script.execution().begin(begun, task.task());
}

}  // namespace perilune::lua
