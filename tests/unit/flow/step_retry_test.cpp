// Attempts of a step: how often, how long in between, which errors, and time-outs.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using Catch::Matchers::Contains;

namespace {

// A step that fails with `error` each time, with these retry options. Gives "attempts after seconds".
Life failing(const std::string& options, const std::string& error = "error('no')") {
  return run("return step('a', " + options + ", function(attempt) effect('a') " + error + " end)");
}

bool lasted(const Life& life, double seconds) { return life.seconds() >= seconds && life.seconds() < seconds + 0.1; }

}  // namespace

TEST_CASE("a step is tried three times by default, with growing pauses", "[flow][retry]") {
  Life life = failing("{}");
  CHECK(life.effects.size() == 3);
  CHECK(life.seconds() >= 3 * 0.8);
  CHECK(life.seconds() <= 3 * 1.2 + 0.1);
  CHECK(life.error.attempt == 3);
}

TEST_CASE("attempts, backoff, factor and max decide when it is tried again", "[flow][retry]") {
  CHECK(failing("{ retry = 5 }").effects.size() == 5);
  CHECK(failing("{ retry = 1 }").effects.size() == 1);
  CHECK(lasted(failing("{ retry = { attempts = 4, backoff = '2s', factor = 3, jitter = 0 } }"), 2 + 6 + 18));
  CHECK(lasted(failing("{ retry = { attempts = 4, backoff = 2, factor = 3, jitter = 0, max = '5s' } }"), 2 + 5 + 5));
  CHECK(lasted(failing("{ retry = { attempts = 3, backoff = 0, jitter = 0 } }"), 0));
  Life life = failing("{ retry = { attempts = 2, backoff = '10s', max = '10s', jitter = 1 } }");
  CHECK(life.seconds() <= 10.1);   // jitter does not go over max
}

TEST_CASE("the pause spreads by the jitter, and the same run spreads the same", "[flow][retry]") {
  Life one = failing("{ retry = { attempts = 6, backoff = 1, factor = 1, jitter = 0.5 } }");
  Life two = failing("{ retry = { attempts = 6, backoff = 1, factor = 1, jitter = 0.5 } }");
  CHECK(one.elapsed_us == two.elapsed_us);
  CHECK(one.seconds() != Approx(5).margin(0.001));
  CHECK(one.seconds() > 2.4);
  CHECK(one.seconds() < 7.6);
}

TEST_CASE("on and unless say which errors are worth another attempt", "[flow][retry]") {
  auto tries = [](const std::string& filter, const std::string& code) {
    Life life = failing("{ retry = { attempts = 3, jitter = 0, " + filter + " } }", "fail('m', { code = '" + code + "' })");
    INFO(filter << " " << code << " -> " << result(life));
    CHECK(life.error.code == code);
    return life.effects.size();
  };
  CHECK(tries("on = 'busy'", "busy") == 3);
  CHECK(tries("on = 'busy'", "gone") == 1);
  CHECK(tries("on = { 'busy', 'slow' }", "slow") == 3);
  CHECK(tries("on = { 'busy', 'slow' }", "gone") == 1);
  CHECK(tries("unless = 'gone'", "gone") == 1);
  CHECK(tries("unless = { 'gone' }", "busy") == 3);
  CHECK(tries("on = function(e) return e.code == 'busy' end", "busy") == 3);
  CHECK(tries("on = function(e) return e.code == 'busy' end", "gone") == 1);
  CHECK(tries("unless = function(e) return e.attempt == 2 end", "busy") == 2);
  CHECK(tries("on = 'busy', unless = function(e) return true end", "busy") == 1);
}

TEST_CASE("a filter that fails is the step's failure", "[flow][retry]") {
  Life life = failing("{ retry = { on = function(e) error('filter broke') end } }");
  CHECK(life.effects.size() == 1);
  CHECK_THAT(life.error.message, Contains("filter broke"));
  CHECK(life.error.code == "step_failed");
  REQUIRE(life.error.suppressed.size() == 1);   // what it was asked about is not lost
  CHECK_THAT(life.error.suppressed[0].message, Contains("no"));
  life = failing("{ retry = { on = function(e) sleep(1) end } }");
  CHECK(life.error.code == "usage");
}

TEST_CASE("some codes are never tried again, and neither is retry = false", "[flow][retry]") {
  for (const char* code : {"validation", "denied", "cancelled", "budget", "memory", "limit", "unknown_outcome"}) {
    Life life = failing("{ retry = 3 }", std::string("fail('m', { code = '") + code + "' })");
    INFO(code);
    CHECK(life.effects.size() == 1);
    CHECK(life.error.code == code);
    CHECK(life.status == store::Status::failed);
  }
  CHECK(failing("{ retry = 3 }", "fail('m', { retry = false })").effects.size() == 1);
}

TEST_CASE("retry_after of the error is honoured", "[flow][retry]") {
  CHECK(lasted(failing("{ retry = { attempts = 2, backoff = 1, jitter = 0 } }", "fail('m', { retry_after = '90s' })"), 90));
  CHECK(lasted(failing("{ retry = { attempts = 2, backoff = 5, jitter = 0 } }", "fail('m', { retry_after = 1 })"), 5));
}

TEST_CASE("earlier attempts are kept in suppressed, oldest first", "[flow][retry]") {
  CHECK(result(R"(
    local ok, e = pcall(step, "a", { retry = { backoff = 0 } }, function(attempt) fail("try " .. attempt.number) end)
    local list = { e.message, e.attempt }
    for _, s in ipairs(e.suppressed) do list[#list + 1] = s.message .. "/" .. s.attempt end
    return list)") == R"(["try 3",3,"try 1/1","try 2/2"])");
}

TEST_CASE("a step that works at the second attempt is done, and its failure is recorded", "[flow][retry]") {
  Lab lab("return step('a', { retry = { jitter = 0 } }, function(attempt) if attempt.number == 1 then error('x') end return 'ok' end)");
  CHECK(result(lab.live()) == "\"ok\"");
  CHECK(lab.recorded({journal::Kind::attempt_failed, journal::Kind::step_done}) ==
        std::vector<std::string>{"attempt_failed a", "step_done a"});
}

TEST_CASE("the key of an attempt is equal for all attempts, and no two steps share it", "[flow][retry]") {
  CHECK(result(R"(
    local keys = {}
    local function try(name)
      pcall(step, name, { retry = { backoff = 0 } }, function(attempt) log.info(attempt.key) error("x") end)
    end
    try("a") try("a")
    return true)") == "true");
  Life life = run("local function try() pcall(step, 'a', { retry = { backoff = 0 } }, function(t) log.info(t.key) error('x') end) end try() try()");
  REQUIRE(life.logs.size() == 6);
  CHECK(life.logs[0] == life.logs[1]);
  CHECK(life.logs[0] == life.logs[2]);
  CHECK(life.logs[3] != life.logs[0]);
  CHECK(life.logs[3] == life.logs[5]);
}

TEST_CASE("a timeout ends the attempt and cancels what is in flight", "[flow][retry]") {
  Life life = run("return step('a', { timeout = '3s', retry = { attempts = 2, backoff = 1, jitter = 0 } }, function() work('w', 60) end)");
  CHECK(life.error.code == "timeout");
  CHECK(life.error.step == "a");
  CHECK_THAT(life.error.message, Contains("3s"));
  CHECK(life.effects == std::vector<std::string>{"w", "cancelled w", "w", "cancelled w"});
  CHECK(lasted(life, 3 + 1 + 3));
}

TEST_CASE("a timeout can't be swallowed by the body", "[flow][retry]") {
  Life life = run("return step('a', { timeout = 3, retry = 1 }, function() pcall(sleep, 60) return 'late' end)");
  CHECK(life.error.code == "timeout");
  CHECK(result("return step('a', { timeout = 3, retry = 1 }, function() sleep(2) return 'in time' end)") == "\"in time\"");
}

TEST_CASE("the timeout is the attempt's, its deadline says when, and cleanup may run after it", "[flow][retry]") {
  Life life = run(R"(
    return step("a", { timeout = 3, retry = { attempts = 2, backoff = 0 } }, function(attempt)
      local done <close> = setmetatable({}, { __close = function() effect("closed " .. attempt.number) end })
      local left = attempt.deadline - now()
      if attempt.number == 1 then sleep(60) end
      return left
    end))");
  CHECK(result(life) == "3.0");
  CHECK(life.effects == std::vector<std::string>{"closed 1", "closed 2"});
}

TEST_CASE("a workflow's timeout ends a step that backs off", "[flow][retry]") {
  Life life = run("workflow { timeout = '10s' } return step('a', { retry = { backoff = '1m', jitter = 0 } }, function() error('x') end)");
  CHECK(life.status == store::Status::failed);
  CHECK(life.error.code == "timeout");
  CHECK(lasted(life, 10));
}
