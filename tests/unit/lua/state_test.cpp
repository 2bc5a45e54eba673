// The limits of a state: memory, CPU, and the kill that no script can catch.
// SPDX-License-Identifier: MIT
#include "bindings/lua/state.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/lua/fake_surroundings.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using perilune::lua::StateLimits;
using perilune::lua::test::World;
namespace lua = perilune::lua;

namespace {

StateLimits small_cpu() {
  StateLimits limits;
  limits.cpu_us = 20'000;
  return limits;
}

StateLimits small_memory() {
  StateLimits limits;
  limits.memory_bytes = 4 << 20;
  return limits;
}

int l_kill(lua_State* L) {
  lua::State::of(L).kill("denied", "the host said so");
  lua::State::of(L).raise_killed(L);
}

int l_open_kill(lua_State* L) {
  lua_pushcfunction(L, l_kill);
  return 1;
}

const lua::LazyGlobal k_kill[] = {{"kill", l_open_kill}};

}  // namespace

TEST_CASE("A loop is ended by the CPU budget, and the error names the place") {
  World world(small_cpu());
  CHECK(world.eval("local x = 0\nwhile true do x = x + 1 end") ==
        "budget: the script used more than 20ms of CPU between durable calls at test.lua:2");
}

TEST_CASE("Nothing that a script does swallows the end of its budget") {
  const char* const scripts[] = {
      "while true do pcall(function() while true do end end) end",
      "while true do xpcall(function() while true do end end, function() while true do end end) end",
      "while true do local f = coroutine.wrap(function() while true do end end) pcall(f) end",
      "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
      "local function f() local c <close> = setmetatable({}, {__close = function() while true do end end}) "
      "while true do end end while true do pcall(f) end",
      "while true do pcall(pcall, pcall, function() while true do end end) end",
      "local t = setmetatable({}, {__index = function() while true do end end}) while true do pcall(function() return "
      "t.x end) end",
      "while true do pcall(table.sort, {3,2,1}, function(a, b) while true do end end) end",
      "while true do pcall(string.gsub, 'abc', '.', function() while true do end end) end",
      "while true do pcall(load, function() while true do end end) end",
      "while true do pcall(tostring, setmetatable({}, {__tostring = function() while true do end end})) end",
      "local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() while true do "
      "end end}) "
      "coroutine.yield() end) coroutine.resume(co) while true do pcall(coroutine.close, co) end",
      "for k in pairs(setmetatable({}, {__pairs = function() return function() while true do end end end})) do end",
  };
  for (const char* script : scripts) {
    World world(small_cpu());
    INFO(script);
    CHECK_THAT(world.eval(script), StartsWith("budget: "));
    CHECK(world.state->killed());
    World task_world(small_cpu());
    CHECK_THAT(task_world.task(script), StartsWith("budget: "));
  }
}

TEST_CASE("The budget starts anew with each slice") {
  World world(small_cpu());
  for (int i = 0; i < 20; ++i) CHECK(world.eval("local x = 0 for i = 1, 200000 do x = x + 1 end return x") == "200000");
}

TEST_CASE("Handlers and __close do not run script code after a kill") {
  World world;
  lua::add_lazy_globals(world.state->main(), k_kill, 1);
  CHECK(world.eval("xpcall(kill, function(e) print('handler') return e end) print('after')") ==
        "denied: the host said so");
  CHECK(world.surroundings.lines.empty());

  World other;
  lua::add_lazy_globals(other.state->main(), k_kill, 1);
  CHECK(other.eval("local c <close> = setmetatable({}, {__close = function() print('closed') end}) kill()") ==
        "denied: the host said so");
  CHECK(other.surroundings.lines.empty());
}

TEST_CASE("The first kill stays, and a killed state runs nothing more") {
  World world;
  world.state->kill("denied", "first");
  world.state->kill("budget", "second");
  CHECK(world.eval("return 1") == "denied: first");
}

TEST_CASE("Memory is capped, the end cannot be caught, and the state still closes") {
  const char* const scripts[] = {
      "local t = {} while true do t[#t + 1] = {} end",
      "local s = 'x' while true do s = s .. s end",
      "while true do pcall(function() local t = {} while true do t[#t + 1] = {} end end) end",
      "while true do xpcall(function() local s = 'x' while true do s = s .. s end end, print) end",
      "while true do pcall(string.rep, 'x', 8 * 1024 * 1024) end",
      "local t = {} for i = 1, 1e6 do t[i] = 'abcdefgh' end pcall(table.concat, t)",
      "while true do coroutine.wrap(function() local t = {} while true do t[#t + 1] = t end end)() end",
      "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
      "local t = {} for i = 1, 1e7 do t['k' .. i] = true end",
      "while true do pcall(load, ('x=1 '):rep(300000)) end",
  };
  for (const char* script : scripts) {
    World world(small_memory());
    INFO(script);
    CHECK_THAT(world.eval(script), StartsWith("memory: "));
    CHECK(world.state->memory_peak() <= (4u << 20) + 256 * 1024);
  }
}

TEST_CASE("Memory that is let go is given back and can be used again") {
  World world(small_memory());
  const size_t before = world.state->memory_used();
  for (int i = 0; i < 20; ++i) CHECK(world.eval("local t = {} for i = 1, 50000 do t[i] = i end return #t") == "50000");
  lua_gc(world.state->main(), LUA_GCCOLLECT);
  CHECK(world.state->memory_used() < before + 64 * 1024);
  CHECK(world.state->memory_peak() > before + 512 * 1024);
}

TEST_CASE("A state that does not fit into its limit is not made") {
  lua::test::FakeSurroundings surroundings;
  StateLimits limits;
  for (size_t bytes = 0; bytes < 12'000; bytes += 500) {
    limits.memory_bytes = bytes;
    auto state = lua::State::create(limits, surroundings);
    if (!state) CHECK(state.error().code == "memory");
  }
}

TEST_CASE("Every single allocation may fail without a leak or a crash") {
  const char* script =
      "local t = {} for k, v in pairs({b=1, a=2}) do t[#t + 1] = k .. tostring(v) end\n"
      "local f = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end)\n"
      "local ok, e = pcall(error, {code = 'x'}) require 'm' string.format('%s', {})\n"
      "return f() + f(), next(t), os.date(), math.random(5), select('#', table.unpack(t))";
  size_t bytes = 0;
  {
    World world;
    world.surroundings.modules["m"] = "return {}";
    REQUIRE_THAT(world.eval(script), StartsWith("3 1"));
    bytes = world.state->memory_peak();
  }
  for (size_t limit = bytes / 4; limit < bytes + 100; limit += 61) {
    lua::test::FakeSurroundings surroundings;
    StateLimits limits;
    limits.memory_bytes = limit;
    if (!lua::State::create(limits, surroundings)) continue;
    World world(limits);
    world.surroundings.modules["m"] = "return {}";
    const std::string result = world.eval(script);
    CHECK((result.starts_with("memory: ") || result.starts_with("3 1")));
  }
}

TEST_CASE("An endless recursion is an error like others, with code limit") {
  World world;
  CHECK_THAT(world.eval("local function f() return 1 + f() end f()"),
             StartsWith("limit: ") && Contains("stack overflow"));
  CHECK(world.eval("local function f() return 1 + f() end return pcall(f) == false") == "true");
  CHECK_FALSE(world.state->killed());
}

TEST_CASE("A chain of coroutines that close one another ends with an error, not with the C stack") {
  World world;
  const std::string result = world.eval(
      "local co for i = 1, 20000 do local inner = co co = coroutine.create(function() "
      "local c <close> = setmetatable({}, {__close = function() if inner then assert(coroutine.close(inner)) end end}) "
      "coroutine.yield() end) coroutine.resume(co) end return coroutine.close(co)");
  CHECK_THAT(result, StartsWith("false"));
  CHECK_THAT(result, Contains("closed within one another"));
}

TEST_CASE("Calls of the library that would run for ever in C are refused") {
  World world;
  const char* const scripts[] = {
      "string.rep('x', 1 << 40)",
      "table.move({}, 1, math.maxinteger - 1, 2)",
      "table.insert(setmetatable({}, {__len = function() return 1 << 40 end}), 1, 'x')",
      "table.remove(setmetatable({}, {__len = function() return 1 << 40 end}), 1)",
      "table.sort(setmetatable({}, {__len = function() return 1 << 30 end}), rawequal)",
      "table.concat(setmetatable({}, {__index = function() return '' end}), '', 1, math.maxinteger)",
      "table.concat({}, '', math.mininteger, math.maxinteger)",
  };
  for (const char* script : scripts) {
    INFO(script);
    CHECK_THAT(world.eval(script), StartsWith("limit: "));
  }
  CHECK(world.eval("return #string.rep('', 1 << 60), #('ab'):rep(3, ','), string.rep('x', -1)") == "0 8 \"\"");
  CHECK_FALSE(world.state->killed());
}
