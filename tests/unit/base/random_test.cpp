// The seeded generator. Its output is replayed from journals: these numbers must never change.
// SPDX-License-Identifier: MIT
#include "runtime/base/random.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <set>

using namespace perilune;

TEST_CASE("The generator gives the published numbers of xoshiro256** and splitmix64", "[base]") {
  Random random;
  random.set_state({1, 2, 3, 4});
  CHECK(random.next() == 11520);
  CHECK(random.next() == 0);
  CHECK(random.next() == 1509978240);
  CHECK(random.next() == 1215971899390074240);
  CHECK(Random(0).state()[0] == 0xe220a8397b1dcdaf);
  CHECK(Random(0).state()[1] == 0x6e789e6aa1b965f4);
}

TEST_CASE("A state that is put back goes on with the same numbers", "[base]") {
  Random random(7);
  random.next();
  const auto saved = random.state();
  const uint64_t next = random.next();
  Random other(99);
  other.set_state(saved);
  CHECK(other.next() == next);
}

TEST_CASE("A state of zeros, which would never move, counts as seed 0", "[base]") {
  Random random(5);
  random.set_state({0, 0, 0, 0});
  CHECK(random.next() == Random(0).next());
}

TEST_CASE("Numbers below n and in [0, 1) stay there", "[base]") {
  REQUIRE(rc::check([](uint64_t seed, uint64_t bound) {
    Random random(seed);
    RC_PRE(bound > 0u);
    RC_ASSERT(random.below(bound) < bound);
    const double uniform = random.uniform();
    RC_ASSERT(uniform >= 0.0);
    RC_ASSERT(uniform < 1.0);
  }));
}

TEST_CASE("All numbers below a small n come up", "[base]") {
  Random random(1);
  std::set<uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.below(6));
  CHECK(seen == std::set<uint64_t>{0, 1, 2, 3, 4, 5});
  CHECK(random.below(1) == 0);
}
