// The event bus over real runs: what observers get is the journal, over the death of processes.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "runtime/hooks/event_bus.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Place;

namespace {

constexpr const char* k_script = R"(
  step("a", function() return 1 end)
  parallel { x = function() step("x", function() return 1 end) end, y = function() sleep "1s" step("y", function() return 2 end) end }
  receive("go")
  sleep "2d"
  return step("b", function() return 3 end))";

struct Observed {
  std::vector<int64_t> positions;
  std::vector<std::string> told;   // "run seq kind"
  std::vector<hooks::BranchTotals> totals;

  void watch(Place& place, std::optional<int64_t> after, bool gather = false) {
    hooks::Observation wish;
    wish.home = &place.loop();
    wish.after = after;
    wish.gather = gather;
    wish.take = [this](const std::vector<hooks::Notice>& events) {
      for (const hooks::Notice& event : events) {
        positions.push_back(event.record->position);
        told.push_back(event.record->run + " " + std::to_string(event.record->record.seq) + " " +
                       std::string(journal::kind_name(event.record->record.kind)));
        if (event.branches != nullptr) totals = *event.branches;
      }
      return hooks::Taken::more;
    };
    REQUIRE(place.engine().events().observe(std::move(wish)).ok());
  }
};

engine::StartRequest request_of(const std::string& id) {
  engine::StartRequest request;
  request.file = "flow.lua";
  request.text = k_script;
  request.id = id;
  return request;
}

Observed all_of(Place& place) {
  Observed all;
  auto page = place.reader().records_after({});
  REQUIRE(page.ok());
  for (const store::RunRecord& one : page->records) {
    all.positions.push_back(one.position);
    all.told.push_back(one.run + " " + std::to_string(one.record.seq) + " " + std::string(journal::kind_name(one.record.kind)));
  }
  return all;
}

}  // namespace

TEST_CASE("an observer of the engine gets every record of every run once, those that no run asked for too", "[engine][bus]") {
  Place::Options options;
  Place place(options);
  Observed observed;
  observed.watch(place, std::nullopt);
  for (const char* id : {"r1", "r2"}) place.engine().start(request_of(id), [](Result<store::RunRow>) {}, {});
  place.loop().advance_us(3'000'000);
  for (const char* id : {"r2", "r1"})
    place.engine().signal(id, "go", "1", "", [](Result<void> result) { CHECK(result.ok()); });
  place.loop().run();
  CHECK(place.reader().run("r1").value()->status == store::Status::completed);
  CHECK(observed.told == all_of(place).told);
  CHECK(observed.positions == all_of(place).positions);
}

TEST_CASE("an observer that goes on with its cursor after the process died misses nothing, wherever it died", "[engine][bus]") {
  for (uint64_t records = 1;; ++records) {
    Place::Options options;
    options.records = records;
    Observed observed;
    {
      Place place(options);
      observed.watch(place, 0);
      place.engine().start(request_of("r1"), [](Result<store::RunRow>) {}, {});
      place.loop().run();
      options.wall_us = place.loop().clock().wall_us();
    }
    options.records = engine::k_all_records;
    Place place(options);
    observed.watch(place, observed.positions.empty() ? 0 : observed.positions.back());
    if (place.reader().run("r1").value()) place.engine().resume("r1", [](Result<store::RunRow>) {}, {});
    else place.engine().start(request_of("r1"), [](Result<store::RunRow>) {}, {});
    place.loop().advance_us(3'000'000);
    place.engine().signal("r1", "go", "1", "", [](Result<void>) {});
    place.loop().run();
    REQUIRE(place.reader().run("r1").value()->status == store::Status::completed);
    CHECK(observed.told == all_of(place).told);
    if (records > observed.told.size()) break;
  }
}

TEST_CASE("the branches of a real scope are told at its join", "[engine][bus]") {
  Place::Options options;
  Place place(options);
  Observed observed;
  observed.watch(place, 0, true);
  place.engine().start(request_of("r1"), [](Result<store::RunRow>) {}, {});
  place.loop().advance_us(3'000'000);
  REQUIRE(observed.totals.size() == 2);
  CHECK(observed.totals[0].name == "\"x\"");
  CHECK(observed.totals[0].steps_done == 1);
  CHECK(observed.totals[1].steps_done == 1);
  CHECK(observed.totals[1].ended_us - observed.totals[1].began_us >= 1'000'000);
  for (const std::string& one : observed.told) CHECK(one.find("branch_done") == std::string::npos);
}
