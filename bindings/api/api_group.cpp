// group { limit = n } -> g: g:add(fn) g:close() g:cancel() g:wait { need = n | "now" } or { enough = fn }.
// SPDX-License-Identifier: MIT
#include "bindings/api/merge_option.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"

namespace perilune::api {

using flow::Group;
using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr const char* k_type = "group";
constexpr std::string_view k_group_options[] = {"limit", "merge"};
constexpr std::string_view k_wait_options[] = {"need", "enough"};

std::shared_ptr<Group>& group_at(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<Group>*>(luaL_checkudata(L, index, k_type));
}

bool begin_add(LuaScript& script, Group& group, int function_ref, int results_ref) noexcept {
  auto coroutine = script.make_task(function_ref);
  luaL_unref(script.L(), LUA_REGISTRYINDEX, function_ref);
  coroutine->keep_results_in(results_ref);
  Result<size_t> added = group.add(script.current()->task(), std::move(coroutine));
  if (!added.ok()) script.pending_error() = std::move(added.error());
  return added.ok();
}

// g:add(fn): the results of the members lie in the group's user value: a list of {value}.
int l_add(lua_State* L) {
  LuaScript& script = lua::enter(L, "g:add", lua::Place::body);
  std::shared_ptr<Group>& group = group_at(L, 1);
  lua::check_function(L, 2, "g:add", "argument");
  lua_settop(L, 2);
  lua_getiuservalue(L, 1, 1);
  lua_createtable(L, 1, 0);
  lua_pushboolean(L, 0);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, -1);
  lua_rawseti(L, 3, static_cast<lua_Integer>(group->total()) + 1);
  lua_pushnil(L);
  lua_rawseti(L, -2, 1);
  int results_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, 2);
  int function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  if (!begin_add(script, *group, function_ref, results_ref)) lua::raise(L, std::move(script.pending_error()));
  lua_settop(L, 1);
  return 1;
}

int l_close(lua_State* L) {
  Group& group = *group_at(L, 1);
  lua::enter_now(L, "g:close", lua::Place::body);
  [&]() noexcept { group.close(); }();
  return 0;
}

void cancel_rest(Group& group, const char* why) noexcept {
  group.cancel(std::make_shared<const Error>(code::k_cancelled, why));
}

int l_cancel(lua_State* L) {
  Group& group = *group_at(L, 1);
  lua::enter_now(L, "g:cancel", lua::Place::body);
  cancel_rest(group, "cancelled by g:cancel()");
  return 0;
}

// The values of the members in the order in which they were added (nil for those that gave none), and info.
int push_values(lua_State* L, Group& group, int handle, const char* reason) {
  luaL_checkstack(L, 8, "group");
  lua_getiuservalue(L, handle, 1);
  int members = lua_gettop(L);
  lua_createtable(L, static_cast<int>(group.total()), 0);
  lua::tag_array(L, -1);
  for (size_t i = 1; i <= group.total(); ++i) {
    lua_rawgeti(L, members, static_cast<lua_Integer>(i));
    lua_rawgeti(L, -1, 1);
    lua_rawseti(L, members + 1, static_cast<lua_Integer>(i));
    lua_pop(L, 1);
  }
  std::string& text = lua::State::of(L).scratch();
  [&]() noexcept { text = group.info(reason); }();
  lua::push_json(L, text);
  return 2;
}

int push_wait(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  lua_rawgeti(L, LUA_REGISTRYINDEX, task.slot().function_ref);
  int handle = lua_gettop(L);
  Group& group = *group_at(L, handle);
  const char* reason = group.closed() && group.live() == 0 ? "all" : "need";
  return push_values(L, group, handle, reason);
}

using Until = flow::GroupWait::Until;

bool begin_wait(LuaScript& script, std::shared_ptr<Group>& group, Until until, size_t count, LuaTask::Push push,
                int ref) noexcept {
  auto wait = std::make_unique<flow::GroupWait>(script.execution(), group, until, count);
  flow::GroupWait& begun = *wait;
  LuaTask& task = *script.current();
  task.fill({std::move(wait), push, ref});
  return begun.begin(task.task());
}

// wait { enough = fn }: waits for one end after the other and asks fn(done values, info) each time. Stack: group, fn.
int push_nothing(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  return 0;
}

int enough_asked(lua_State* L, int status, lua_KContext context);

int enough_again(lua_State* L, int, lua_KContext) {
  LuaScript& script = lua::enter_now(L, "g:wait");
  LuaTask& task = *script.current();
  push_nothing(L, task, task.task().outcome);
  lua_settop(L, 2);
  Group& group = *group_at(L, 1);
  lua_pushvalue(L, 2);
  push_values(L, group, 1, "need");
  lua_remove(L, -3);   // the list of members
  lua_callk(L, 2, 1, 0, enough_asked);
  return enough_asked(L, LUA_OK, 0);
}

int enough_asked(lua_State* L, int, lua_KContext) {
  bool enough = lua_toboolean(L, -1);
  lua_settop(L, 2);
  std::shared_ptr<Group>& group = group_at(L, 1);
  LuaScript& script = lua::enter(L, "g:wait", lua::Place::body);
  if (enough || (group->closed() && group->live() == 0)) return push_values(L, *group, 1, enough ? "need" : "all");
  lua_pushvalue(L, 1);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  size_t ended = group->total() - group->live();
  if (begin_wait(script, group, Until::next, ended, push_nothing, ref)) return enough_again(L, LUA_OK, 0);
  return lua::suspend(L, enough_again);
}

int l_wait(lua_State* L) {
  LuaScript& script = lua::enter(L, "g:wait", lua::Place::body);
  std::shared_ptr<Group>& group = group_at(L, 1);
  lua_settop(L, 2);
  Options options(L, 2, "g:wait", k_wait_options);
  int kind = options.push("need");
  bool at_once = kind == LUA_TSTRING && std::string_view(lua_tostring(L, -1)) == "now";
  lua_settop(L, 2);
  if (at_once) {   // stop the unfinished and go on with what is there
    cancel_rest(*group, "g:wait { need = \"now\" }");
  } else if (options.push("enough") == LUA_TFUNCTION) {
    lua_replace(L, 2);
    lua_pushboolean(L, 0);
    return enough_asked(L, LUA_OK, 0);
  }
  lua_settop(L, 2);
  if (options.has("enough")) options.wrong("enough", "a function of what is done");
  size_t need = at_once ? 0 : static_cast<size_t>(options.integer("need", 0, 1, 10'000'000));
  Until until = at_once ? Until::stopped : need > 0 ? Until::need : Until::all;
  lua_pushvalue(L, 1);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin_wait(script, group, until, need, push_wait, ref));
}

constexpr luaL_Reg k_methods[] = {
    {"add", l_add}, {"close", l_close}, {"cancel", l_cancel}, {"wait", l_wait}, {nullptr, nullptr}};

void make_group(LuaScript& script, size_t limit, const MergeOption& merge, std::shared_ptr<Group>& group) noexcept {
  group = std::make_shared<Group>(script.execution(), script.current()->task(), limit, make_rule(script, merge));
}

int l_group(lua_State* L) {
  LuaScript& script = lua::enter(L, "group", lua::Place::body);
  lua_settop(L, 1);
  Options options(L, 1, "group", k_group_options);
  size_t limit = static_cast<size_t>(options.integer("limit", 0, 1, 10'000'000));
  make_shared_type<Group>(L, k_type, k_methods, nullptr);
  std::shared_ptr<Group>& group = new_shared<Group>(L, k_type, 1);
  lua_newtable(L);
  lua_setiuservalue(L, -2, 1);
  make_group(script, limit, read_merge(L, options), group);
  return 1;
}

}  // namespace

int open_group(lua_State* L) {
  lua_pushcfunction(L, l_group);
  return 1;
}

}  // namespace perilune::api
