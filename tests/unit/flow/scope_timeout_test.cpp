// Time-outs of parallel, race and map: the branches that still run are cancelled and tidy up, and it replays the same.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using journal::Kind;

namespace {

// What the error of `call` is: its code, its message and how many branches were done.
std::string caught(const std::string& call) {
  return "local ok, e = pcall(function() return " + call + " end) return { ok, e.code, e.message, e.data }";
}

}  // namespace

TEST_CASE("a scope that takes too long ends with timeout, and its branches are cancelled", "[flow][deadline]") {
  Life life = run(caught("parallel({ a = function() work('a', 1) return 1 end, b = function() work('b', 9) end }, { timeout = '2s' })"));
  CHECK(result(life) ==
        R"x([false,"timeout","parallel: not done within 2s (1 done, 0 failed of 2)",{"cancelled":1,"done":1,"failed":0,"order":["a"],"reason":"timeout","total":2}])x");
  CHECK(life.effects == std::vector<std::string>{"a", "b", "cancelled b"});
  CHECK(life.seconds() < 2.5);
  CHECK_THAT(result(caught("race('two', { function() sleep(9) end, function() sleep(8) end }, { timeout = 1 })")),
             Contains("race 'two': not done within 1s"));
  CHECK_THAT(result(caught("map({ 1, 2, 3 }, { limit = 1, timeout = 3 }, function(x) sleep(2) return x end)")),
             Contains("map: not done within 3s (1 done, 0 failed of 3)"));
  CHECK_THAT(result(caught("parallel({ function() sleep(9) end }, { timeout = 1, fail = 'collect' })")), Contains("timeout"));
}

TEST_CASE("a scope that is in time is as one without a time-out", "[flow][deadline]") {
  Lab lab("local r = parallel({ function() sleep(1) return 1 end, function() sleep(2) return 2 end }, { timeout = '1h' }) return r");
  Life life = lab.live();
  CHECK(result(life) == "[1,2]");
  CHECK(life.seconds() < 3);
  CHECK(result("return (race({ function() sleep(1) return 'x' end, function() sleep(5) end }, { timeout = 9 }))") == "\"x\"");
  CHECK(result("return (map({ 1, 2, 3 }, { limit = 2, timeout = 99 }, function(x) sleep(x) return x * 2 end))") == "[2,4,6]");
  CHECK(result("local r, info = parallel({ function() sleep(1) return 1 end, function() sleep(7) return 2 end }, "
               "{ need = 1, rest = 'keep', timeout = 5 }) sleep(9) return { r[1], info.reason }") == R"([1,"need"])");
  CHECK(result("return (parallel({}, { timeout = 1 }))") == "{}");
}

TEST_CASE("what the cancelled branches tidy up is waited for", "[flow][deadline]") {
  Life life = run("local ok, e = pcall(parallel, { function() compensate('c', function() sleep(3) effect('undone') end) sleep(60) end }, "
                  "{ timeout = 1 }) return e.code");
  CHECK(result(life) == "\"timeout\"");
  CHECK(life.effects == std::vector<std::string>{"undone"});
  CHECK(life.seconds() > 3.9);
}

TEST_CASE("time-outs of scopes hold inside a step", "[flow][deadline]") {
  Life life = run("return step('s', { retry = 1 }, function() local ok, e = pcall(parallel, { function() work('w', 9) end }, { timeout = 1 }) "
                  "return { e.code, (parallel({ function() sleep(1) return 5 end }, { timeout = 9 }))[1] } end)");
  CHECK(result(life) == R"(["timeout",5])");
  CHECK(life.seconds() < 3);
}

TEST_CASE("a scope's time-out is the same after a crash at every record", "[flow][deadline]") {
  const char* const script =
      "local seen = {} "
      "local ok, e = pcall(parallel, { function() step('quick', function() effect('quick') end) seen[#seen + 1] = 'quick' end, "
      "  function() compensate('c', function() effect('undone') end) sleep(60) seen[#seen + 1] = 'slow' end }, { timeout = 5 }) "
      "local r = parallel({ function() sleep(1) return 'in time' end }, { timeout = 5 }) "
      "return { e.code, r[1], seen }";
  Lab whole(script);
  CHECK(result(whole.live()) == R"(["timeout","in time",["quick"]])");
  uint64_t records = whole.journal().size();
  for (uint64_t cut = 1; cut < records; ++cut) {
    INFO("cut after " << cut);
    Lab lab(script);
    lab.live(cut);
    CHECK(result(lab.live()) == R"(["timeout","in time",["quick"]])");
    CHECK(std::count(lab.ledger().begin(), lab.ledger().end(), "quick") <= 2);
  }
}

TEST_CASE("a time-out must be longer than nothing", "[flow][deadline]") {
  CHECK_THAT(result("race({ function() end }, { timeout = 0 })"), Contains("option 'timeout' must be longer than nothing"));
  CHECK_THAT(result("race({ function() end }, { limit = 1 })"), Contains("unknown option 'limit' of race"));
}
