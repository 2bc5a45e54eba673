// A store that says no, or gives back less than was written: the run's life ends here, and nothing is made up.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Place;

namespace {

engine::StartRequest request_of(const std::string& text) {
  engine::StartRequest request;
  request.file = "flow.lua";
  request.text = text;
  request.id = "run-1";
  return request;
}

// Takes the run away, as another process does that resumes it.
void claim_elsewhere(const std::shared_ptr<store::MemoryDisk>& disk) {
  loop::SimLoop loop;
  auto other = store::make_memory_store({disk, {}, {}});
  bool claimed = false;
  other->claim("run-1", loop, [&](Result<store::RunRow> row) { claimed = row.ok(); });
  other->flush();
  loop.run();
  CHECK(claimed);
}

}  // namespace

TEST_CASE("a run that another process has taken over ends here with fenced, as it stands on disk", "[engine][store]") {
  auto disk = store::make_memory_disk();
  Place place({.disk = disk});
  std::string ended;
  place.engine().start(
      request_of("step('a', function() end) work('long', 5) step('b', function() effect('b') end) effect('after')"),
      [](Result<store::RunRow> row) { CHECK(row.ok()); },
      [&](const store::RunRow&, const flow::Ending& ending) {
        ended = std::string(store::status_name(ending.status)) + " " + (ending.error ? ending.error->code : "");
      });
  place.loop().advance_us(1'000'000);
  claim_elsewhere(disk);
  place.loop().run();
  CHECK(ended == "running fenced");
  CHECK(place.effects() == std::vector<std::string>{"long"});  // that is not on disk: nothing may follow from it
  CHECK(place.engine().live() == 0);
}
