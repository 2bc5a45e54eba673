// Limits of a run: CPU, memory, the Lua stack, payloads. Each ends the run as failed with its own code, and nobody
// else. SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;

namespace {

Life limited(const std::string& script, int64_t cpu_us, size_t memory_bytes) {
  Lab lab("step('before', function() end)\n" + script);
  lab.settings.cpu_us = cpu_us;
  lab.settings.memory_bytes = memory_bytes;
  Life life = lab.live();
  CHECK(lab.row().status == life.status);
  return life;
}

}  // namespace

TEST_CASE("a script that loops without end fails with budget, whatever it catches", "[engine][limits]") {
  for (const char* code :
       {"while true do end", "while true do pcall(function() while true do end end) end",
        "parallel { function() while true do end end, function() work('w', 60) end }",
        "step('s', { retry = 3 }, function() effect('s') while true do end end)",
        "coroutine.wrap(function() while true do end end)()",
        "local x <close> = setmetatable({}, { __close = function() effect('close') end }) while true do end"}) {
    Life life = limited(code, 30'000, 64u << 20);
    INFO(code);
    CHECK(life.status == store::Status::failed);
    CHECK(life.error.code == "budget");
    CHECK_THAT(life.error.message, Contains("flow.lua:2"));
    CHECK(life.effects.size() <= 1);
  }
}

TEST_CASE("a script that takes memory without end fails with memory", "[engine][limits]") {
  for (const char* code :
       {"local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
        "while true do local ok = pcall(function() local s = 'x' while true do s = s .. s end end) end",
        "step('s', function() effect('s') local t = {} for i = 1, 1e9 do t[i] = { i } end end)"}) {
    Life life = limited(code, 10'000'000, 8u << 20);
    INFO(code);
    CHECK(life.status == store::Status::failed);
    CHECK(life.error.code == "memory");
    CHECK(life.effects.size() <= 1);
  }
}

TEST_CASE("endless recursion fails with limit, and is tried once", "[engine][limits]") {
  Life life = limited("local function f() return 1 + f() end f()", 10'000'000, 256u << 20);
  CHECK(life.error.code == "limit");
  CHECK_THAT(life.error.message, Contains("stack overflow"));
  life = limited("step('s', function() effect('s') local function f() return 1 + f() end f() end)", 10'000'000,
                 256u << 20);
  CHECK(life.error.code == "limit");
  CHECK(life.error.step == "s");
  CHECK(life.effects.size() == 1);
  life = limited("local function f() return parallel { f } end f()", 10'000'000, 8u << 20);
  CHECK((life.error.code == "limit" || life.error.code == "memory" || life.error.code == "budget"));
}

TEST_CASE("a payload over the limit is refused with limit", "[engine][limits]") {
  Lab lab("return step('s', function() effect('s') return ('x'):rep(2000) end)");
  lab.settings.payload_bytes = 1000;
  Life life = lab.live();
  CHECK(life.error.code == "limit");
  CHECK(life.effects.size() == 1);
}

TEST_CASE("a limit that is met on replay ends the run as well", "[engine][limits]") {
  Lab lab(
      "local n = 0 step('a', function() end) for i = 1, 3000000 do n = n + 1 end step('b', function() effect('b') end) "
      "step('c', function() end) return n");
  CHECK_FALSE(lab.live(3).ended);
  lab.settings.cpu_us = 1000;
  Life life = lab.live();
  CHECK(life.ended);
  CHECK(life.status == store::Status::failed);
  CHECK(life.error.code == "budget");
  CHECK(life.effects.empty());
  CHECK(lab.row().status == store::Status::failed);
  CHECK(lab.journal().back().kind == journal::Kind::run_done);
}

TEST_CASE("one run that is killed takes nobody else down", "[engine][limits]") {
  engine::Place::Options options;
  options.settings.cpu_us = 30'000;
  engine::Place place(options);
  std::vector<std::string> endings(2);
  const char* scripts[] = {"sleep(1) while true do end", "sleep(2) return step('a', function() return 'well' end)"};
  for (size_t i = 0; i < 2; ++i) {
    engine::StartRequest request;
    request.file = "flow.lua";
    request.text = scripts[i];
    place.engine().start(
        request, [](Result<store::RunRow>) {},
        [&endings, i](const store::RunRow&, const flow::Ending& ending) {
          endings[i] = ending.error ? ending.error->code : ending.output;
        });
  }
  place.loop().run();
  CHECK(endings == std::vector<std::string>{"budget", "\"well\""});
}

TEST_CASE("a file that loops or recurses while it is loaded is refused", "[engine][limits]") {
  Lab lab("while true do end");
  lab.settings.cpu_us = 30'000;
  CHECK_THAT(result(lab.live()), StartsWith("refused budget"));
  CHECK_THAT(result("local function f() return 1 + f() end f()"), StartsWith("refused limit"));
  CHECK(lab.journal().empty());
}
