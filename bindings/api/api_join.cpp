// join { from = { c1, c2, c3 }, need = 2, reset = "all" | "block", each = fn }: calls each(values, n) at each firing, until
// it returns a value, which is the join's. The cycles are in flow/join.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/api/channels.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"
#include "runtime/flow/join.hpp"

namespace perilune::api {

using flow::Join;
using lua::LuaScript;
using lua::LuaTask;
using lua::Options;

namespace {

constexpr const char* k_type = "join";
constexpr std::string_view k_options[] = {"from", "need", "reset", "each"};
constexpr std::string_view k_reset[] = {"all", "block"};
constexpr int k_channels_max = 1000;
constexpr luaL_Reg k_no_methods[] = {{nullptr, nullptr}};
enum Place { k_each = 1, k_join = 2, k_firings = 3 };   // on the stack while it runs

bool begin_wait(LuaScript& script, std::shared_ptr<Join>& join) noexcept {
  auto wait = std::make_unique<flow::JoinWait>(script.execution(), join);
  flow::JoinWait& begun = *wait;
  LuaTask& task = *script.current();
  task.fill({std::move(wait), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task());
}

std::shared_ptr<Join>& join_at(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<Join>*>(luaL_checkudata(L, index, k_type));
}

int fired(lua_State* L, int, lua_KContext);

int wait_next(lua_State* L) {
  LuaScript& script = lua::enter(L, "join", lua::Place::body);
  return begin_wait(script, join_at(L, k_join)) ? fired(L, LUA_OK, 0) : lua::suspend(L, fired);
}

int each_returned(lua_State* L, int, lua_KContext) {
  if (!lua_isnil(L, -1)) return 1;
  lua_settop(L, k_firings);
  return wait_next(L);
}

// The values by the places of their channels in `from`.
void push_values(lua_State* L, Join& join) {
  lua_newtable(L);
  while (!join.values().empty()) {
    Join::Value value = join.values().back();
    lua_rawgeti(L, LUA_REGISTRYINDEX, value.token);
    lua_rawseti(L, -2, static_cast<lua_Integer>(value.channel) + 1);
    luaL_unref(L, LUA_REGISTRYINDEX, static_cast<int>(value.token));
    join.values().pop_back();
  }
}

int fired(lua_State* L, int, lua_KContext) {
  LuaTask& task = *lua::enter_now(L, "join").current();
  task::Outcome& outcome = task.task().outcome;
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  lua_settop(L, k_firings);
  lua_Integer number = lua_tointeger(L, k_firings) + 1;
  lua_pushinteger(L, number);
  lua_replace(L, k_firings);
  lua_pushvalue(L, k_each);
  push_values(L, *join_at(L, k_join));
  lua_pushinteger(L, number);
  lua_callk(L, 2, 1, 0, each_returned);
  return each_returned(L, LUA_OK, 0);
}

void make_join(lua_State* L, int first, int last, size_t need, bool block, std::shared_ptr<Join>& join) noexcept {
  join = std::make_shared<Join>(channels_on_stack(L, first, last), need, block ? Join::Reset::block : Join::Reset::all);
}

int l_join(lua_State* L) {
  lua::enter(L, "join", lua::Place::body);
  if (lua_type(L, 1) != LUA_TTABLE)
    lua::raise_usage(L, code::k_usage, "join: give it a table, as in join { from = { c1, c2 }, need = 1, each = fn }");
  lua_settop(L, 1);
  Options options(L, 1, "join", k_options);
  if (options.push("each") != LUA_TFUNCTION) options.wrong("each", "a function of the values and the number of the firing");
  if (options.push("from") != LUA_TTABLE) options.wrong("from", "a list of channels");
  lua_Unsigned total = lua_rawlen(L, 3);
  if (total == 0 || total > k_channels_max) options.wrong("from", "a list of at least one channel, and of 1000 at most");
  int64_t need = options.integer("need", static_cast<int64_t>(total), 1, static_cast<int64_t>(total));
  bool block = options.choice("reset", k_reset, 0) == 1;
  luaL_checkstack(L, static_cast<int>(total) + 8, "join");
  make_shared_type<Join>(L, k_type, k_no_methods, nullptr);
  std::shared_ptr<Join>& join = new_shared<Join>(L, k_type, 0);
  for (lua_Unsigned i = 1; i <= total; ++i) lua_rawgeti(L, 3, static_cast<lua_Integer>(i));
  check_channels(L, 5, lua_gettop(L), "join");
  make_join(L, 5, lua_gettop(L), static_cast<size_t>(need), block, join);
  lua_settop(L, 4);
  lua_replace(L, 3);        // each, join
  lua_remove(L, 1);
  lua_pushinteger(L, 0);    // firings
  return wait_next(L);
}

}  // namespace

int open_join(lua_State* L) {
  lua_pushcfunction(L, l_join);
  return 1;
}

}  // namespace perilune::api
