// A small world for the tests of the Lua border: fixed time, counted objects, modules from a map, a log that is kept.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bindings/lua/codec.hpp"
#include "bindings/lua/error_object.hpp"
#include "bindings/lua/sandbox.hpp"
#include "bindings/lua/state.hpp"

namespace perilune::lua::test {

class FakeSurroundings final : public Surroundings {
 public:
  double now_s() override { return now; }
  Random& random() override { return stream; }
  uint64_t next_object_id() override { return ++objects; }
  void log(const char* level, std::string_view text, std::string_view) override {
    lines.push_back(std::string(level) + " " + std::string(text));
  }
  Result<Module> find_module(const std::string& name) override {
    auto found = modules.find(name);
    if (found == modules.end()) return Error(code::k_not_found, "module '" + name + "' not found");
    return Module{"@" + name + ".lua", found->second};
  }

  double now = 1'700'000'000.5;
  Random stream{7};
  uint64_t objects = 0;
  std::vector<std::string> lines;
  std::map<std::string, std::string> modules;
};

// A state with its world. eval() runs a script and answers with the JSON of the list of its results, or with
// "code: message" of what it raised.
struct World {
  explicit World(StateLimits limits = {}) { state = std::move(State::create(limits, surroundings).value()); }

  std::string eval(std::string_view script) {
    lua_State* L = state->main();
    lua_settop(L, 0);
    state->begin_slice();
    Result<void> loaded = load_text(L, script, "@test.lua");
    if (!loaded) return loaded.error().code + ": " + loaded.error().message;
    if (lua_pcall(L, 0, LUA_MULTRET, 0) != LUA_OK) return failure(L);
    return results(L);
  }

  // The same in a coroutine, as a task runs. Each await (a yield of the sentinel and one value) is answered by that
  // value with "!" behind it, and noted in `awaits`.
  std::string task(std::string_view script) {
    lua_State* L = state->main();
    lua_settop(L, 0);
    lua_State* co = lua_newthread(L);
    state->watch(co);
    Result<void> loaded = load_text(co, script, "@test.lua");
    if (!loaded) return loaded.error().code + ": " + loaded.error().message;
    int given = 0;
    for (;;) {
      int count = 0;
      state->begin_slice();
      const int status = lua_resume(co, nullptr, given, &count);
      if (status == LUA_OK) return results(co);
      if (status != LUA_YIELD) return failure(co);
      if (count != 2 || lua_touserdata(co, -2) != await_sentinel()) return "a foreign yield";
      awaits.push_back(lua_tostring(co, -1));
      lua_pop(co, 2);
      lua_pushstring(co, (awaits.back() + "!").c_str());
      given = 1;
    }
  }

  std::string failure(lua_State* L) {
    error = state->killed() ? state->kill_error() : error_from_value(L, -1, code::k_script);
    lua_settop(L, 0);
    return error.code + ": " + error.message;
  }

  static std::string results(lua_State* L) {
    const int count = lua_gettop(L);
    std::string out;
    for (int i = 1; i <= count; ++i) {
      if (i > 1) out += " ";
      Result<void> encoded = encode(L, i, out, "");
      if (!encoded) out += encoded.error().code + ": " + encoded.error().message;
    }
    lua_settop(L, 0);
    return out;
  }

  // Gives scripts a global await(x).
  void add_await();

  FakeSurroundings surroundings;
  std::unique_ptr<State> state;
  std::vector<std::string> awaits;
  Error error;
};

inline int l_continue_await(lua_State* L, int, lua_KContext) { return lua_gettop(L) - 1; }

inline int l_await(lua_State* L) {
  luaL_checkstring(L, 1);
  lua_settop(L, 1);
  if (!State::of(L).can_await(L)) raise(L, Error(code::k_not_yieldable, "no await here"));
  lua_pushlightuserdata(L, await_sentinel());
  lua_pushvalue(L, 1);
  return lua_yieldk(L, 2, 0, l_continue_await);
}

inline int l_open_await(lua_State* L) {
  lua_pushcfunction(L, l_await);
  return 1;
}

inline void World::add_await() {
  static const LazyGlobal k_globals[] = {{"await", l_open_await}};
  add_lazy_globals(state->main(), k_globals, 1);
}

}  // namespace perilune::lua::test
