// User coroutines, and awaits that pass through them.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/lua/fake_surroundings.hpp"

using Catch::Matchers::Contains;
using perilune::lua::test::World;

TEST_CASE("The coroutine library works as Lua's does") {
  World world;
  CHECK(world.eval(
            "local co = coroutine.create(function(a, b) local c = coroutine.yield(a + b) return c * 2 end) "
            "local s0 = coroutine.status(co) local _, x = coroutine.resume(co, 1, 2) local s1 = coroutine.status(co) "
            "local _, y = coroutine.resume(co, 10) return s0, x, s1, y, coroutine.status(co), coroutine.resume(co)") ==
        "\"suspended\" 3 \"suspended\" 20 \"dead\" false \"cannot resume dead coroutine\"");
  CHECK(world.eval("local g = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) return g(), g(), "
                   "g(), g()") == "1 2 3");
  CHECK(world.eval("return coroutine.resume(coroutine.create(error), {1})") == "false [1]");
  CHECK(world.eval("return pcall(coroutine.wrap(function() error('x') end))") == "false \"test.lua:1: x\"");
  CHECK(world.eval("return coroutine.resume(coroutine.running())") ==
        "false \"cannot resume non-suspended coroutine\"");
  CHECK(world.eval("local co co = coroutine.create(function() return coroutine.status(co), coroutine.resume(co) end) "
                   "return coroutine.resume(co)") ==
        "true \"running\" false \"cannot resume non-suspended coroutine\"");
  CHECK(world.eval("return pcall(function() coroutine.create() end)") ==
        "false \"test.lua:1: bad argument #1 to 'create' (function expected, got no value)\"");
  CHECK(world.eval("return pcall(function() coroutine.resume(1) end)") ==
        "false \"test.lua:1: bad argument #1 to 'resume' (coroutine expected, got number)\"");
}

TEST_CASE("wrap and close run what is to be closed") {
  World world;
  const std::string closer =
      "local log = {} local function closer(n) return setmetatable({}, {__close = function(_, e) "
      "log[#log + 1] = n .. tostring(e) end}) end\n";
  CHECK(world.eval(closer + "local f = coroutine.wrap(function() local c <close> = closer('w') error('x', 0) end) "
                            "local ok, e = pcall(f) return ok, e, log") == "false \"x\" [\"wx\"]");
  CHECK(world.eval(closer +
                   "local co = coroutine.create(function() local c <close> = closer('c') coroutine.yield() end) "
                   "coroutine.resume(co) return coroutine.close(co), coroutine.status(co), log") ==
        "true \"dead\" [\"cnil\"]");
  CHECK(world.eval("local co = coroutine.create(function() local c <close> = setmetatable({}, {__close = function() "
                   "error('e', 0) end}) "
                   "coroutine.yield() end) coroutine.resume(co) return coroutine.close(co)") == "false \"e\"");
}

TEST_CASE("Outside of a coroutine of its own a script can't yield") {
  World world;
  CHECK_THAT(world.task("coroutine.yield(1)"), Contains("attempt to yield from outside a coroutine"));
  CHECK(world.task("return coroutine.isyieldable(), (select(2, coroutine.running()))") == "false true");
  CHECK(
      world.task(
          "return coroutine.wrap(function() return coroutine.isyieldable(), (select(2, coroutine.running())) end)()") ==
      "true false");
}

TEST_CASE("An await passes through every construct of the language") {
  const std::pair<const char*, const char*> cases[] = {
      {"return await('a'), await('b')", "\"a!\" \"b!\""},
      {"return pcall(await, 'a')", "true \"a!\""},
      {"return pcall(function() error(await('a'), 0) end)", "false \"a!\""},
      {"return xpcall(function() error(await('a'), 0) end, function(e) return e .. '?' end)", "false \"a!?\""},
      {"return coroutine.wrap(await)('a')", "\"a!\""},
      {"return coroutine.resume(coroutine.create(await), 'a')", "true \"a!\""},
      {"local g = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(await('w' .. i)) end end) return g(), g(), "
       "g()",
       "\"w1!\" \"w2!\" \"w3!\""},
      {"local o = {} for v in coroutine.wrap(function() for i = 1, 2 do coroutine.yield(await('w' .. i)) end end) do "
       "o[#o+1] = v .. await('body') end return o",
       "[\"w1!body!\",\"w2!body!\"]"},
      {"return coroutine.wrap(function() return coroutine.wrap(function() return await('deep') end)() .. await('mid') "
       "end)()",
       "\"deep!mid!\""},
      {"local t = setmetatable({}, {__index = function(_, k) return await(k) end}) return t.x .. t.y", "\"x!y!\""},
      {"local t = setmetatable({}, {__add = function(a, b) return await('add') end, __lt = function() return "
       "await('lt') end}) return t + 1, t < t",
       "\"add!\" true"},
      {"local s = '' for k in function(_, k) if not k then return await('it') end end do s = s .. k end return s",
       "\"it!\""},
      {"do local c <close> = setmetatable({}, {__close = function() x = await('close') end}) end return x",
       "\"close!\""},
      {"return pcall(function() local c <close> = setmetatable({}, {__close = function(_, e) y = await('c') .. e end}) "
       "error('e', 0) end), y",
       "false \"c!e\""},
      {"return load('return await(...)')('l')", "\"l!\""},
      {"return tostring(setmetatable({}, {__tostring = function() return await('s') end}))", "\"s!\""},
      {"return pcall(coroutine.wrap(function() return pcall(await, 'n') end))", "true true \"n!\""},
      {"local co = coroutine.wrap(function(a) local b = coroutine.yield(await(a)) return await(b) end) local x = "
       "co('1') return x, co('2')",
       "\"1!\" \"2!\""},
  };
  for (auto [script, expected] : cases) {
    World world;
    world.add_await();
    INFO(script);
    CHECK(world.task(script) == expected);
  }
}

TEST_CASE("An await where none may stand raises, also in a coroutine that is resumed there") {
  World world;
  world.add_await();
  CHECK_THAT(world.task("table.sort({2,1}, function(a, b) return await('x') end)"), Contains("not_yieldable"));
  CHECK_THAT(world.task("table.sort({2,1}, function(a, b) return coroutine.wrap(await)('x') end)"),
             Contains("not_yieldable"));
  CHECK(world.task("return coroutine.wrap(function() return await('fine') end)()") == "\"fine!\"");
  CHECK_THAT(world.eval("await('x')"), Contains("not_yieldable"));
}

TEST_CASE("A coroutine that waits can be neither resumed nor closed by others") {
  World world;
  world.add_await();
  // The second "task" looks at the coroutine while the first one waits inside it: here, the answer of the await is
  // given while the coroutine is still marked, from a second coroutine of the host.
  lua_State* L = world.state->main();
  lua_State* one = lua_newthread(L);
  REQUIRE(perilune::lua::load_text(
      one, "co = coroutine.create(function() return await('x') end) return coroutine.resume(co)", "@one.lua"));
  int count = 0;
  REQUIRE(lua_resume(one, nullptr, 0, &count) == LUA_YIELD);
  lua_pop(one, count);
  lua_State* two = lua_newthread(L);
  REQUIRE(perilune::lua::load_text(two, "return coroutine.status(co), coroutine.resume(co)", "@two.lua"));
  REQUIRE(lua_resume(two, nullptr, 0, &count) == LUA_OK);
  CHECK(World::results(two) == "\"normal\" false \"cannot resume non-suspended coroutine\"");
  REQUIRE(perilune::lua::load_text(two, "return pcall(coroutine.close, co)", "@two.lua"));
  REQUIRE(lua_resume(two, nullptr, 0, &count) == LUA_OK);
  CHECK(World::results(two) == "false \"cannot close a normal coroutine\"");
  lua_pushstring(one, "done");
  REQUIRE(lua_resume(one, nullptr, 1, &count) == LUA_OK);
  CHECK(World::results(one) == "true \"done\"");
}

TEST_CASE("A task of the runtime can't be resumed or closed by a script") {
  World world;
  world.add_await();
  CHECK(world.task(
            "local me = coroutine.running() local function try() return coroutine.status(me), coroutine.resume(me) end "
            "return coroutine.wrap(try)()") == "\"normal\" false \"cannot resume non-suspended coroutine\"");
}
