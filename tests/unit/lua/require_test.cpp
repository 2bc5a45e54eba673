// require: once per state, awaits allowed, cycles named.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/lua/fake_surroundings.hpp"

using Catch::Matchers::Contains;
using perilune::lua::test::World;

TEST_CASE("A module runs once and its value stays") {
  World world;
  world.surroundings.modules["tax"] = "print('loaded', ...) return { rate = 7 }";
  world.surroundings.modules["empty"] = "print('empty')";
  CHECK(world.eval("return require 'tax'.rate, require 'tax' == require 'tax', require 'empty', require 'empty'") ==
        "7 true true true");
  CHECK(world.surroundings.lines == std::vector<std::string>{"info loaded\ttax", "info empty"});
}

TEST_CASE("A module that is missing, or wrong, says so, and can be required again") {
  World world;
  CHECK(world.eval("require 'nope'") == "not_found: module 'nope' not found");
  world.surroundings.modules["bad"] = "return +";
  CHECK(world.eval("require 'bad'") == "syntax: bad.lua:1: unexpected symbol near '+'");
  world.surroundings.modules["bad"] = "error('once')";
  CHECK(world.eval("return pcall(require, 'bad')") == "false \"bad.lua:1: once\"");
  CHECK(world.eval("return coroutine.resume(coroutine.create(require), 'bad')") == "false \"bad.lua:1: once\"");
  world.surroundings.modules["bad"] = "return 'good'";
  CHECK(world.eval("return require 'bad'") == "\"good\"");
}

TEST_CASE("A cycle names its chain") {
  World world;
  world.surroundings.modules["a"] = "return require 'b'";
  world.surroundings.modules["b"] = "return require 'c'";
  world.surroundings.modules["c"] = "return require 'b'";
  CHECK(world.eval("require 'a'") == "script: c.lua:1: module 'b' is still loading: b -> c -> b");
  world.surroundings.modules["c"] = "return 5";
  CHECK(world.eval("return require 'a'") == "5");
}

TEST_CASE("A module may await while it loads, and a failure after that is cleaned up too") {
  World world;
  world.add_await();
  world.surroundings.modules["slow"] = "local x = await('load') return { x = x }";
  CHECK(world.task("return require 'slow'.x, require 'slow'.x") == "\"load!\" \"load!\"");
  CHECK(world.awaits.size() == 1);
  world.surroundings.modules["fails"] = "await('f') error('late', 0)";
  CHECK(world.task("return pcall(require, 'fails')") == "false \"late\"");
  world.surroundings.modules["fails"] = "return 1";
  CHECK(world.task("return require 'fails'") == "1");
}

TEST_CASE("A module that another task is loading is not run a second time") {
  World world;
  world.add_await();
  world.surroundings.modules["slow"] = "await('x') return 1";
  lua_State* L = world.state->main();
  lua_State* one = lua_newthread(L);
  REQUIRE(perilune::lua::load_text(one, "return require 'slow'", "@one.lua"));
  int count = 0;
  REQUIRE(lua_resume(one, nullptr, 0, &count) == LUA_YIELD);
  lua_pop(one, count);
  CHECK_THAT(world.task("require 'slow'"), Contains("still loading in another task"));
}

TEST_CASE("The API is a module too") {
  World world;
  CHECK(world.eval("local p = require 'perilune' return p.print == print, p.math == math, p == require 'perilune'") ==
        "true true true");
  CHECK_THAT(world.eval("require 'perilune'.print = 1"), Contains("read-only"));
}
