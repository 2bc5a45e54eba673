// Cancellation, cleanup, and the places where a script may and may not await.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;

TEST_CASE("a cancelled branch that catches its cancellation goes on, but each further await raises it",
          "[flow][cancel]") {
  Life life = run(R"(
    race {
      function() sleep(1) end,
      function()
        for i = 1, 3 do
          local ok, e = pcall(sleep, 60)
          effect(tostring(ok) .. " " .. e.code)
        end
        step("never", function() effect("never") end)
        effect("not reached")
      end,
    }
    return "over")");
  CHECK(result(life) == "\"over\"");
  CHECK(life.effects == std::vector<std::string>{"false cancelled", "false cancelled", "false cancelled"});
  CHECK(life.seconds() < 1.5);
}

TEST_CASE("a branch that swallows its cancellation for ever is ended by force", "[flow][cancel]") {
  for (const char* call :
       {"sleep, 60", "step, 'a', function() end", "work, 'w', 1", "parallel, { function() sleep(60) end }"}) {
    Life life = run(std::string(R"(
      local count = 0
      race {
        function() sleep(1) end,
        function()
          local closed <close> = setmetatable({}, { __close = function() effect("closed") pcall(sleep, 1) end })
          while true do pcall()") +
                    call + R"() count = count + 1 end
        end,
      }
      return count < 100000)");
    INFO(call);
    CHECK(result(life) == "true");
    CHECK(std::count(life.effects.begin(), life.effects.end(), "closed") == 1);
  }
}

TEST_CASE("so is one that does it in its own coroutines or in a step", "[flow][cancel]") {
  CHECK(result(R"(
    race {
      function() sleep(1) end,
      function() coroutine.wrap(function() while true do pcall(sleep, 60) end end)() end,
    }
    return "over")") == "\"over\"");
  Life life = run("return step('a', { timeout = 1, retry = 1 }, function() while true do pcall(sleep, 60) end end)");
  CHECK(life.error.code == "timeout");
  CHECK(result("local t = spawn('t', function() while true do pcall(sleep, 60) end end) sleep(1) t:cancel() return "
               "pcall(t.await, t)") == "false");
}

TEST_CASE("a run that is cancelled can't go on by catching it", "[flow][cancel]") {
  engine::Place place({});
  engine::StartRequest request;
  request.file = "flow.lua";
  request.text = "while true do pcall(sleep, 60) end";
  request.id = "run-1";
  flow::Ending end;
  bool ended = false;
  place.engine().start(
      request, [](Result<store::RunRow>) {},
      [&](const store::RunRow&, const flow::Ending& ending) {
        ended = true;
        end = ending;
      });
  place.loop().advance_us(1'000'000);
  CHECK(place.engine().cancel("run-1", "test"));
  CHECK_FALSE(place.engine().cancel("run-2", "test"));
  place.loop().run();
  REQUIRE(ended);
  CHECK(end.status == store::Status::cancelled);
  CHECK(end.error->code == "cancelled");
  CHECK_THAT(end.error->message, Contains("test"));
}

TEST_CASE("to-be-closed variables of a cancelled branch are closed, newest first", "[flow][cancel]") {
  Life life = run(R"(
    local function closing(name) return setmetatable({}, { __close = function() effect(name) end }) end
    race {
      function() sleep(1) end,
      function() local a <close> = closing("a") local b <close> = closing("b") work("w", 60) end,
    })");
  CHECK(life.effects == std::vector<std::string>{"w", "cancelled w", "b", "a"});
}

TEST_CASE("cleanup in a shield may await after the cancellation, and is waited for", "[flow][cancel]") {
  Life life = run(R"(
    race {
      function() sleep(1) end,
      function()
        pcall(sleep, 60)
        shield(function() step("clean", function() sleep(5) effect("clean") end) end)
      end,
    }
    effect("over"))");
  CHECK(life.status == store::Status::completed);
  CHECK(life.effects == std::vector<std::string>{"clean", "over"});
}

TEST_CASE("a branch whose own tasks were still running when it was cancelled counts as cancelled", "[flow][cancel]") {
  CHECK(result(R"(
    local r, info = parallel({
      function() sleep(1) end,
      function() spawn("t", function() work("w", 60) end) return "done early" end,
    }, { need = 1 })
    return { r[2] == nil, info.cancelled })") == "[true,1]");
}

TEST_CASE("an outcome that got there before the cancellation is recorded once", "[flow][cancel]") {
  Lab lab(R"(
    local t = spawn("t", function() return step("a", function() effect("a") return 1 end) end)
    step("b", function() end)
    t:cancel()
    return (select(2, pcall(t.await, t))).code)");
  std::string whole = result(lab.live());
  CHECK(lab.recorded({journal::Kind::step_done, journal::Kind::op_cancelled}).size() == 2);
  CHECK(lab.ledger() == std::vector<std::string>{"a"});
  CHECK((whole == "\"cancelled\"" || whole == "null"));
}

TEST_CASE("await works inside pcall, xpcall, generators, metamethods and the script's own coroutines",
          "[flow][await]") {
  CHECK(result(R"(
    local out = {}
    out[1] = select(2, pcall(step, "a", function() return 1 end))
    out[2] = select(2, xpcall(function() return step("b", function() return 2 end) end, print))
    local function numbers()
      return coroutine.wrap(function()
        for i = 3, 4 do coroutine.yield(step("g" .. i, function() return i end)) end
      end)
    end
    for n in numbers() do out[#out + 1] = n end
    local lazy = setmetatable({}, { __index = function(_, key) return step(key, function() return key end) end,
                                    __call = function(_, x) sleep(1) return x end,
                                    __add = function(a, b) sleep(1) return 7 end })
    out[5] = lazy.five
    out[6] = lazy(6)
    out[7] = lazy + 1
    local co = coroutine.create(function(x) sleep(1) local y = coroutine.yield(x + 1) sleep(1) return y * 2 end)
    out[8] = select(2, coroutine.resume(co, 7))
    out[9] = select(2, coroutine.resume(co, 5)) - 1
    local n = 9
    local function next_number() n = n + 1 sleep(1) if n == 10 then return n, n end end
    for k, v in next_number do out[10] = v end
    return out)") == R"([1,2,3,4,"five",6,7,8,9,10])");
}

TEST_CASE("await where Lua can't suspend says so and names the remedy", "[flow][await]") {
  for (const char* code :
       {"table.sort({ 2, 1, 3 }, function(a, b) sleep(1) return a < b end)",
        "string.gsub('abc', '%w', function(c) return step(c, function() return c end) end)",
        "string.format('%s', setmetatable({}, { __tostring = function() return step('t', function() return 'x' end) "
        "end }))",
        "coroutine.wrap(function() table.sort({ 2, 1 }, function(a, b) work('w', 1) return a < b end) end)()",
        "table.sort({ 2, 1 }, function(a, b) coroutine.wrap(function() sleep(1) end)() return a < b end)"}) {
    Life life = run(code);
    INFO(code << " -> " << result(life));
    CHECK(life.error.code == "not_yieldable");
    CHECK_THAT(life.error.message, Contains("table.sort"));
    CHECK(life.effects.empty());
  }
}

TEST_CASE("a script's yield outside of its own coroutines is a clear error", "[flow][await]") {
  CHECK_THAT(result("coroutine.yield(1)"), Contains("yield from outside a coroutine"));
  CHECK_THAT(result("parallel { function() coroutine.yield(1) end }"), Contains("yield from outside a coroutine"));
  CHECK_THAT(result("step('a', { retry = 1 }, function() coroutine.yield(1) end)"),
             Contains("yield from outside a coroutine"));
  CHECK_THAT(result("coroutine.wrap(function() parallel { function() coroutine.yield(1) end } end)()"),
             Contains("yield from outside a coroutine"));
}

TEST_CASE("loops over calls that end at once are bounded by the CPU budget", "[flow][await]") {
  for (const char* code :
       {"while true do parallel {} end", "local t = spawn('t', function() end) t:await() while true do t:await() end",
        "local g = group {} g:close() while true do g:wait() end", "while true do now() end"}) {
    Lab lab(code);
    lab.settings.cpu_us = 50'000;
    Life life = lab.live();
    INFO(code);
    CHECK(life.error.code == "budget");
  }
}

TEST_CASE("many durable calls have the CPU budget each, on replay too", "[flow][await]") {
  Lab lab(
      "local n = 0 for i = 1, 40 do for j = 1, 100000 do n = n + j end step('s', function() end) end sleep('1h') "
      "return n");
  lab.settings.cpu_us = 30'000;
  Life life = lab.live(30);
  CHECK_FALSE(life.ended);
  CHECK_THAT(result(lab.live()), StartsWith("2000"));
}

TEST_CASE("waits for a task and for a group end when the one that waits is cancelled; the task goes on", "[flow]") {
  Life life = run(R"(
    local t = spawn("t", function() work("t", 5) return 1 end)
    local g = group {}
    g:add(function() work("m", 6) return 2 end)
    local first = race {
      function()
        pcall(t.await, t)
        local _, again = pcall(t.await, t)
        effect("task " .. again.code)
      end,
      function()
        pcall(g.wait, g)
        local _, again = pcall(g.wait, g)
        effect("group " .. again.code)
      end,
      function() sleep(1) return "clock" end,
    }
    g:close()
    return { first, t:await(), g:wait()[1] })");
  CHECK(result(life) == R"(["clock",1,2])");
  CHECK(life.effects == std::vector<std::string>{"t", "m", "task cancelled", "group cancelled"});
  CHECK(life.elapsed_us >= 6'000'000);
}
