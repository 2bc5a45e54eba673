// What a run's journal says that it waits for, in life and after crashes.
// SPDX-License-Identifier: MIT
#include "runtime/journal/waits.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Place;
using engine::result;
using journal::Kind;

namespace {

using Names = std::vector<std::string>;

// "signal go" and so on, as they began.
Names waits_of(Lab& lab) {
  journal::Waits waits;
  for (const journal::Record& record : lab.living()) waits.apply(record);
  Names names;
  for (const journal::Wait* wait : waits.open())
    names.push_back(std::string(journal::wait_name(wait->what)) + " " + wait->name);
  return names;
}

// As `perilune signal` does: no process executes the run.
void signal(Lab& lab, const std::string& name, const std::string& value = "1") {
  Place place({lab.disk()});
  bool stored = false;
  place.engine().signal(lab.id, name, value, "", [&](Result<void> done) { stored = done.ok(); });
  place.loop().run();
  REQUIRE(stored);
}

// A life that begins ten seconds after the first one and is left after ten more.
void ten_seconds(Lab& lab) {
  Place place({lab.disk(), engine::k_all_records, 1'700'000'010'000'000});
  place.engine().resume(lab.id, [](Result<store::RunRow>) {}, {});
  place.loop().advance_us(10'000'000);
}

}  // namespace

TEST_CASE("a receive without a time-out says what it waits for, once", "[flow][waits]") {
  Lab lab("local a = receive('first') local b = receive('second') return { a, b }");
  CHECK(result(lab.live()) == "cut");
  CHECK(waits_of(lab) == Names{"signal first"});
  CHECK(lab.row().status == store::Status::waiting);
  CHECK(result(lab.live()) == "cut");
  CHECK(lab.recorded({Kind::wait_started}) == Names{"wait_started first"});
  signal(lab, "first");
  CHECK(waits_of(lab).empty());   // nobody executes it: it waits for nothing but to be resumed
  CHECK(result(lab.live()) == "cut");
  CHECK(waits_of(lab) == Names{"signal second"});
  signal(lab, "second", "2");
  CHECK(result(lab.live()) == "[1,2]");
  CHECK(waits_of(lab).empty());
}

TEST_CASE("a receive that has its signal already notes nothing", "[flow][waits]") {
  Lab lab("send(this.id, 'x', 1) sleep(1) local x = receive('x') return x");
  CHECK(result(lab.live()) == "1");
  CHECK(lab.recorded({Kind::wait_started}).empty());
}

TEST_CASE("what is waited for is the same after a crash at every record", "[flow][waits]") {
  const char* const script =
      "step('one', function() end)\n"
      "return parallel { function() return receive('a') end, function() sleep(1) return receive('b', { timeout = '1h' }) end,\n"
      "  function() lock('l', function() receive('c') end) end, function() sleep(2) lock('l', function() end) end,\n"
      "  function() sleep('nap', '2h') end }";
  const Names expected{"lock l", "signal a", "signal b", "signal c", "timer nap"};
  Lab whole(script);
  REQUIRE(whole.live(1).ended == false);
  ten_seconds(whole);
  const uint64_t last = whole.journal().size();
  REQUIRE(last > 10);
  for (uint64_t records = 1; records <= last; ++records) {
    INFO("cut after " << records << " records");
    Lab lab(script);
    lab.live(records);
    ten_seconds(lab);
    Names names = waits_of(lab);
    std::sort(names.begin(), names.end());
    CHECK(names == expected);
    Names noted = lab.recorded({Kind::wait_started});
    std::sort(noted.begin(), noted.end());
    CHECK(std::adjacent_find(noted.begin(), noted.end()) == noted.end());
  }
}

TEST_CASE("a run waits for the runs that it began", "[flow][waits]") {
  Lab lab("local parent = workflow { name = 'parent' } function parent.run() return call('worker', {}) end\n"
          "local worker = workflow { name = 'worker' } function worker.run() return receive('go') end\n"
          "return { parent, worker }");
  lab.workflow = "parent";
  CHECK(result(lab.live()) == "cut");
  CHECK(waits_of(lab) == Names{"run worker"});
}
