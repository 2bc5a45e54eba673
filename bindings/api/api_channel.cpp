// channel(n) -> c: c:put(v) c:take() c:take(k), and channel.zip(c1, c2, ...). The values lie in the registry; their
// references are the tokens that flow/channel.hpp hands around.
// SPDX-License-Identifier: MIT
#include "bindings/api/channels.hpp"
#include "bindings/api/tables.hpp"
#include "bindings/api/task_handle.hpp"
#include "bindings/lua/arguments.hpp"
#include "bindings/lua/await.hpp"

namespace perilune::api {

using flow::Channel;
using lua::LuaScript;
using lua::LuaTask;

namespace {

constexpr const char* k_type = "channel";
constexpr lua_Integer k_capacity_max = 10'000'000;

bool begin_put(LuaScript& script, std::shared_ptr<Channel>& channel, int value_ref) noexcept {
  auto put = std::make_unique<flow::Put>(script.execution(), channel, value_ref);
  flow::Put& begun = *put;
  LuaTask& task = *script.current();
  task.fill({std::move(put), lua::push_outcome, LUA_NOREF});
  return begun.begin(task.task());
}

int l_put(lua_State* L) {
  LuaScript& script = lua::enter(L, "c:put", lua::Place::body);
  std::shared_ptr<Channel>& channel = channel_at(L, 1);
  if (lua_isnoneornil(L, 2)) lua::raise_usage(L, code::k_usage, "c:put: nil can't be put: there would be nothing to take");
  lua_settop(L, 2);
  int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return lua::await(L, begin_put(script, channel, ref));
}

flow::Take& take_of(LuaTask& task) { return static_cast<flow::Take&>(*task.slot().operation); }

void push_values(lua_State* L, flow::Take& take) {
  const auto& tokens = take.taken();
  luaL_checkstack(L, static_cast<int>(tokens.size()) + 4, "channel");
  for (flow::Token token : tokens) lua_rawgeti(L, LUA_REGISTRYINDEX, token);
  for (flow::Token token : tokens) luaL_unref(L, LUA_REGISTRYINDEX, static_cast<int>(token));
  take.used(tokens.size());
}

int push_taken(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  push_values(L, take_of(task));
  return static_cast<int>(take_of(task).taken().size());
}

// take(k): a list.
int push_taken_list(lua_State* L, LuaTask& task, task::Outcome& outcome) {
  if (outcome.kind == task::Outcome::Kind::error) return lua::push_outcome(L, task, outcome);
  flow::Take& take = take_of(task);
  lua_Integer count = static_cast<lua_Integer>(take.taken().size());
  lua_createtable(L, static_cast<int>(count), 0);
  for (lua_Integer i = 1; i <= count; ++i) {
    int ref = static_cast<int>(take.taken()[static_cast<size_t>(i - 1)]);
    lua_rawgeti(L, LUA_REGISTRYINDEX, ref);
    lua_rawseti(L, -2, i);
    luaL_unref(L, LUA_REGISTRYINDEX, ref);
    take.used(static_cast<size_t>(i));
  }
  return 1;
}

bool begin_take(LuaScript& script, std::shared_ptr<Channel>& channel, size_t count, LuaTask::Push push) noexcept {
  auto take = std::make_unique<flow::Take>(script.execution(), std::vector{channel}, count);
  flow::Take& begun = *take;
  LuaTask& task = *script.current();
  task.fill({std::move(take), push, LUA_NOREF});
  return begun.begin(task.task());
}

int l_take(lua_State* L) {
  LuaScript& script = lua::enter(L, "c:take", lua::Place::body);
  std::shared_ptr<Channel>& channel = channel_at(L, 1);
  bool list = !lua_isnoneornil(L, 2);
  lua_Integer count = list ? luaL_checkinteger(L, 2) : 1;
  if (count < 1 || count > k_capacity_max)
    lua::raise_usage(L, code::k_usage, "c:take: the number of values must be at least 1");
  return lua::await(L, begin_take(script, channel, static_cast<size_t>(count), list ? push_taken_list : push_taken));
}

bool begin_zip(lua_State* L, LuaScript& script) noexcept {
  auto take = std::make_unique<flow::Take>(script.execution(), channels_on_stack(L, 1, lua_gettop(L)), 1);
  flow::Take& begun = *take;
  LuaTask& task = *script.current();
  task.fill({std::move(take), push_taken, LUA_NOREF});
  return begun.begin(task.task());
}

// channel.zip(c1, c2, ...): one value of each, when all have one.
int l_zip(lua_State* L) {
  LuaScript& script = lua::enter(L, "channel.zip", lua::Place::body);
  if (lua_gettop(L) == 0) lua::raise_usage(L, code::k_usage, "channel.zip: give it at least one channel");
  check_channels(L, 1, lua_gettop(L), "channel.zip");
  return lua::await(L, begin_zip(L, script));
}

constexpr luaL_Reg k_methods[] = {{"put", l_put}, {"take", l_take}, {nullptr, nullptr}};

void make_channel(LuaScript& script, size_t capacity, std::shared_ptr<Channel>& channel) noexcept {
  lua_State* main = script.L();   // the channel may be collected when the script is already on its way out
  channel = std::make_shared<Channel>(script.execution(), capacity, [main](flow::Token token) {
    luaL_unref(main, LUA_REGISTRYINDEX, static_cast<int>(token));
  });
}

// channel(n): the first argument is the table `channel` itself.
int l_channel(lua_State* L) {
  LuaScript& script = lua::enter(L, "channel", lua::Place::body);
  lua_Integer capacity = luaL_optinteger(L, 2, 0);
  if (capacity < 0 || capacity > k_capacity_max)
    lua::raise_usage(L, code::k_usage, "channel: the capacity must be from 0 (each put waits for its take) to 10000000");
  make_shared_type<Channel>(L, k_type, k_methods, nullptr);
  std::shared_ptr<Channel>& channel = new_shared<Channel>(L, k_type, 0);
  make_channel(script, static_cast<size_t>(capacity), channel);
  return 1;
}

int l_locked(lua_State* L) { lua::raise_usage(L, code::k_usage, "channel can't be changed"); }

}  // namespace

std::shared_ptr<Channel>& channel_at(lua_State* L, int index) {
  return *static_cast<std::shared_ptr<Channel>*>(luaL_checkudata(L, index, k_type));
}

void check_channels(lua_State* L, int first, int last, const char* call) {
  for (int i = first; i <= last; ++i) {
    if (luaL_testudata(L, i, k_type) == nullptr)
      lua::raise_usage(L, code::k_usage, "%s: a channel is expected, not a %s", call, luaL_typename(L, i));
    for (int j = first; j < i; ++j)
      if (lua_rawequal(L, i, j)) lua::raise_usage(L, code::k_usage, "%s: one channel is there twice", call);
  }
}

std::vector<std::shared_ptr<Channel>> channels_on_stack(lua_State* L, int first, int last) noexcept {
  std::vector<std::shared_ptr<Channel>> channels;
  for (int i = first; i <= last; ++i) channels.push_back(*static_cast<std::shared_ptr<Channel>*>(lua_touserdata(L, i)));
  return channels;
}

// A table that can be called, with zip in it.
int open_channel(lua_State* L) {
  lua_newtable(L);
  lua_createtable(L, 0, 4);
  lua_pushcfunction(L, l_channel);
  lua_setfield(L, -2, "__call");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_zip);
  lua_setfield(L, -2, "zip");
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_locked);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  return 1;
}

}  // namespace perilune::api
