// Error <-> error object.
// SPDX-License-Identifier: MIT
#include "bindings/lua/error_object.hpp"

#include <catch2/catch.hpp>

#include "tests/unit/lua/fake_surroundings.hpp"

using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using perilune::Error;
using perilune::lua::test::World;
namespace lua = perilune::lua;

namespace {

Error full_error() {
  Error error("step_failed", "the charge was refused, at some length so that it is on the heap");
  error.step = "charge";
  error.attempt = 2;
  error.data = "{\"card\":\"visa\",\"tries\":[1,2]}";
  error.traceback = "order.lua:1: in main chunk";
  error.retry = false;
  error.retry_after_s = 1.5;
  error.cause = std::make_shared<Error>("http_status", "402 with a text that is long enough for the heap too");
  error.suppressed.emplace_back("cancelled", "one");
  error.suppressed.emplace_back("timeout", "two");
  return error;
}

int l_raise(lua_State* L) { lua::raise(L, full_error()); }

int l_open_raise(lua_State* L) {
  lua_pushcfunction(L, l_raise);
  return 1;
}

const lua::LazyGlobal k_raise[] = {{"raise", l_open_raise}};

}  // namespace

TEST_CASE("An error goes into a script and comes back with every field") {
  World world;
  lua_State* L = world.state->main();
  lua::push_error(L, full_error());
  CHECK(lua::is_error_object(L, -1));
  const Error back = lua::error_from_value(L, -1, "script");
  CHECK(perilune::to_json_text(back) == perilune::to_json_text(full_error()));
  CHECK(lua_gettop(L) == 1);
}

TEST_CASE("Scripts read the fields, and see one line as text") {
  World world;
  lua::add_lazy_globals(world.state->main(), k_raise, 1);
  CHECK(world.eval(
            "local ok, e = pcall(raise) return e.code, e.step, e.attempt, e.data.card, e.cause.code, #e.suppressed, "
            "e.retry, e.retry_after, getmetatable(e)") ==
        "\"step_failed\" \"charge\" 2 \"visa\" \"http_status\" 2 false 1.5 false");
  CHECK(world.eval("local ok, e = pcall(raise) return tostring(e)") == "\"" + perilune::one_line(full_error()) + "\"");
}

TEST_CASE("An error that is caught and raised again keeps its fields") {
  World world;
  lua::add_lazy_globals(world.state->main(), k_raise, 1);
  CHECK_THAT(world.eval("local ok, e = pcall(raise) error(e)"), StartsWith("step_failed: the charge"));
  CHECK(world.error.suppressed.size() == 2);
  CHECK(world.error.cause->code == "http_status");
  CHECK_FALSE(world.error.retry);
}

TEST_CASE("Whatever a script raises becomes an error") {
  World world;
  const std::pair<const char*, const char*> cases[] = {
      {"error('text')", "script: test.lua:1: text"},
      {"error('text', 0)", "script: text"},
      {"error()", "script: nil error"},
      {"error(5)", "script: 5"},
      {"error(false)", "script: false"},
      {"error(print)", "script: an error object of type function"},
      {"error({message='m', code='own'})", "own: m"},
      {"error({1, 2})", "script: an error object of type table"},
      {"error(setmetatable({}, {__tostring=function() error('never') end}))", "script: an error object of type table"},
      {"local x = nil; x.y = 1", "script: test.lua:1: attempt to index a nil value (local 'x')"},
  };
  for (auto [script, expected] : cases) CHECK(world.eval(script) == expected);
  CHECK(world.eval("error({1, 2})") == "script: an error object of type table");
  CHECK(world.error.data == "[1,2]");
}

TEST_CASE("An error that causes itself is cut off") {
  World world;
  lua::add_lazy_globals(world.state->main(), k_raise, 1);
  CHECK_THAT(world.eval("local ok, e = pcall(raise) e.cause = e error(e)"), StartsWith("step_failed: "));
}

TEST_CASE("An error raised by the runtime knows the script's frames") {
  World world;
  lua::add_lazy_globals(world.state->main(), k_raise, 1);
  static const lua::LazyGlobal k_plain[] = {
      {"plain", [](lua_State* L) -> int {
         lua_pushcfunction(L, [](lua_State* inner) -> int { lua::raise(inner, Error("denied", "no")); });
         return 1;
       }}};
  lua::add_lazy_globals(world.state->main(), k_plain, 1);
  world.eval("local function charge()\n plain()\nend\ncharge()");
  CHECK(world.error.traceback == "test.lua:2: in function 'charge'\ntest.lua:4: in main chunk");
}
