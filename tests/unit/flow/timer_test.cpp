// sleep: its name and its arguments. How it outlives crashes is in engine_test.cpp and everything_test.cpp.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;
using engine::run;
using journal::Kind;

TEST_CASE("a sleep may have a name, which its records have", "[flow][sleep]") {
  Lab lab("sleep(1) sleep('let it settle', '2s') step('s', function() sleep('inside', 1) end) return now()");
  Life life = lab.live();
  CHECK(life.seconds() == Approx(4).margin(0.1));
  CHECK(lab.recorded({Kind::timer_set, Kind::timer_fired}) ==
        std::vector<std::string>{"timer_set sleep", "timer_fired sleep", "timer_set let it settle",
                                 "timer_fired let it settle"});
}

TEST_CASE("what is no name or no duration is refused", "[flow][sleep]") {
  CHECK(result("sleep('', 1)") == "failed usage: sleep: the name must not be empty");
  CHECK_THAT(result("sleep(1, 2)"), Catch::StartsWith("failed usage: sleep: "));
  CHECK_THAT(result("sleep('5s', {})"), Catch::StartsWith("failed usage: sleep: "));
  CHECK_THAT(result("sleep('soon')"), Catch::StartsWith("failed usage: sleep: "));
}
