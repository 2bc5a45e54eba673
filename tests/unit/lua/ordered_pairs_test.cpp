// The order of pairs and next.
// SPDX-License-Identifier: MIT
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include "tests/unit/lua/fake_surroundings.hpp"

using Catch::Matchers::Contains;
using perilune::lua::test::World;

namespace {

const char* const k_keys =
    "local function keys(t) local o = {} for k in pairs(t) do o[#o + 1] = k end return o end\n"
    "local function nexts(t) local o = {} for k in next, t do o[#o + 1] = k end return o end\n";

std::string run(World& world, const std::string& script) { return world.eval(k_keys + script); }

}  // namespace

TEST_CASE("pairs and next go through numbers, then strings, then booleans") {
  World world;
  const char* script =
      "local t = {b=1, a=1, [true]=1, [false]=1, [10]=1, [-1]=1, [2.5]=1, [1]=1, [2]=1, [0]=1, [1e300]=1, "
      "[-1/0]=1, [math.mininteger]=1, ab=1, ['']=1} ";
  const std::string order = "[-9223372036854775808,-1,0,1,2,2.5,10,1e+300,\"\",\"a\",\"ab\",\"b\",false,true]";
  CHECK(run(world, std::string(script) + "t[-1/0] = nil return keys(t), nexts(t)") == order + " " + order);
  CHECK(
      run(world, std::string(script) + "return next(t) == -1/0, keys({}), nexts({}), keys({1,2,3}), nexts({1,2,3})") ==
      "true {} {} [1,2,3] [1,2,3]");
}

TEST_CASE("Values come with their keys") {
  World world;
  CHECK(world.eval("local o = {} for k, v in pairs{x=1, y=2, 10, 20} do o[#o + 1] = k .. '=' .. v end return o") ==
        "[\"1=10\",\"2=20\",\"x=1\",\"y=2\"]");
  CHECK(world.eval("local o = {} for k, v in next, {x=1, y=2, 10, 20} do o[#o + 1] = k .. '=' .. v end return o") ==
        "[\"1=10\",\"2=20\",\"x=1\",\"y=2\"]");
}

TEST_CASE("Keys of other types raise, but whether a table is empty can be asked of any") {
  World world;
  CHECK_THAT(run(world, "return keys{[{}]=1}"), Contains("pairs: a key of type 'table' has no order"));
  CHECK_THAT(run(world, "return nexts{[print]=1, [pcall]=2}"), Contains("a key of type"));
  CHECK(world.eval("return next({}) == nil, next({[{}]=1}) == nil, next({[print]=1, [pcall]=2}) == nil, "
                   "next({[{}]=1, [{}]=2, x=1})") == "true false false \"x\" 1");
  CHECK(world.eval("local o = {} return next({[o]=5}) == o") == "true");
}

TEST_CASE("Fields may be changed and removed on the way") {
  World world;
  CHECK(world.eval("local t, o = {a=1, b=2, c=3, d=4}, {} for k, v in pairs(t) do o[#o+1] = k t[k] = nil t.c = nil end "
                   "return o, next(t)") == "[\"a\",\"b\",\"d\"] null");
  CHECK(world.eval("local t, o = {a=1, b=2, c=3, d=4}, {} for k, v in next, t do o[#o+1] = k t[k] = nil t.c = nil end "
                   "return o, next(t)") == "[\"a\",\"b\",\"d\"] null");
  CHECK(world.eval(
            "local t, o = {1,2,3,4,5}, {} for i, v in pairs(t) do o[#o+1] = v t[i] = v * 2 t[3] = nil end return o") ==
        "[1,2,4,5]");
  CHECK(world.eval(
            "local t, o = {1,2,3,4,5}, {} for i, v in next, t do o[#o+1] = v t[i] = v * 2 t[3] = nil end return o") ==
        "[1,2,4,5]");
}

TEST_CASE("A table used as a queue is drained in order") {
  World world;
  CHECK(world.eval("local t, o = {c=1, a=1, b=1}, {} while true do local k = next(t) if not k then break end "
                   "o[#o+1] = k t[k] = nil if k == 'a' then t.aa = 1 end end return o") ==
        "[\"a\",\"aa\",\"b\",\"c\"]");
}

TEST_CASE("Loops by next over many tables at once keep their places") {
  World world;
  CHECK(world.eval(
            "local n = 0 local ts = {} for i = 1, 7 do ts[i] = {a=1, b=2, c=3} end\n"
            "local function walk(i) if i > 7 then n = n + 1 return end for k in next, ts[i] do walk(i + 1) end end\n"
            "walk(1) return n") == "2187");
  CHECK(world.eval(
            "local t, o = {a=1, b=2}, {} for i in next, t do for j in next, t do o[#o+1] = i .. j end end return o") ==
        "[\"aa\",\"ab\",\"ba\",\"bb\"]");
  CHECK(world.eval("local t = {a=1} local k = next(t) t.b = 2 return next(t, k), next(t, 'b'), next(t, 'aa')") ==
        "\"b\" null \"b\" 2");
}

TEST_CASE("A loop by next over a large table takes no longer than sorting it") {
  World world;
  CHECK(world.eval("local t = {} for i = 1, 100000 do t['k' .. i] = i end local n = 0 for k in next, t do n = n + 1 "
                   "end return n") == "100000");
  CHECK(world.eval("local t = {} for i = 1, 300000 do t[i] = i end local n = 0 for k in next, t do n = n + 1 end "
                   "for k in pairs(t) do n = n + 1 end return n") == "600000");
}

TEST_CASE("__pairs is honoured") {
  World world;
  world.add_await();
  CHECK(world.eval("local t = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2 "
                   "end end, t, nil end}) "
                   "local o = {} for k, v in pairs(t) do o[#o+1] = k + v end return o") == "[3]");
  CHECK(world.task(
            "local t = setmetatable({}, {__pairs = function(t) local x = await('p') "
            "return function(_, k) if not k then return x end end, t, nil end}) for k in pairs(t) do return k end") ==
        "\"p!\"");
}

TEST_CASE("Any table is met in the same order however it was filled") {
  World world;
  REQUIRE(rc::check("order does not depend on history", [&world](const std::vector<int>& numbers) {
    std::string forward = "local t = {}", backward = "local u = {}";
    for (int n : numbers) {
      const std::string key = n % 2 == 0 ? std::to_string(n) : "'" + std::to_string(n) + "'";
      forward += " t[" + key + "] = true";
    }
    for (auto n = numbers.rbegin(); n != numbers.rend(); ++n) {
      const std::string key = *n % 2 == 0 ? std::to_string(*n) : "'" + std::to_string(*n) + "'";
      backward += " u['x'] = 1 u[" + key + "] = true";
    }
    const std::string result = run(
        world,
        forward + "\n" + backward +
            " u.x = nil local a, b, c = keys(t), keys(u), nexts(u) "
            "assert(#a == #b and #a == #c) for i = 1, #a do assert(a[i] == b[i] and b[i] == c[i]) end return 'same'");
    RC_ASSERT(result == "\"same\"");
  }));
}
