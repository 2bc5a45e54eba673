// loop: its forms, options and errors. What a resume puts back is in loop_snapshot_test.cpp.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using Catch::Matchers::Contains;
using journal::Kind;

namespace {

// What the body of a loop with these options sees.
std::string seen(const std::string& options) {
  return result("local seen = json.array {} loop('l', " + options +
                ", function(x, i) seen[#seen + 1] = x seen[#seen + 1] = i end) return seen");
}

std::string refusal(const std::string& call) {
  return result("local ok, e = pcall(function() " + call + " end) return { e.code, e.message }");
}

}  // namespace

TEST_CASE("loop goes through a list, a range or a number of times", "[flow][loop]") {
  CHECK(seen("{ each = { 'a', 'b' } }") == R"(["a",1,"b",2])");
  CHECK(seen("{ each = {} }") == "[]");
  CHECK(seen("{ times = 2 }") == "[1,1,2,2]");
  CHECK(seen("{ times = 0 }") == "[]");
  CHECK(seen("{ from = 3, to = 5 }") == "[3,1,4,2,5,3]");
  CHECK(seen("{ from = 5, to = 1, by = -2 }") == "[5,1,3,2,1,3]");
  CHECK(seen("{ to = 2 }") == "[1,1,2,2]");
  CHECK(seen("{ from = 3, to = 2 }") == "[]");
  CHECK(seen("{ from = 0, to = 1, by = 0.5 }") == "[0.0,1,0.5,2,1.0,3]");
  CHECK(seen("{ from = math.maxinteger - 1, to = math.maxinteger }") == "[9223372036854775806,1,9223372036854775807,2]");
  CHECK(seen("{ from = math.mininteger, to = math.maxinteger, by = math.maxinteger }") ==
        "[-9223372036854775808,1,-1,2,9223372036854775806,3]");
}

TEST_CASE("a value that the body returns ends the loop and is its value, as plain data", "[flow][loop]") {
  CHECK(result("return loop('l', function(i) if i == 3 then return { found = i } end end)") == R"({"found":3})");
  CHECK(result("return loop('l', { times = 5 }, function(i) if i == 2 then return false end end)") == "false");
  CHECK(result("return loop('l', { times = 5 }, function() end)") == "null");
  CHECK(result("local t = {} local v = loop('l', function() return t end) return v == t") == "false");
  CHECK_THAT(result("return loop('l', function() return { f = print } end)"), Contains("validation") && Contains("loop's value"));
}

TEST_CASE("a loop that reaches its max raises max_reached", "[flow][loop]") {
  CHECK(refusal("loop('wait', { max = 3 }, function(i) effect(i) end)") ==
        R"(["max_reached","loop 'wait' has not ended within 3 iterations"])");
  Life life = run("loop('wait', { max = 3 }, function(i) effect('' .. i) end)");
  CHECK(life.effects == std::vector<std::string>{"1", "2", "3"});
  CHECK(life.error.code == "max_reached");
  CHECK(result("return loop('wait', { max = 3 }, function(i) if i == 3 then return i end end)") == "3");
  CHECK(result("loop('wait', { max = 3, times = 3 }, function() end) return 'all'") == "\"all\"");
}

TEST_CASE("every is a pause between iterations, and none before or behind them", "[flow][loop]") {
  Life life = run("loop('l', { times = 4, every = '10s' }, function() end)");
  CHECK(life.status == store::Status::completed);
  CHECK(life.seconds() == Approx(30).margin(0.1));
  CHECK(run("loop('l', { times = 1, every = '10s' }, function() end)").seconds() == Approx(0).margin(0.1));
  CHECK(run("loop('l', { every = '10s' }, function(i) if i == 2 then return i end end)").seconds() == Approx(10).margin(0.1));
  Life max = run("loop('l', { every = '10s', max = 2 }, function() end)");
  CHECK(max.seconds() == Approx(10).margin(0.1));
}

TEST_CASE("a pause of a loop outlives the process", "[flow][loop]") {
  Lab lab("loop('l', { times = 2, every = '100s' }, function(i) step('s' .. i, function() effect('s' .. i) end) end)");
  Life cut = lab.live(4);   // run_started, loop_started, s1, the timer
  CHECK_FALSE(cut.ended);
  Life life = lab.live();
  CHECK(life.status == store::Status::completed);
  CHECK(lab.ledger() == std::vector<std::string>{"s1", "s2"});
}

TEST_CASE("iterations run side by side with limit, and a value ends the loop for all", "[flow][loop]") {
  Life life = run(R"(
    local sum = 0
    loop("l", { each = { 1, 2, 3, 4, 5, 6 }, limit = 3 }, function(x, i)
      work("w" .. x, 10)
      sum = sum + x * i
    end)
    return sum)");
  CHECK(result(life) == "91");
  CHECK(life.seconds() == Approx(20).margin(0.2));
  life = run(R"(
    return loop("l", { each = { 30, 10, 20 }, limit = 3 }, function(x) work("w" .. x, x) return "after " .. x end))");
  CHECK(result(life) == "\"after 10\"");
  CHECK(life.seconds() == Approx(10).margin(0.2));
  CHECK(life.effects == std::vector<std::string>{"w30", "w10", "w20", "cancelled w30", "cancelled w20"});
  CHECK_THAT(result("loop('l', { each = { 1, 2 }, limit = 2 }, function(x) error('no ' .. x) end)"), Contains("no 1"));
  CHECK_THAT(result("loop('l', { each = { 1, 2, 3 }, limit = 2, max = 2 }, function(x) end)"), Contains("max_reached"));
}

TEST_CASE("an error in an iteration goes up, with the frames it came from", "[flow][loop]") {
  Life life = run("local function deep() error('no') end\nloop('l', { times = 3 }, function(i) if i == 2 then deep() end end)");
  CHECK_THAT(life.error.message, Contains("no"));
  CHECK_THAT(life.error.traceback, Contains("deep"));
  CHECK(result("local ok = pcall(loop, 'l', function() error('no') end) return loop('m', { times = 2 }, function(i) if i == 2 then return ok end end)") ==
        "false");
}

TEST_CASE("what is wrong with a call of loop is said", "[flow][loop]") {
  CHECK_THAT(refusal("loop('l', { evry = 1 }, print)"), Contains("usage") && Contains("did you mean 'every'"));
  CHECK_THAT(refusal("loop('l', { times = 1 })"), Contains("must be a function"));
  CHECK_THAT(refusal("loop('', print)"), Contains("empty"));
  CHECK_THAT(refusal("loop('l', { times = 1, each = {} }, print)"), Contains("one of each, times and from/to/by"));
  CHECK_THAT(refusal("loop('l', { each = { a = 1 } }, print)"), Contains("must be a list"));
  CHECK_THAT(refusal("loop('l', { each = 'abc' }, print)"), Contains("must be a list"));
  CHECK_THAT(refusal("loop('l', { from = 1, to = 2, by = 0 }, print)"), Contains("other than 0"));
  CHECK_THAT(refusal("loop('l', { to = 0/0 }, print)"), Contains("must be a number"));
  CHECK_THAT(refusal("loop('l', { times = -1 }, print)"), Contains("at least 0"));
  CHECK_THAT(refusal("loop('l', { max = 0 }, print)"), Contains("at least 1"));
  CHECK_THAT(refusal("loop('l', { times = 2, limit = 2 }, print)"), Contains("goes with each"));
  CHECK_THAT(refusal("loop('l', { each = {}, limit = 2, every = 1 }, print)"), Contains("exclude each other"));
  CHECK_THAT(refusal("step('s', { retry = 1 }, function() loop('l', { times = 1 }, function() end) end)"), Contains("inside a step"));
}

TEST_CASE("a loop that is called otherwise, or is another call, makes the run diverge", "[flow][loop]") {
  const std::string script = "loop('l', { times = 2 }, function(i) step('s' .. i, function() effect('s' .. i) end) end)";
  for (const auto& [changed, said] : std::map<std::string, std::string>{
           {"loop('m', { times = 2 }, function(i) step('s' .. i, function() effect('s' .. i) end) end)", "loop 'm'"},
           {"step('l', function() effect('l') end)", "step 'l'"}}) {
    Lab lab(script);
    lab.live(3);
    Lab other(changed);   // the same journal under changed code
    auto records = lab.journal();
    CHECK(records.back().name == "s1");
    auto store = store::make_memory_store({other.disk(), {}, {}});
    loop::SimLoop loop;
    auto bundle = engine::make_bundle(other.file, changed, {});
    store->put_bundle(bundle->hash, bundle->content, loop, [](Result<void>) {});
    store::NewRun copy;
    copy.row = lab.row();
    copy.row.bundle = bundle->hash;
    copy.records = records;
    store->create(std::move(copy), loop, [](Result<store::Created>) {});
    store->flush();
    loop.run();
    Life life = other.live();
    INFO(changed);
    CHECK(life.status == store::Status::diverged);
    CHECK_THAT(life.error.message, Contains(said));
    CHECK(life.effects.empty());
  }
}
