// A workflow with everything in it, crashed at every record; and many runs that sleep.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::Place;
using engine::result;
using engine::run;
using journal::Kind;

namespace {

const char* const k_everything = R"(
  workflow { name = "everything", input = { n = { type = "integer", default = 3 } }, output = { sum = "integer" } }
  local sum = 0
  local function add(n) sum = sum + n return n end
  add(step("plain", function() effect("plain") return 1 end))
  add(step("once", { once = true }, function() return 10 end))
  add(step("retried", { retry = { backoff = "1s" } }, function(t)
    if t.number < 3 then error("again") end
    effect("retried")
    return 100
  end))
  add(step("timed", { timeout = "1s", retry = { backoff = 0 } }, function(t)
    if t.number == 1 then sleep(9) end
    effect("timed")
    return 1000
  end))
  step("skipped", { when = function() return false end }, function() effect("skipped") end)
  step("gate", { expect = { ok = "boolean" }, input = { a = 1 } }, function(t, i)
    effect("gate")
    return { ok = i.a == 1 }
  end)
  local ok, e = pcall(step, "failed", { retry = 1 }, function() effect("failed") fail("no", { code = "mine" }) end)
  assert(e.code == "mine")
  work("in body", 1)
  sleep("1h")
  checkpoint "half"
  math.random() uuid()
  local r = parallel({
    a = function() return step("pa", function() effect("pa") sleep(2) return 1 end) end,
    b = function()
      sleep(1)
      return map({ 1, 2, 3 }, { limit = 2 }, function(x)
        return step("m" .. x, function() effect("m" .. x) return x end)
      end)
    end,
    c = function() error("tolerated") end,
  }, { tolerate = 1 })
  add(r.a) add(#r.b)
  local v, k = race {
    slow = function() step("slow", function() sleep(50) end) end,
    fast = function() sleep(1) return step("fast", function() effect("fast") return 5 end) end,
  }
  add(v)
  local function kept() sleep(30) step("kept", function() effect("kept") end) end
  parallel({ function() return 1 end, kept }, { need = 1, rest = "keep" })
  local t = spawn("t", function() return step("spawned", function() effect("spawned") return 20000 end) end)
  local g = group { limit = 1 }
  for i = 1, 2 do g:add(function() return step("g" .. i, function() effect("g" .. i) return i end) end) end
  g:close()
  add(#g:wait())
  add(t:await())
  local c = spawn("cancelled", function() work("never ends", 1000) end)
  sleep(1)
  c:cancel()
  pcall(c.await, c)
  pcall(saga, function()
    step("undone", { undo = function() effect("undo undone") end }, function() effect("undone") return 1 end)
    compensate("comp", function() effect("comp") end)
    error("back")
  end)
  return { sum = sum, name = this.workflow, n = input.n })";

const std::set<std::string> k_outcomes_of_steps = {"plain", "retried", "timed", "gate", "failed",
                                                   "pa",    "m1",      "m2",    "m3",   "fast",
                                                   "kept",  "spawned", "g1",    "g2",   "undone"};

std::set<std::string> recorded_steps(Lab& lab) {
  std::set<std::string> names;
  for (const journal::Record& record : lab.journal())
    if (record.kind == Kind::step_done || record.kind == Kind::step_failed) names.insert(record.name);
  return names;
}

}  // namespace

TEST_CASE("a workflow with everything in it, crashed at every record, gives the same output", "[engine][crash]") {
  Lab whole(k_everything);
  CHECK(result(whole.live()) == R"({"n":3,"name":"everything","sum":21122})");
  uint64_t total = whole.journal().size();
  REQUIRE(total > 60);
  for (uint64_t records = 2; records < total; ++records) {   // the first commit has two: the input held
    INFO("cut after record " << records);
    Lab lab(k_everything);
    Life life = lab.live(records);
    CHECK_FALSE(life.ended);
    std::set<std::string> recorded = recorded_steps(lab);
    bool unknown = lab.journal().back().kind == Kind::intent;
    life = lab.live();
    if (unknown) {  // cut between intent and result
      CHECK(life.error.code == "unknown_outcome");
      CHECK(life.error.step == "once");
      continue;
    }
    CHECK(result(life) == R"({"n":3,"name":"everything","sum":21122})");
    for (const std::string& effect : life.effects)
      if (k_outcomes_of_steps.count(effect) != 0) CHECK(recorded.count(effect) == 0);
  }
}

TEST_CASE("a workflow with everything in it survives a crash after each batch of records", "[engine][crash]") {
  Lab lab(k_everything);
  Life life = lab.live(5);  // over the once step in one life
  uint64_t allowed = 1;
  for (int lives = 0; lives < 500 && !life.ended; ++lives) {
    size_t before = lab.journal().size();
    life = lab.live(allowed);
    allowed = lab.journal().size() > before ? 1 : allowed + 1;  // a batch is all or nothing
  }
  CHECK(result(life) == R"({"n":3,"name":"everything","sum":21122})");
  for (const std::string& name : k_outcomes_of_steps)
    CHECK(std::count(lab.ledger().begin(), lab.ledger().end(), name) >= 1);
}

TEST_CASE("ten thousand runs that sleep an hour cost a row each, and all wake", "[engine][sleepers]") {
  constexpr size_t k_runs = 10'000;
  Place::Options options;
  auto disk = options.disk;
  Place place(options);
  size_t started = 0, completed = 0;
  for (size_t i = 0; i < k_runs; ++i) {
    engine::StartRequest request;
    request.file = "sleeper.lua";
    request.text = "sleep '1h' return input.n";
    request.input = "{\"n\":" + std::to_string(i) + "}";
    place.engine().start(
        std::move(request), [&started](Result<store::RunRow> row) { started += row.ok(); },
        [&completed](const store::RunRow& row, const flow::Ending& ending) {
          completed += ending.status == store::Status::completed && row.input == "{\"n\":" + ending.output + "}";
        });
  }
  place.loop().advance_us(60'000'000);
  CHECK(started == k_runs);
  CHECK(place.engine().live() == 0);
  CHECK(place.engine().sleeping() == k_runs);
  store::Filter waiting;
  waiting.statuses = {store::Status::waiting};
  auto rows = place.reader().list(waiting);
  REQUIRE(rows.ok());
  CHECK(rows->size() == k_runs);
  CHECK(std::all_of(rows->begin(), rows->end(),
                    [](const store::RunRow& row) { return row.wake_us > 0 && row.last_seq == 2; }));
  place.loop().run();
  CHECK(completed == k_runs);
  CHECK(place.engine().sleeping() == 0);
  CHECK(place.loop().clock().wall_us() < 1'700'000'000'000'000 + 3'700'000'000);
}

TEST_CASE("a run that sleeps only shortly stays in memory", "[engine][sleepers]") {
  Place place({});
  for (const char* text :
       {"sleep '3s' return 1", "parallel { function() sleep '1h' end, function() sleep '2s' end }"}) {
    engine::StartRequest request;
    request.file = "flow.lua";
    request.text = text;
    place.engine().start(std::move(request), [](Result<store::RunRow>) {}, {});
  }
  place.loop().advance_us(1'000'000);
  CHECK(place.engine().live() == 2);
  place.loop().advance_us(4'000'000);
  CHECK(place.engine().live() == 0);
  CHECK(place.engine().sleeping() == 1);
}
