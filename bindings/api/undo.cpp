// Compensations in Lua; see undo.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/undo.hpp"

#include "bindings/api/step_code.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"

namespace perilune::api {

using lua::LuaScript;

struct LuaUndo::Function {
  LuaScript& script;
  int ref;
  std::string argument;
  Function(LuaScript& script_, int ref_, std::string argument_)
      : script(script_), ref(ref_), argument(std::move(argument_)) {}
  ~Function() { luaL_unref(script.L(), LUA_REGISTRYINDEX, ref); }
};

namespace {

int undone(lua_State*, int, lua_KContext) { return 0; }   // what an undo returns is not kept

// undo(result, attempt), or of compensate: fn(attempt). The arguments are made inside the task.
int l_call_undo(lua_State* L) {
  lua::LuaTask& task = *lua::enter_now(L, "undo").current();
  int arguments = 0;
  if (!task.argument_json().empty()) {
    if (task.argument_json() == "null") lua_pushnil(L);   // the step gave nothing
    else lua::push_json(L, task.argument_json());
    arguments = 1;
  }
  push_attempt(L);
  lua_callk(L, arguments + 1, 0, 0, undone);
  return 0;
}

template <class Function>
class UndoCode final : public flow::StepCode {
 public:
  explicit UndoCode(std::shared_ptr<Function> function) : function_(std::move(function)) {}
  std::unique_ptr<task::Coroutine> attempt(const task::AttemptContext& attempt) override {
    auto task = function_->script.make_task(function_->ref, l_call_undo);
    const bool replaced = !function_->argument.empty() && !attempt.input.empty();   // else the same
    task->set_argument_json(replaced ? attempt.input : function_->argument);
    return task;
  }

 private:
  std::shared_ptr<Function> function_;
};

}  // namespace

LuaUndo::LuaUndo(LuaScript& script, int function_ref, std::string argument)
    : function_(std::make_shared<Function>(script, function_ref, std::move(argument))) {}

int LuaUndo::function_ref() const { return function_->ref; }
const std::string& LuaUndo::argument() const { return function_->argument; }

std::unique_ptr<flow::StepCode> LuaUndo::code() { return std::make_unique<UndoCode<Function>>(function_); }

}  // namespace perilune::api
