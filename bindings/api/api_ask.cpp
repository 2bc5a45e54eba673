// ask(question, { choices =, to =, timeout =, default = }) -> the answer and who gave it; after the time-out the default (or nil)
// and "timeout".
// SPDX-License-Identifier: MIT
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "runtime/flow/ask.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr std::string_view k_options[] = {"choices", "to", "timeout", "default"};

struct Arguments {
  std::string_view question;
  const char* to = "";
  int64_t timeout_us = -1;
  int choices = 0, fallback = 0;   // stack indices, or 0
};

// The list at `index`: plain values that differ.
void check_choices(lua_State* L, const Options& options, int index) {
  if (lua_type(L, index) != LUA_TTABLE || lua_rawlen(L, index) == 0)
    options.wrong("choices", "a list of at least one answer");
  for (lua_Integer i = 1; i <= static_cast<lua_Integer>(lua_rawlen(L, index)); ++i) {
    int type = lua_rawgeti(L, index, i);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
      lua::raise_usage(L, code::k_usage, "ask: choice %d must be a string, a number or a boolean, not a %s",
                       static_cast<int>(i), luaL_typename(L, -1));
    for (lua_Integer before = 1; before < i; ++before, lua_pop(L, 1)) {
      lua_rawgeti(L, index, before);
      if (lua_rawequal(L, -1, -2) != 0)
        lua::raise_usage(L, code::k_usage, "ask: choices %d and %d are the same", static_cast<int>(before), static_cast<int>(i));
    }
    lua_pop(L, 1);
  }
}

int push_answer(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  const auto& ask = static_cast<const flow::Ask&>(*task.slot().operation);
  lua::push_outcome(L, task, outcome);
  if (ask.answered_by().empty()) lua_pushliteral(L, "timeout");
  else lua_pushlstring(L, ask.answered_by().data(), ask.answered_by().size());
  return 2;
}

// Work: false with an error in script.pending_error().
bool begin_ask(lua_State* L, LuaScript& script, const Arguments& arguments, bool& ready) noexcept {
  flow::AskSpec spec{std::string(arguments.question), {}, arguments.to, arguments.timeout_us, {}};
  Result<void> good;
  if (arguments.choices != 0) good = lua::encode(L, arguments.choices, spec.choices, "ask: choices");
  if (good.ok() && arguments.fallback != 0) good = lua::encode(L, arguments.fallback, spec.fallback, "ask: default");
  if (good.ok() && arguments.fallback != 0) {
    good = flow::check_answer(spec.choices, spec.fallback);
    if (!good.ok()) good = Error(code::k_usage, "ask: option 'default': " + good.error().message);
  }
  if (!good.ok()) {
    script.pending_error() = good.error();
    return false;
  }
  auto ask = std::make_unique<flow::Ask>(script.execution(), std::move(spec));
  flow::Ask& begun = *ask;
  LuaTask& task = *script.current();
  task.fill({std::move(ask), push_answer, LUA_NOREF});
  ready = script.execution().begin(begun, task.task());
  return true;
}

int l_ask(lua_State* L) {
  LuaScript& script = lua::enter(L, "ask", lua::Place::body);
  Arguments arguments;
  arguments.question = lua::check_text(L, 1, "ask", "question");
  if (arguments.question.empty()) lua::raise_usage(L, code::k_usage, "ask: the question must not be empty");
  lua_settop(L, 2);
  Options options(L, 2, "ask", k_options);
  arguments.to = options.text("to", "");
  arguments.timeout_us = options.duration_us("timeout", -1);
  if (options.push("choices") != LUA_TNIL) arguments.choices = lua_gettop(L);
  if (arguments.choices != 0) check_choices(L, options, arguments.choices);
  if (options.push("default") != LUA_TNIL) arguments.fallback = lua_gettop(L);
  if (arguments.fallback != 0 && arguments.timeout_us < 0)
    lua::raise_usage(L, code::k_usage, "ask: a default is the answer when the time is over: say with timeout = \"1d\" when that is");
  bool ready = false;
  if (!begin_ask(L, script, arguments, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

}  // namespace

int open_ask(lua_State* L) {
  lua_pushcfunction(L, l_ask);
  return 1;
}

}  // namespace perilune::api
