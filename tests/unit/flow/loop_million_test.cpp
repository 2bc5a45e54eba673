// A loop of a million iterations, killed at random moments: each resume redoes what is worth ten snapshots, no more, and
// the journal stays small. SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <chrono>

#include "runtime/base/random.hpp"
#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;

namespace {

constexpr const char* k_script = R"(
  local total, box = 0, { n = 0 }
  local function bump(i) box.n = box.n + 1 box.last = i end
  local function read() return box.n end
  loop("million", { times = 1000000, keep = 100 }, function(i)
    total = total + i
    bump(i)
    if i % 1000 == 0 then total = total + step("s", function() return read() == i and 1 or 1000000000 end) end
  end)
  return { total = total, n = read(), last = box.last })";

}  // namespace

TEST_CASE("a loop of a million iterations is right after ten kills, and its journal stays small", "[flow][loop]") {
  Lab lab(k_script);
  Random random(2026);
  Life life;
  size_t most = 0;
  for (int kill = 0; kill < 10; ++kill) {
    life = lab.live(20 + random.below(120));
    REQUIRE_FALSE(life.ended);
    most = std::max(most, lab.journal().size());
  }
  life = lab.live();
  CHECK(result(life) == R"({"last":1000000,"n":1000000,"total":500000501000})");
  CHECK(most < 400);
  CHECK(lab.journal().size() < 200);

  // The finished loop is passed by: a million iterations would take a tenth of a second and more.
  auto records = lab.journal();
  CHECK(records.size() > 3);
}

TEST_CASE("a loop that has come far is taken up without its beginning", "[flow][loop]") {
  Lab lab(k_script);
  REQUIRE_FALSE(lab.live(950).ended);
  auto began = std::chrono::steady_clock::now();
  REQUIRE_FALSE(lab.live(2).ended);   // to the commit of the next new step
  auto took = std::chrono::steady_clock::now() - began;
  CHECK(std::chrono::duration_cast<std::chrono::milliseconds>(took).count() < 500);   // some 5 ms, on a machine that is idle
  WARN("resume near the end of a million iterations: "
       << std::chrono::duration_cast<std::chrono::microseconds>(took).count() << " us");
}
