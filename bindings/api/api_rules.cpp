// rule(name, { on = "step.before", step = "charge", priority = 1 }, check, message): a hook with a name and a message, which
// stdlib/perilune/rules.lua calls and counts. A broken rule is a record of kind gate. Gives the hook's handle.
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/rules.hpp"
#include "runtime/flow/gate.hpp"

namespace perilune::api {

using lua::LuaScript;

namespace {

constexpr std::string_view k_options[] = {"on", "step", "priority"};

// A record of the task's next operation, once.
void note_broken(LuaScript& script, std::string_view name, std::string_view why) noexcept {
  task::Task& task = script.current()->task();
  if (!task.journaled()) return;
  flow::Execution& execution = script.execution();
  uint32_t number = ++task.ops;
  if (execution.noted(task, number, journal::Kind::gate)) return;
  Error broken(code::k_denied, std::string(why));
  journal::Record record;
  record.kind = journal::Kind::gate;
  record.task = task.id;
  record.op = number;
  record.name = std::string(name);
  record.data = flow::gate_data(flow::k_gate_rule, &broken);
  execution.note(std::move(record), false);
}

int l_note_broken(lua_State* L) {
  LuaScript& script = lua::enter_now(L, "rule");
  std::string_view name = lua::check_text(L, 1, "rule", "name");
  std::string_view why = lua::check_text(L, 2, "rule", "message");
  note_broken(script, name, why);
  return 0;
}

void declare(lua_State* L, const char* name, const char* point, const char* step, const char* message) noexcept {
  lua::surroundings_of(L).declared_rule({name, point, step == nullptr ? "" : step, message});
}

bool tells_a_step(std::string_view point) {
  return point.starts_with("step.") || point.starts_with("compensate.") || point == "error";
}

int l_rule(lua_State* L) {
  lua_settop(L, 4);
  std::string_view name = lua::check_text(L, 1, "rule", "name");
  if (name.empty()) lua::raise_usage(L, code::k_usage, "rule: the name must not be empty");
  lua::Options options(L, 2, "rule", k_options);
  const char* point = options.text("on", "");
  if (*point == '\0')
    lua::raise_usage(L, code::k_usage, "rule '%s': say at which point it is checked, as in { on = \"step.before\" }", name.data());
  const char* step = options.text("step", nullptr);
  if (step != nullptr && !tells_a_step(point))
    lua::raise_usage(L, code::k_usage, "rule '%s': nothing at '%s' is a step, so option 'step' means nothing there", name.data(), point);
  double priority = options.number("priority", 0, -1e9);
  lua::check_function(L, 3, "rule", "check");
  std::string_view message = lua::check_text(L, 4, "rule", "message");
  if (message.empty()) lua::raise_usage(L, code::k_usage, "rule '%s': the message must say what is wrong when it is broken", name.data());
  lua::push_rules_function(L, "rule");
  lua_pushcfunction(L, l_note_broken);
  lua_pushvalue(L, 1);
  lua_pushstring(L, point);
  lua_pushstring(L, step);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_pushnumber(L, priority);
  lua_call(L, 7, 1);   // says what is wrong with the point
  declare(L, name.data(), point, step, message.data());
  return 1;
}

}  // namespace

int open_rule(lua_State* L) {
  lua_getglobal(L, "require");
  lua_pushstring(L, lua::k_rules_module);
  lua_call(L, 1, 0);
  lua_pushcfunction(L, l_rule);
  return 1;
}

}  // namespace perilune::api
