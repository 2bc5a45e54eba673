// Clocks and the text of a time.
// SPDX-License-Identifier: MIT
#include "runtime/base/clock.hpp"

#include <catch2/catch.hpp>
#include <cstdint>

using namespace perilune;

TEST_CASE("A time is written as RFC 3339 with milliseconds, cut and not rounded", "[base]") {
  CHECK(rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(1'700'000'000'123'999) == "2023-11-14T22:13:20.123Z");
  CHECK(rfc3339(951'827'696'000'000) == "2000-02-29T12:34:56.000Z");
}

TEST_CASE("Times before 1970 and beyond four digits of a year are still texts of that form", "[base]") {
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(rfc3339(INT64_MAX) == "9999-12-31T23:59:59.999Z");
  CHECK(rfc3339(INT64_MIN) == "0000-01-01T00:00:00.000Z");
}

TEST_CASE("The virtual clock moves only when told, both times together", "[base]") {
  VirtualClock clock(1'650'000'000'000'000);
  const int64_t mono_us = clock.mono_us();
  CHECK(clock.wall_us() == 1'650'000'000'000'000);
  clock.advance_us(1'500);
  CHECK(clock.wall_us() == 1'650'000'000'001'500);
  CHECK(clock.mono_us() == mono_us + 1'500);
}

TEST_CASE("The real monotonic clock does not go back", "[base]") {
  RealClock clock;
  const int64_t first_us = clock.mono_us();
  CHECK(clock.mono_us() >= first_us);
  CHECK(clock.wall_us() > 1'600'000'000'000'000);
}
