// Compensations: their order, what sets them off, rollback to a checkpoint, one that fails, and crashes between them.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using Effects = std::vector<std::string>;

namespace {

// In scripts: an ordinary step with an undo that is noted.
const std::string k_did = R"(
local function did(name)
  return step(name, { undo = function(value) effect("undo " .. name .. " " .. value) end }, function() return #name end)
end
)";

}  // namespace

TEST_CASE("a run that fails undoes what it did, newest first, and fails all the same", "[flow][saga]") {
  Life life = run(k_did + R"(
    did "one"
    compensate("two", function() effect("undo two") end)
    did "three"
    error("no")
  )");
  CHECK(life.effects == Effects{"undo three 5", "undo two", "undo one 3"});
  CHECK(life.status == store::Status::failed);
  CHECK(life.error.message == "flow.lua:9: no");
}

TEST_CASE("a run that completes, or whose saga is caught, undoes no more than the saga's part", "[flow][saga]") {
  Life life = run(k_did + R"(
    did "kept"
    local ok, e = pcall(saga, function() did "taken" error("back") end)
    return { ok, tostring(e) }
  )");
  CHECK(result(life) == R"([false,"flow.lua:7: back"])");
  CHECK(life.effects == Effects{"undo taken 5"});
}

TEST_CASE("a branch that is cancelled undoes what it did", "[flow][saga]") {
  Life life = run(k_did + R"(
    return race {
      function() did "reserved" sleep(10) end,
      function() sleep(1) return "first" end,
    }
  )");
  CHECK(result(life) == "\"first\"");
  CHECK(life.effects == Effects{"undo reserved 8"});
}

TEST_CASE("rollback runs them now, back to a checkpoint or all", "[flow][saga]") {
  Life life = run(k_did + R"(
    did "a"
    checkpoint "here"
    did "b"
    did "c"
    rollback "here"
    effect "between"
    rollback()
    rollback()
    local ok, e = pcall(rollback, "there")
    return e.code
  )");
  CHECK(result(life) == "\"not_found\"");
  CHECK(life.effects == Effects{"undo c 1", "undo b 1", "between", "undo a 1"});
}

TEST_CASE("a compensation that fails pauses the run; resumed, it is tried again and the run goes on", "[flow][saga]") {
  Lab lab(k_did + R"(
    did "first"
    compensate("refund", function()
      effect "asked the bank"
      if os.time() < 1700001000 then error("the bank is closed") end
      effect "refunded"
    end)
    error("no")
  )");
  Life life = lab.live();
  CHECK_THAT(result(life), StartsWith("paused "));
  CHECK_THAT(result(life), Catch::Contains("the bank is closed"));
  CHECK(lab.row().status == store::Status::paused);
  CHECK(std::count(lab.ledger().begin(), lab.ledger().end(), "undo first 5") == 0);
  lab.wait(3'600'000'000);
  life = lab.live();
  CHECK(life.effects == Effects{"asked the bank", "refunded", "undo first 5"});
  CHECK(life.status == store::Status::failed);
  CHECK_THAT(life.error.message, Catch::Contains("no"));
}

TEST_CASE("cut between compensations, each that is recorded ran once", "[flow][saga]") {
  const std::string script = k_did + "for _, name in ipairs { 'a', 'b', 'c' } do did(name) end error('no')";
  Lab whole(script);
  (void)whole.live();
  for (uint64_t records = 1; records < whole.journal().size(); ++records) {
    INFO("cut after record " << records);
    Lab lab(script);
    Life life = lab.live(records);
    size_t undone = lab.recorded({journal::Kind::compensation_done}).size();
    life = lab.live();
    CHECK(life.status == store::Status::failed);
    CHECK(life.effects.size() == 3 - undone);
    if (undone < 3) CHECK(life.effects.back() == "undo a 1");
  }
}
