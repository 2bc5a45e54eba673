// step: what it gives back, its options, and its errors. Retries are in step_retry_test.cpp, crashes in
// step_crash_test.cpp. SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;

TEST_CASE("a step gives back what its body returned, as a copy of plain data", "[flow][step]") {
  CHECK(result(R"(
    local mine = { n = 1, list = { 1, 2.0, "x" } }
    local got = step("a", function() return mine end)
    got.n = 2
    return { mine = mine.n, got = got.n, same = mine == got, list = got.list })") ==
        R"({"got":2,"list":[1,2.0,"x"],"mine":1,"same":false})");
  CHECK(result("return step('a', function() end)") == "null");
  CHECK(result("return step('a', function() return false end)") == "false");
  CHECK(result("return step('a', function() return 'first', 'second' end)") == "\"first\"");
  CHECK(result("return step('a', {}, function(attempt) return attempt.number end)") == "1");
}

TEST_CASE("a step whose result can't be encoded fails with the path, and is not tried again", "[flow][step]") {
  Life life = run("return step('a', function() effect('a') return { items = { 1, print } } end)");
  CHECK(life.error.code == "validation");
  CHECK_THAT(life.error.message, Contains("result.items[2]"));
  CHECK(life.error.step == "a");
  CHECK(life.effects.size() == 1);
  CHECK_THAT(result("local t = {} t.t = t return step('a', function() return t end)"), StartsWith("failed validation"));
}

TEST_CASE("when decides whether a step runs at all", "[flow][step]") {
  Lab lab(R"(
    local a = step("a", { when = false }, function() effect("a") return 1 end)
    local b = step("b", { when = function() return nil end }, function() effect("b") return 1 end)
    local c = step("c", { when = function() return 0 end }, function() effect("c") return 3 end)
    local d = step("d", { when = true }, function() effect("d") return 4 end)
    return { tostring(a), tostring(b), c, d })");
  Life life = lab.live();
  CHECK(result(life) == R"(["nil","nil",3,4])");
  CHECK(life.effects == std::vector<std::string>{"c", "d"});
  CHECK(lab.recorded({journal::Kind::step_skipped}) == std::vector<std::string>{"step_skipped a", "step_skipped b"});
}

TEST_CASE("when is plain Lua: no effect and no durable call stands in it", "[flow][step]") {
  for (const char* call : {"work('x', 1)", "sleep(1)", "step('inner', function() end)", "checkpoint 'c'",
                           "parallel { function() end }", "spawn('t', function() end)"}) {
    Life life =
        run(std::string("return step('a', { when = function() ") + call + " end }, function() effect('a') end)");
    INFO(call << " -> " << result(life));
    CHECK(life.status == store::Status::failed);
    CHECK(life.error.code == "usage");
    CHECK_THAT(life.error.message, Contains("when"));
    CHECK(life.effects.empty());
  }
}

TEST_CASE("expect is the gate between steps: a result that breaks it fails the step", "[flow][step]") {
  Life life =
      run(R"(return step("a", { expect = { id = "integer" } }, function() effect("a") return { id = "x" } end))");
  CHECK(life.error.code == "validation");
  CHECK_THAT(life.error.message, Contains("the result of step 'a'.id"));
  CHECK(life.effects.size() == 1);
  CHECK(result(R"(return step("a", { expect = { id = "integer", n = { type = "integer", default = 7 } } },
                              function() return { id = 1 } end))") == R"({"id":1,"n":7})");
  CHECK_THAT(result("return step('a', { expect = 'strng' }, function() end)"), Contains("string"));
}

TEST_CASE("input is given to the body as a copy of plain data", "[flow][step]") {
  CHECK(result(R"(
    local given = { n = 1 }
    return step("a", { input = given }, function(attempt, input)
      return { input.n, input ~= given, attempt.number }
    end))") ==
        "[1,true,1]");
  CHECK(result("return step('a', { input = 5 }, function(_, n) return n + 1 end)") == "6");
  CHECK_THAT(result("return step('a', { input = print }, function() end)"), StartsWith("failed validation: input"));
}

TEST_CASE("a step in a step is refused, in branches too, and other durable calls as well", "[flow][step]") {
  for (const char* call : {"step('b', function() end)", "parallel { function() step('b', function() end) end }",
                           "checkpoint 'c'", "spawn('t', function() end)", "group {}"}) {
    Life life = run(std::string("return step('a', function() ") + call + " end)");
    INFO(call);
    CHECK(life.error.code == "usage");
    CHECK_THAT(life.error.message, Contains("inside a step"));
  }
}

TEST_CASE("handles of tasks and groups of the body are out of reach inside a step", "[flow][step]") {
  // What a step did to them would not be done again on replay.
  for (const char* call : {"t:await()", "t:cancel()", "g:add(function() end)", "g:close()", "g:cancel()", "g:wait()"}) {
    Life life = run(std::string("local t = spawn('t', function() sleep(1) end) local g = group {}\n"
                                "step('a', function() ") +
                    call + " end)");
    INFO(call << " -> " << result(life));
    CHECK(life.error.code == "usage");
    CHECK_THAT(life.error.message, Contains("inside a step"));
  }
}

TEST_CASE("effects, parallel, race, map and sleep work inside a step, without records of their own", "[flow][step]") {
  Lab lab(R"(
    return step("a", function()
      local p = parallel { function() return work("w1", 2) end, function() sleep(1) return "s" end }
      local v, k = race { slow = function() work("w2", 9) end, fast = function() sleep(1) return "won" end }
      local m = map({ 1, 2 }, function(x) sleep(1) return x * 10 end)
      return { p[1], p[2], v, k, m[1], m[2] }
    end))");
  Life life = lab.live();
  CHECK(result(life) == R"(["w1","s","won","fast",10,20])");
  CHECK(life.effects == std::vector<std::string>{"w1", "w2", "cancelled w2"});
  CHECK(life.elapsed_us >= 4'000'000);
  CHECK(life.elapsed_us < 5'000'000);
  CHECK(lab.recorded({journal::Kind::scope_opened, journal::Kind::branch_done, journal::Kind::timer_set}).empty());
}

TEST_CASE("an effect in the body is a step of its own, named after its function, with one attempt", "[flow][step]") {
  Lab lab(
      "local a = work('x', 1) local ok, e = pcall(work, 'fail: no', 1) return { a, e.code, e.message, e.step, "
      "e.attempt }");
  CHECK(result(lab.live()) == R"(["x","io","no","work",1])");
  CHECK(lab.ledger() == std::vector<std::string>{"x", "fail: no"});
  CHECK(lab.recorded({journal::Kind::step_done, journal::Kind::step_failed}) ==
        std::vector<std::string>{"step_done work", "step_failed work"});
}

TEST_CASE("a plain error of a body gets the code step_failed; one that has a code keeps it", "[flow][step]") {
  const char* script = R"(
    local function code_of(body)
      local ok, e = pcall(step, "s", { retry = 1 }, body)
      return e.code .. "/" .. e.step .. "/" .. e.attempt
    end
    return {
      code_of(function() error("text") end),
      code_of(function() error({ code = "busy", message = "m" }) end),
      code_of(function() fail("m", { code = "no_stock" }) end),
      code_of(function() fail("m") end),
      code_of(function() error() end),
      code_of(function() local x = nil; return x.y end),
    })";
  CHECK(result(script) ==
        R"(["step_failed/s/1","busy/s/1","no_stock/s/1","step_failed/s/1","step_failed/s/1","step_failed/s/1"])");
}

TEST_CASE("an error caught in the same task stays what it was", "[flow][step]") {
  CHECK(result("local t = { x = 1 } local ok, e = pcall(error, t) return e == t") == "true");
  CHECK(result("local ok, e = pcall(error, 'plain', 0) return e") == "\"plain\"");
}

TEST_CASE("what fail carries crosses a step", "[flow][step]") {
  CHECK(result(R"lua(
    local ok, e = pcall(step, "s", function()
      fail("out of stock", { code = "no_stock", retry = false, data = { sku = "a" } })
    end)
    return { e.message, e.code, e.retry, e.data.sku, tostring(e) })lua") ==
        R"lua(["out of stock","no_stock",false,"a","no_stock: out of stock (step 's', attempt 1)"])lua");
}

TEST_CASE("a step that assigns a captured variable is told which one", "[flow][step]") {
  Life life = run("local total = 0\nstep('a', function() effect('a') total = total + 1 end)\nreturn total");
  CHECK(life.error.code == "usage");
  CHECK_THAT(life.error.message, Contains("'total'"));
  CHECK(life.effects.size() == 1);
  life = run(R"(
    local seen = "none"
    local function note(x) seen = x end
    step("a", function() sleep(1) note("some") sleep(1) end))");
  CHECK_THAT(life.error.message, Contains("'seen'"));
  life = run("local n = 0\nstep('a', function() n = 1 pcall(sleep, 1) pcall(sleep, 1) end)");  // not to be swallowed
  CHECK_THAT(life.error.message, Contains("'n'"));
}

TEST_CASE("others may assign a variable that a step captured while the step waits", "[flow][step]") {
  CHECK(result(R"(
    local n = 0
    parallel {
      function() step("a", function() sleep(2) return n end) end,
      function() sleep(1) n = 5 end,
    }
    return n)") == "5");
}

TEST_CASE("wrong arguments of step are refused with what would be right", "[flow][step]") {
  struct Case {
    const char* call;
    const char* message;
  };
  const Case cases[] = {
      {"step('a', { retyr = 3 }, function() end)", "did you mean 'retry'"},
      {"step('a', { retry = { attemps = 3 } }, function() end)", "did you mean 'attempts'"},
      {"step('a', { cache = true }, function() end)", "cache"},
      {"step('a', { retry = 'often' }, function() end)", "retry"},
      {"step('a', { retry = 0 }, function() end)", "at least 1"},
      {"step('a', { retry = { on = 5 } }, function() end)", "on"},
      {"step('a', { retry = { on = { 5 } } }, function() end)", "on"},
      {"step('a', { timeout = '5 parsecs' }, function() end)", "timeout"},
      {"step('a', { timeout = -1 }, function() end)", "timeout"},
      {"step('a', { once = 'yes' }, function() end)", "once"},
      {"step('a', { when = 'yes' }, function() end)", "when"},
      {"step('a', 5, function() end)", "options must be a table"},
      {"step('a', {})", "body"},
      {"step('', function() end)", "empty"},
      {"step(5, function() end)", "name"},
  };
  for (const Case& c : cases) {
    Life life = run(std::string("return ") + c.call);
    INFO(c.call << " -> " << result(life));
    CHECK(life.error.code == "usage");
    CHECK_THAT(life.error.message, Contains(c.message));
  }
}

TEST_CASE("an attempt draws its own random numbers and ids: those of the body stay where they are", "[flow][step]") {
  const char* script = R"(
    local first = math.random(1000000)
    step("a", { when = %s }, function() math.random() uuid() return tostring({}) end)
    return { first, math.random(1000000), uuid(), tostring({}) })";
  std::string text = script;
  std::string with = text, without = text;
  with.replace(with.find("%s"), 2, "true");
  without.replace(without.find("%s"), 2, "false");
  CHECK(result(with) == result(without));
}

TEST_CASE("now is the time of the last record in the body, and the clock's in a step", "[flow][step]") {
  CHECK(result(R"(
    local before = now()
    local inside = step("a", function() sleep(10) return now() end)
    local after = now()
    return { inside - before >= 10, after >= inside, after == now(), os.time() == math.floor(after) })") ==
        "[true,true,true,true]");
}

TEST_CASE("a traceback goes from the place of the error out through the calls that waited for it", "[flow][step]") {
  Life life = run(R"(local function charge()
  step("charge", { retry = 1 }, function()
    error("declined")
  end)
end
parallel {
  function() charge() end,
})");
  CHECK(life.error.code == "step_failed");
  CHECK_THAT(life.error.traceback, StartsWith("flow.lua:3:"));
  CHECK_THAT(life.error.traceback, Contains("flow.lua:2:"));
  CHECK_THAT(life.error.traceback, Contains("flow.lua:7:"));
  CHECK_THAT(life.error.traceback, Contains("flow.lua:6:"));
}

TEST_CASE("a traceback crosses spawn, groups and effects as well", "[flow][step]") {
  Life life =
      run("local function inner()\n  error('x')\nend\nlocal t = spawn('t', function()\n  inner()\nend)\nt:await()");
  CHECK_THAT(life.error.traceback, StartsWith("flow.lua:2:") && Contains("flow.lua:5:") && Contains("flow.lua:7:"));
  life = run("local g = group {}\ng:add(function()\n  error('x')\nend)\ng:close()\ng:wait()");
  CHECK_THAT(life.error.traceback, StartsWith("flow.lua:3:") && Contains("flow.lua:6:"));
  life = run("local function f()\n  return work('fail: x', 1)\nend\nlocal n = f() + 1");
  CHECK_THAT(life.error.traceback, StartsWith("flow.lua:2:") || StartsWith("flow.lua:4:"));
}
