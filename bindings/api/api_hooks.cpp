// on(pattern, [{priority=, once=}], fn) -> handle, and what the runtime lends to stdlib/perilune/hooks.lua, which calls the
// hooks. See hooked.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/hooked.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "runtime/flow/step.hpp"
#include "runtime/hooks/registry.hpp"

namespace perilune::api {

using hooks::Decision;
using hooks::Point;
using hooks::Reply;
using lua::LuaScript;
using lua::LuaTask;

namespace {

constexpr const char* k_module = "perilune.hooks";
constexpr const char* k_event_type = "hook event";
constexpr char k_host_key = 0;   // registry: the table of what is lent

std::string_view text_at(lua_State* L, int index) noexcept {
  size_t length = 0;
  const char* text = lua_tolstring(L, index, &length);
  return {text == nullptr ? "" : text, length};
}

LuaScript& live(lua_State* L) { return *lua::surroundings_of(L).live(); }
LuaTask& task_of(lua_State* L) { return *live(L).current(); }

Point point_at(lua_State* L, int index) noexcept {
  std::string_view name = text_at(L, index);
  for (const hooks::PointRow& row : hooks::points())
    if (row.name == name) return row.point;
  return Point::own;
}

[[noreturn]] void raise_left(lua_State* L, std::unique_ptr<Error>& error) {
  Error raised = std::move(*error);
  error.reset();
  lua::raise(L, std::move(raised));
}

// ---- host.points(pattern): the set of points it means; false: events of scripts. The script listens from now on.

using Matching = std::vector<Point>;

std::unique_ptr<Error> find_points(std::string_view pattern, LuaScript* script, std::unique_ptr<Matching>& found) noexcept {
  Result<Matching> points = hooks::points_matching(pattern, true);
  if (!points.ok()) return std::make_unique<Error>(std::move(points.error()));
  if (script != nullptr) {
    for (Point point : *points) script->hear(hooks::row_of(point).family);
    if (points->empty() || pattern == "*") script->hear(hooks::Family::own);
  }
  found = std::make_unique<Matching>(std::move(*points));
  return nullptr;
}

// Raises on a pattern that means nothing. What it means is pushed.
void push_points(lua_State* L, std::string_view pattern, LuaScript* script) {
  std::unique_ptr<Matching> found;
  std::unique_ptr<Error> error = find_points(pattern, script, found);
  if (error != nullptr) raise_left(L, error);
  uint64_t points = 0;   // trivial: the set is pushed from it
  static_assert(hooks::k_points_count <= 64);
  for (Point point : *found) points |= uint64_t{1} << static_cast<unsigned>(point);
  found.reset();
  if (points == 0) return lua_pushboolean(L, 0);
  lua_createtable(L, 0, 8);
  for (const hooks::PointRow& row : hooks::points()) {
    if ((points >> static_cast<unsigned>(row.point) & 1) == 0) continue;
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, row.name);
  }
}

int l_points(lua_State* L) {
  push_points(L, text_at(L, 1), lua::surroundings_of(L).live());
  return 1;
}

int l_matches(lua_State* L) {
  lua_pushboolean(L, hooks::matches_own(text_at(L, 1), text_at(L, 2)) && point_at(L, 2) == Point::own);
  return 1;
}

// ---- replies

// The text goes to State::scratch().
std::unique_ptr<Error> read_reply(lua_State* L, Point point, bool is_reply, bool& ends, bool& replaces) noexcept {
  std::string& text = lua::State::of(L).scratch();
  text.clear();
  if (!is_reply) text = "null";
  else if (Result<void> encoded = lua::encode(L, 2, text, "the hook's result"); !encoded.ok())
    return std::make_unique<Error>(std::move(encoded.error()));
  if (point == Point::own)
    return std::make_unique<Error>(code::k_usage, "an event of scripts takes no result: a hook there only sees what has happened");
  Result<Decision> decision = hooks::read_reply(point, text);
  if (!decision.ok()) return std::make_unique<Error>(std::move(decision.error()));
  ends = decision->ends_round();
  replaces = !ends && (!decision->input.empty() || !decision->value.empty());
  return nullptr;
}

// host.reply(point, answer): text, whether it ends the round, and { what replaces the input or value }; nothing for nil.
int l_reply(lua_State* L) {
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) return 0;
  luaL_getmetatable(L, k_reply_type);
  bool is_reply = lua_type(L, 2) == LUA_TTABLE && lua_getmetatable(L, 2) != 0 && lua_rawequal(L, -1, 3) != 0;
  bool ends = false, replaces = false;
  std::unique_ptr<Error> error = read_reply(L, point_at(L, 1), is_reply, ends, replaces);
  if (error != nullptr) raise_left(L, error);
  lua_settop(L, 2);
  const std::string& text = lua::State::of(L).scratch();
  lua_pushlstring(L, text.data(), text.size());
  lua_pushboolean(L, ends);
  if (!replaces) return 2;
  lua::push_json(L, text_at(L, 3));   // a copy, as it is recorded
  for (const char* name : {"input", "value"}) {
    if (lua_getfield(L, 5, name) == LUA_TNIL) lua_pop(L, 1);
    else break;
  }
  lua_createtable(L, 1, 0);
  lua_insert(L, -2);
  lua_rawseti(L, -2, 1);
  lua_replace(L, 5);
  lua_settop(L, 5);
  return 3;
}

constexpr std::string_view k_failure = "!";   // before the text of a failure

void put_failure(lua_State* L) noexcept {
  Error error = lua::error_from_value(L, 1, code::k_script);
  if (error.code == code::k_script) error.code = code::k_step_failed;
  error.message = "a hook failed: " + error.message;
  lua::State::of(L).scratch() = std::string(k_failure) + to_json_text(error);
}

int l_failure(lua_State* L) {
  put_failure(L);
  const std::string& text = lua::State::of(L).scratch();
  lua_pushlstring(L, text.data(), text.size());
  return 1;
}

// ---- host.verdict(point, replies): what becomes of a failure: "value" and it, "error" and it, "escalate", or "retry", { the
// input } or nil, and seconds.

int l_verdict(lua_State* L) {
  LuaScript& script = live(L);
  take_replies(L, script, 2, point_at(L, 1));
  const Decision* decision = script.told().decided.get();
  if (decision == nullptr) return 0;
  switch (decision->final) {
    case Reply::resolve:
    case Reply::suppress:
      lua_pushliteral(L, "value");
      if (decision->value == "null") lua_pushnil(L);
      else lua::push_json(L, decision->value);
      return 2;
    case Reply::retry:
      lua_pushliteral(L, "retry");
      if (decision->input.empty()) {
        lua_pushnil(L);
      } else {
        lua_createtable(L, 1, 0);
        lua::push_json(L, decision->input);
        lua_rawseti(L, -2, 1);
      }
      lua_pushnumber(L, static_cast<double>(decision->delay_us) / 1e6);
      return 3;
    case Reply::escalate:
      lua_pushliteral(L, "escalate");
      return 1;
    default:
      break;
  }
  if (decision->error.empty()) return 0;
  lua_pushliteral(L, "error");
  [&]() noexcept { script.pending_error() = error_from_json_text(decision->error); }();
  lua::push_error(L, script.pending_error());
  return 2;
}

int l_retryable(lua_State* L) {
  lua_getfield(L, 1, "code");
  lua_pushboolean(L, !never_retried(text_at(L, -1)));
  return 1;
}

void escalate(lua_State* L) noexcept {
  LuaScript& script = live(L);
  Error error = lua::error_from_value(L, 1, code::k_step_failed);
  script.execution().fail(task_of(L).task(), std::move(error));
}

int l_escalate_now(lua_State* L) {
  escalate(L);
  return 0;
}

// ---- the event, and the calling of hooks

// event.run: made when it is read.
int l_event_index(lua_State* L) {
  if (text_at(L, 2) != "run") return 0;
  LuaScript* script = lua::surroundings_of(L).live();
  if (script == nullptr) return 0;
  const store::RunRow& row = script->context().row();
  lua_createtable(L, 0, 6);
  auto put = [L](const char* name, const std::string& text) {
    if (text.empty()) return;
    lua_pushlstring(L, text.data(), text.size());
    lua_setfield(L, -2, name);
  };
  put("id", row.id);
  put("workflow", row.workflow);
  put("session", row.session);
  put("parent", row.parent);
  lua_pushinteger(L, row.version);
  lua_setfield(L, -2, "version");
  lua::push_json(L, row.input.empty() ? std::string_view("{}") : std::string_view(row.input));
  lua_setfield(L, -2, "input");
  lua_pushvalue(L, -1);
  lua_setfield(L, 1, "run");
  return 1;
}

int l_event(lua_State* L) {
  lua_settop(L, 1);
  if (luaL_newmetatable(L, k_event_type) != 0) {
    lua_pushcfunction(L, l_event_index);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
  }
  lua_setmetatable(L, 1);
  return 1;
}

int l_within(lua_State* L) {
  LuaTask& task = task_of(L);
  lua_pushboolean(L, task.within_hook());
  task.set_within_hook(lua_toboolean(L, 1) != 0);
  return 1;
}

int l_cancelled(lua_State* L) {
  lua_pushboolean(L, task_of(L).task().cancelling());
  return 1;
}

constexpr luaL_Reg k_host[] = {
    {"points", l_points},     {"matches", l_matches}, {"reply", l_reply},         {"failure", l_failure},
    {"verdict", l_verdict},   {"event", l_event},     {"retryable", l_retryable}, {"escalate", l_escalate_now},
    {"within", l_within},     {"cancelled", l_cancelled}, {"step", l_host_step},  {"effect", l_host_effect},
    {nullptr, nullptr},
};

void push_host(lua_State* L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &k_host_key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  luaL_setfuncs(L, k_host, 0);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &k_host_key);
}

// Pushes the module's function of this name. The module is there: `on` has loaded it.
void push_module_function(lua_State* L, const char* name) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, lua::modules_key());
  lua_getfield(L, -1, k_module);
  lua_getfield(L, -1, name);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

// ---- in a hook file

int hook_returned(lua_State* L, int, lua_KContext) {
  if (lua_isnil(L, -1)) return 1;
  luaL_getmetatable(L, k_reply_type);
  bool is_reply = lua_type(L, -2) == LUA_TTABLE && lua_getmetatable(L, -2) != 0 && lua_rawequal(L, -1, -2) != 0;
  if (!is_reply) {   // what stands there is no reply: the caller says what would be one
    lua_pushboolean(L, 0);
    return 1;
  }
  lua_pop(L, 2);
  return 1;
}

// (function): calls it with the event.
int l_call_hook(lua_State* L) {
  lua_settop(L, 1);
  lua::push_json(L, task_of(L).argument_json());
  lua_callk(L, 1, 1, 0, hook_returned);
  return hook_returned(L, LUA_OK, 0);
}

int l_remove(lua_State* L) {
  engine::HookFile* file = live(L).context().hook_file();
  file->remove(static_cast<uint64_t>(lua_tointeger(L, lua_upvalueindex(1))));
  return 0;
}

std::unique_ptr<Error> add_to_file(LuaScript& script, std::string_view pattern, double priority, bool once, int function,
                                   uint64_t& id) noexcept {
  script.set_hook_caller(l_call_hook);
  hooks::Listening listening{std::string(pattern), priority, once, {}};
  Result<uint64_t> added = script.context().hook_file()->add(std::move(listening), function);
  if (!added.ok()) return std::make_unique<Error>(std::move(added.error()));
  id = *added;
  return nullptr;
}

// Stack: pattern, options, function. Pushes the handle.
int on_in_file(lua_State* L, LuaScript& script, double priority, bool once) {
  int function = luaL_ref(L, LUA_REGISTRYINDEX);
  uint64_t id = 0;
  std::unique_ptr<Error> error = add_to_file(script, text_at(L, 1), priority, once, function, id);
  if (error != nullptr) raise_left(L, error);
  lua_createtable(L, 0, 1);
  lua_pushinteger(L, static_cast<lua_Integer>(id));
  lua_pushcclosure(L, l_remove, 1);
  lua_setfield(L, -2, "remove");
  return 1;
}

// ---- on

int l_on(lua_State* L) {
  static constexpr std::string_view k_options[] = {"priority", "once"};
  if (lua_gettop(L) == 2) {   // on(pattern, fn)
    lua_pushnil(L);
    lua_insert(L, 2);
  }
  lua_settop(L, 3);
  lua::check_text(L, 1, "on", "pattern");
  lua::check_function(L, 3, "on", "last argument");
  lua::Options options(L, 2, "on", k_options);
  double priority = options.number("priority", 0, -1e9);
  bool once = options.boolean("once", false);
  LuaScript* script = lua::surroundings_of(L).live();
  if (script != nullptr && script->context().hook_file() != nullptr) return on_in_file(L, *script, priority, once);
  push_module_function(L, "on");
  push_host(L);
  lua_pushvalue(L, 1);
  lua_pushnumber(L, priority);
  lua_pushboolean(L, once);
  lua_pushvalue(L, 3);
  lua_call(L, 5, 1);
  return 1;
}

int hooked_ended(lua_State* L, int, lua_KContext) {
  if (!lua_toboolean(L, -2)) {
    LuaScript& script = live(L);
    [&]() noexcept { script.pending_error() = lua::error_from_value(L, -1, code::k_script); }();
    Error& error = script.pending_error();
    lua::raise_awaited(L, error);
  }
  return 1;
}

}  // namespace

void take_replies(lua_State* L, LuaScript& script, int index, Point point) noexcept {
  script.told().decided = nullptr;
  if (lua_type(L, index) != LUA_TTABLE) return;
  Decision decision;
  for (lua_Integer i = 1; lua_rawgeti(L, index, i) == LUA_TSTRING; ++i) {
    std::string_view text = text_at(L, -1);
    if (text.starts_with(k_failure)) {
      hooks::add(decision, hooks::failure(error_from_json_text(text.substr(k_failure.size())), "script"));
    } else if (Result<Decision> reply = hooks::read_reply(point, text); reply.ok()) {
      hooks::add(decision, std::move(*reply));
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  decision.by = "script";
  if (!decision.nothing()) script.told().decided = std::make_shared<const Decision>(std::move(decision));
}

namespace {
std::unique_ptr<Error> put_input(lua_State* L, LuaScript& script, int input) noexcept {
  std::string& text = script.told().input;
  text.clear();
  if (input == 0 || lua_isnil(L, input)) return nullptr;
  Result<void> encoded = lua::encode(L, input, text, "input");
  return encoded.ok() ? nullptr : std::make_unique<Error>(std::move(encoded.error()));
}
}  // namespace

void take_told(lua_State* L, LuaScript& script, int input, int again) {
  script.told().again = static_cast<uint32_t>(lua_tointeger(L, again));
  std::unique_ptr<Error> error = put_input(L, script, input);
  if (error != nullptr) raise_left(L, error);
}

int push_step_end(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  const auto& step = static_cast<const flow::Step&>(*task.slot().operation);
  const flow::StepFacts* facts = step.facts();
  bool failed = outcome.kind == task::Outcome::Kind::error;
  if (failed && (facts == nullptr || facts->kind != journal::Kind::step_failed)) {
    lua_pushliteral(L, "cancelled");
    lua::push_error(L, *outcome.error);
    return 2;
  }
  lua_pushstring(L, failed ? "failed" : facts->kind == journal::Kind::step_skipped ? "skipped" : "done");
  if (failed) lua::push_error(L, *outcome.error);
  else if (outcome.kind == task::Outcome::Kind::value) lua::push_json(L, outcome.value);
  else lua_pushnil(L);
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, facts->attempts);
  lua_setfield(L, -2, "attempts");
  lua_pushnumber(L, facts->duration_ms);
  lua_setfield(L, -2, "duration_ms");
  lua_pushlstring(L, facts->by.data(), facts->by.size());
  lua_setfield(L, -2, "by");
  lua_pushinteger(L, step.number());
  lua_setfield(L, -2, "operation");
  lua_createtable(L, static_cast<int>(facts->retried.size()), 0);
  for (size_t i = 0; i < facts->retried.size(); ++i) {
    lua::push_error(L, facts->retried[i]);
    lua_rawseti(L, -2, static_cast<lua_Integer>(i) + 1);
  }
  lua_setfield(L, -2, "retried");
  return 3;
}

bool meets_hooks(LuaScript& script, std::initializer_list<hooks::Family> families) {
  bool heard = false;
  for (hooks::Family family : families) heard = heard || script.hears(family);
  return heard && script.current() != nullptr && script.current()->task().journaled() && !script.current()->within_hook();
}

void hear_restored_hooks(lua_State* L, LuaScript& script) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, lua::modules_key());
  if (lua_getfield(L, -1, k_module) != LUA_TNIL) script.hear_all();
  lua_pop(L, 2);
}

int call_hooked(lua_State* L, const char* name) {
  int arguments = lua_gettop(L);
  luaL_checkstack(L, 6, "hooks");
  push_module_function(L, name);
  lua_insert(L, 1);
  push_host(L);
  lua_insert(L, 2);
  lua_callk(L, arguments + 1, 2, 0, hooked_ended);
  return hooked_ended(L, LUA_OK, 0);
}

int open_on(lua_State* L) {
  LuaScript* script = lua::surroundings_of(L).live();
  if (script != nullptr && script->context().hook_file() != nullptr) {
    lua_pushcfunction(L, l_on);
    return 1;
  }
  lua_getglobal(L, "require");
  lua_pushstring(L, k_module);
  lua_call(L, 1, 0);
  lua_pushcfunction(L, l_on);
  return 1;
}

}  // namespace perilune::api
