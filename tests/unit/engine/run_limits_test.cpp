// limits { cpu, memory, records, duration } of a workflow: what a run of it may use, whatever process it goes on in.
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
using Names = std::vector<std::string>;

namespace {

const std::string k_too_many = R"(
  workflow { limits = { records = 6 } }
  step("a", { undo = function() effect("undo a") end }, function() effect("a") end)
  for i = 1, 100 do pcall(step, "s" .. i, function() effect("s" .. i) end) end)";

engine::Order retry() {
  engine::Order order;
  order.act = engine::Order::Act::retry;
  return order;
}

}  // namespace

TEST_CASE("a run that writes more records than its limit fails, and undoes what it did", "[engine][limits]") {
  Lab lab(k_too_many);
  Life life = lab.live();
  CHECK(result(life) == "failed limit: the run has written more records than its limits.records of 6");
  CHECK(life.effects.back() == "undo a");
  CHECK(life.effects.size() <= 8);   // a and six more at the most, and the undo
  CHECK(lab.journal().size() <= 12);
  CHECK(result("workflow { limits = { records = 6 } } for i = 1, 5 do step('s' .. i, function() end) end return 'fits'") == R"("fits")");
}

TEST_CASE("the limit of records holds over crashes, and is said once", "[engine][limits][crash]") {
  Lab whole(k_too_many);
  std::string expected = result(whole.live());
  uint64_t total = whole.journal().size();
  for (uint64_t cut = 1; cut < total; ++cut) {
    INFO("cut after record " << cut);
    Lab lab(k_too_many);
    CHECK_FALSE(lab.live(cut).ended);
    CHECK(result(lab.live()) == expected);
    CHECK(lab.recorded({journal::Kind::cancel_requested}) == Names{"cancel_requested limits.records"});
    CHECK(lab.recorded({journal::Kind::compensation_done}).size() == 1);
  }
}

TEST_CASE("a run that is retried has the whole of its limits again", "[engine][limits]") {
  Lab lab("workflow { limits = { records = 8 } } step('a', function() end) "
          "if this.attempt == 1 then for i = 1, 100 do step('s' .. i, function() end) end end return step('z', function() return 1 end)");
  CHECK(lab.live().error.code == "limit");
  REQUIRE(lab.operate(retry()).ok());
  CHECK(result(lab.live()) == "1");
}

TEST_CASE("limits.duration is running time: waits do not count; a timeout stands beside it", "[engine][limits]") {
  auto with = [](const std::string& keys, const std::string& body) { return "workflow { " + keys + " } " + body; };
  const std::string works = "step('before', { undo = function() effect('undo') end }, function() end) step('w', function() work('w', 60) end)";
  Life life = run(with("limits = { duration = '5s' }", works));
  CHECK(result(life) == "failed limit: the workflow ran longer than its limits.duration of 5s");
  CHECK(life.effects.back() == "undo");
  CHECK(life.seconds() == Approx(5).margin(0.2));
  CHECK(run(with("limits = { duration = '5s' }, timeout = '3s'", works)).error.code == "timeout");
  CHECK(run(with("limits = { duration = '3s' }, timeout = '5s'", works)).error.code == "limit");
  CHECK(result(with("limits = { duration = '5s' }", "sleep('1h') return step('w', function() work('w', 4) return 1 end)")) == "1");
  Lab lab(with("limits = { duration = '5s' }", "step('a', function() work('a', 3) end) step('b', function() work('b', 3) end)"));
  CHECK_FALSE(lab.live(3).ended);   // three seconds are in the journal
  CHECK(lab.live().error.code == "limit");
}

TEST_CASE("limits.cpu and limits.memory of a workflow are tighter than the configuration's", "[engine][limits]") {
  Life life = run("workflow { limits = { cpu = '20ms' } } step('a', function() end) while true do end");
  CHECK(life.error.code == "budget");
  life = run("workflow { limits = { memory = '4MiB' } } step('a', function() end) local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end");
  CHECK(life.error.code == "memory");
  CHECK_THAT(result("workflow { name = 'w', limits = { memory = '1GiB' } } return 1"),
             StartsWith("refused validation: workflow 'w': its limits.memory is 1GiB, and the configuration's limits.memory allows 256MiB"));
  CHECK_THAT(result("workflow { limits = { cpu = '1m' } } return 1"), Contains("its limits.cpu is 1m, and the configuration's limits.cpu allows 10s"));
}

TEST_CASE("a child has what its parent has left", "[engine][limits]") {
  const std::string script = R"(
    local child = workflow { name = "child", limits = { LIMITS }, run = function(i)
      for n = 1, i.steps do step("s" .. n, function() work("w", i.work) end) end
      return "fits" end }
    local w = workflow { name = "flow", limits = { records = 20, duration = "10s" } }
    function w.run()
      step("before", function() work("w", 4) end)
      local function try(input) local ok, answer = pcall(call, "child", input) return ok and answer or answer.code .. ": " .. answer.message end
      return { try { steps = 10, work = 0.05 }, try { steps = 30, work = 0 }, try { steps = 3, work = 3 }, try { steps = 1, work = 5 } }
    end
    return { w, child })";
  auto with = [&script](const std::string& limits) {
    std::string text = script;
    return result(text.replace(text.find("LIMITS"), 6, limits));
  };
  std::string inherited = with("");
  CHECK_THAT(inherited, Contains(R"(["fits","limit: the run has written more records than its limits.records of 1)") &&
                            Contains(R"("limit: the workflow ran longer than its limits.duration of )") && Contains(R"(,"fits"])"));
  CHECK_THAT(with("records = 5, duration = '2s'"), Contains(R"(["limit: the run has written more records than its limits.records of 5")") &&
                                                       Contains("limits.duration of 2s"));
}

TEST_CASE("a limit that is none is refused", "[engine][limits]") {
  CHECK_THAT(result("workflow { limits = { record = 5 } } return 1"), Contains("unknown key 'record' of limits: did you mean 'records'"));
  CHECK_THAT(result("workflow { limits = { records = 0 } } return 1"), Contains("limits.records must be more than nothing"));
  CHECK_THAT(result("workflow { limits = { records = 'many' } } return 1"), Contains("limits.records: a number of records is a whole number"));
  CHECK_THAT(result("workflow { limits = { memory = '12 apples' } } return 1"), Contains("limits.memory: "));
  CHECK_THAT(result("workflow { limits = { duration = {} } } return 1"), Contains("limits.duration: a duration is a number of seconds"));
  CHECK_THAT(result("workflow { limits = 5 } return 1"), Contains("limits must be a table"));
  CHECK_THAT(result("step('a', function() end) workflow { limits = { records = 1 } } return 1"), Contains("`limits` counts from the beginning on"));
}
