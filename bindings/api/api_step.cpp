// step(name, [options], body): see docs/api and flow/step.hpp.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/api/hooked.hpp"
#include "bindings/api/step_code.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr std::string_view k_options[] = {"retry", "timeout", "undo", "once", "expect", "input", "when"};
constexpr std::string_view k_retry[] = {"attempts", "backoff", "factor", "max", "jitter", "on", "unless"};

// What the call says, as trivial values; tables and functions stay on the stack at fixed places.
struct Arguments {
  enum Place { name = 1, options = 2, body = 3, on = 4, unless = 5, when = 6, expect = 7, input = 8, undo = 9 };
  std::string_view step_name;
  bool retry_given = false;
  int attempts = 0;
  int64_t backoff_us = 0, max_us = 0, timeout_us = 0;
  double factor = 0, jitter = 0;
  bool once = false, skip = false;
};

bool is_code_list(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TTABLE) return false;
  lua_Integer length = static_cast<lua_Integer>(lua_rawlen(L, index));
  for (lua_Integer i = 1; i <= length; ++i) {
    bool is_code = lua_rawgeti(L, index, i) == LUA_TSTRING;
    lua_pop(L, 1);
    if (!is_code) return false;
  }
  return length > 0;
}

void parse_retry(lua_State* L, const Options& options, const flow::RetryPolicy& defaults, Arguments& arguments) {
  arguments.attempts = defaults.attempts;
  arguments.backoff_us = defaults.backoff_us;
  arguments.max_us = defaults.max_us;
  arguments.factor = defaults.factor;
  arguments.jitter = defaults.jitter;
  int type = options.push("retry");
  arguments.retry_given = type != LUA_TNIL;
  if (type == LUA_TNUMBER) {
    arguments.attempts = static_cast<int>(options.integer("retry", 1, 1, 1'000'000));
  } else if (type == LUA_TTABLE) {
    Options retry(L, -1, "step retry", k_retry);
    arguments.attempts = static_cast<int>(retry.integer("attempts", defaults.attempts, 1, 1'000'000));
    arguments.backoff_us = retry.duration_us("backoff", defaults.backoff_us);
    arguments.max_us = retry.duration_us("max", defaults.max_us);
    arguments.factor = retry.number("factor", defaults.factor, 1);
    arguments.jitter = retry.number("jitter", defaults.jitter, 0);
    if (arguments.jitter > 1) retry.wrong("jitter", "a share from 0 to 1");
    for (const char* filter : {"on", "unless"}) {
      int kind = retry.push(filter);
      if (kind != LUA_TNIL && kind != LUA_TSTRING && kind != LUA_TFUNCTION && !is_code_list(L, -1))
        retry.wrong(filter, "an error code, a list of codes or a function of the error");
      lua_replace(L, filter[0] == 'o' ? Arguments::on : Arguments::unless);
    }
  } else if (type != LUA_TNIL) {
    options.wrong("retry", "a number of attempts or a table such as { attempts = 5, backoff = \"2s\" }");
  }
  lua_pop(L, 1);
}

Arguments parse(lua_State* L, const engine::Settings& settings) {
  Arguments arguments;
  if (lua_gettop(L) == 2) {   // options may be left out: the function comes last
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  lua_settop(L, 9);
  arguments.step_name = lua::check_text(L, Arguments::name, "step", "name");
  if (arguments.step_name.empty()) lua::raise_usage(L, code::k_usage, "step: the name must not be empty");
  lua::check_function(L, Arguments::body, "step", "body");
  Options options(L, Arguments::options, "step", k_options);
  if (!options.given()) {
    arguments.attempts = settings.retry.attempts;
    return arguments;
  }
  parse_retry(L, options, settings.retry, arguments);
  arguments.timeout_us = options.duration_us("timeout", 0);
  arguments.once = options.boolean("once", false);
  int when = options.push("when");
  if (when == LUA_TBOOLEAN) arguments.skip = !lua_toboolean(L, -1);
  else if (when != LUA_TNIL && when != LUA_TFUNCTION) options.wrong("when", "true, false or a function");
  lua_replace(L, Arguments::when);
  options.push("expect");
  lua_replace(L, Arguments::expect);
  options.push("input");
  lua_replace(L, Arguments::input);
  int undo = options.push("undo");
  if (undo != LUA_TNIL && undo != LUA_TFUNCTION) options.wrong("undo", "a function of the step's result");
  lua_replace(L, Arguments::undo);
  return arguments;
}

// References last: nothing raises between them and their owner.
LuaStepCode::Functions reference(lua_State* L) {
  LuaStepCode::Functions functions;
  lua_Debug debug;
  lua_pushvalue(L, Arguments::body);
  lua_getinfo(L, ">u", &debug);
  functions.takes_arguments = debug.nparams > 0 || debug.isvararg;
  functions.captures = debug.nups > 0;
  auto take = [L](int place) {
    if (lua_type(L, place) != LUA_TFUNCTION) return LUA_NOREF;
    lua_pushvalue(L, place);
    return luaL_ref(L, LUA_REGISTRYINDEX);
  };
  functions.when = take(Arguments::when);
  functions.on = take(Arguments::on);
  functions.unless = take(Arguments::unless);
  functions.undo = take(Arguments::undo);
  functions.body = take(Arguments::body);
  return functions;
}

void codes_at(lua_State* L, int place, std::vector<std::string>& out) {
  if (lua_type(L, place) == LUA_TSTRING) out.emplace_back(lua_tostring(L, place));
  if (lua_type(L, place) != LUA_TTABLE) return;
  for (lua_Integer i = 1; lua_rawgeti(L, place, i) == LUA_TSTRING; ++i) {
    out.emplace_back(lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

Result<flow::StepSpec> make_spec(lua_State* L, LuaScript& script, const Arguments& arguments) {
  const flow::RetryPolicy& defaults = script.settings().retry;
  flow::StepSpec spec;
  spec.name = std::string(arguments.step_name);
  spec.retry = defaults;
  spec.retry.attempts = arguments.once && !arguments.retry_given ? 1 : arguments.attempts;
  if (lua_type(L, Arguments::options) == LUA_TNIL) return spec;
  spec.retry.backoff_us = arguments.backoff_us;
  spec.retry.max_us = std::max(arguments.max_us, int64_t{0});
  spec.retry.factor = arguments.factor;
  spec.retry.jitter = arguments.jitter;
  spec.timeout_us = arguments.timeout_us;
  spec.once = arguments.once;
  spec.skip = arguments.skip;
  codes_at(L, Arguments::on, spec.retry.on);
  codes_at(L, Arguments::unless, spec.retry.unless);
  if (lua_type(L, Arguments::input) != LUA_TNIL) {
    Result<void> encoded = lua::encode(L, Arguments::input, spec.input, "input");
    if (!encoded.ok()) return encoded.error();
    spec.fingerprint = flow::fingerprint({spec.input});
  }
  if (lua_type(L, Arguments::expect) != LUA_TNIL) {
    std::string text;
    Result<void> encoded = lua::encode(L, Arguments::expect, text, "expect");
    if (!encoded.ok()) return encoded.error();
    auto schema = script.schema(text, "expect");
    if (!schema.ok()) return schema.error();
    spec.expect = *schema;
  }
  return spec;
}

// The work part: no Lua call in here raises. False with an error in script.pending_error().
bool begin(lua_State* L, LuaScript& script, const Arguments& arguments, LuaStepCode::Functions functions, bool hooked,
           bool& ready) noexcept {
  auto code = std::make_unique<LuaStepCode>(script, std::string(arguments.step_name), functions);
  Result<flow::StepSpec> spec = make_spec(L, script, arguments);
  if (!spec.ok()) {
    script.pending_error() = std::move(spec.error());
    return false;
  }
  if (hooked) {
    LuaScript::Told& told = script.told();
    spec->decided = std::move(told.decided);
    spec->key_of = told.again;
    spec->wants_facts = true;
    spec->input = std::move(told.input);
    spec->fingerprint = spec->input.empty() ? 0 : flow::fingerprint({spec->input});
  }
  auto step = std::make_unique<flow::Step>(script.execution(), std::move(*spec), std::move(code));
  flow::Step& begun = *step;
  LuaTask& task = *script.current();
  task.fill({std::move(step), hooked ? push_step_end : lua::push_outcome, LUA_NOREF});
  ready = script.execution().begin(begun, task.task());
  return true;
}

int l_step(lua_State* L) {
  LuaScript& script = lua::enter(L, "step", lua::Place::body);
  if (meets_hooks(script, {hooks::Family::step, hooks::Family::error})) return call_hooked(L, "step");
  Arguments arguments = parse(L, script.settings());
  LuaStepCode::Functions functions = reference(L);
  bool ready = false;
  if (!begin(L, script, arguments, functions, false, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

}  // namespace

// host.step(name, options, body, input, replies, again): the step itself, told what the hooks have decided. `again`: the
// number of the operation that it repeats, or nil.
int l_host_step(lua_State* L) {
  LuaScript& script = lua::enter(L, "step", lua::Place::body);
  lua_settop(L, 6);
  take_replies(L, script, 5, hooks::Point::step_before);
  take_told(L, script, 4, 6);
  lua_settop(L, 3);
  Arguments arguments = parse(L, script.settings());
  LuaStepCode::Functions functions = reference(L);
  bool ready = false;
  if (!begin(L, script, arguments, functions, true, ready)) lua::raise(L, std::move(script.pending_error()));
  return lua::await(L, ready);
}

int open_step(lua_State* L) {
  lua_pushcfunction(L, l_step);
  return 1;
}

}  // namespace perilune::api
