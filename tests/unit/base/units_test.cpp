// Durations and sizes.
// SPDX-License-Identifier: MIT
#include "runtime/base/units.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

using namespace perilune;

namespace {

int64_t us(std::string_view text) {
  const auto parsed = parse_duration_us(text);
  INFO(text);
  REQUIRE(parsed.ok());
  return *parsed;
}

}  // namespace

TEST_CASE("Durations are read in the units people use", "[base]") {
  CHECK(us("5") == 5'000'000);
  CHECK(us("0") == 0);
  CHECK(us("0.25") == 250'000);
  CHECK(us("250ms") == 250'000);
  CHECK(us("7us") == 7);
  CHECK(us("1h30m") == 5'400'000'000);
  CHECK(us("1.5h") == 5'400'000'000);
  CHECK(us("2d") == 172'800'000'000);
  CHECK(us("1w2d3h4m5s6ms7us") == 788'645'006'007);
  CHECK(us("0.1s") == 100'000);
  CHECK(us("0.3333333333333333333333333333s") == 333'333);
}

TEST_CASE("A duration that is wrong is refused with the text and the right forms", "[base]") {
  for (const char* text : {"", " ", "5 s", "s", "-5s", "5x", "5S", "1m1h", "1h1h", "1h30", "30 1h", "1.s", ".5s", "1e3",
                           "nan", "inf", "0x10", "5s ", "1,5s"}) {
    INFO(text);
    const auto parsed = parse_duration_us(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == code::k_usage);
    CHECK(parsed.error().message.find("'" + std::string(text) + "'") == 0);
    CHECK(parsed.error().message.find("'1h30m'") != std::string::npos);
  }
}

TEST_CASE("A duration too long for two of them to be added is refused", "[base]") {
  CHECK(us("50000000d") == k_duration_max_us);
  CHECK_FALSE(parse_duration_us("50000001d").ok());
  CHECK_FALSE(parse_duration_us(std::string(1000, '9') + "w").ok());
  CHECK(k_duration_max_us < INT64_MAX / 2);
}

TEST_CASE("A number of seconds is a duration if it is finite and not negative", "[base]") {
  CHECK(*duration_us_from_seconds(1.5) == 1'500'000);
  CHECK(*duration_us_from_seconds(0.0000014) == 1);
  CHECK(*duration_us_from_seconds(0) == 0);
  for (double seconds : {-1.0, -1e-9, 1e300, std::numeric_limits<double>::infinity(), std::nan("")}) {
    INFO(seconds);
    CHECK_FALSE(duration_us_from_seconds(seconds).ok());
  }
}

TEST_CASE("Durations are written the way people write them", "[base]") {
  CHECK(format_duration(0) == "0s");
  CHECK(format_duration(7) == "7us");
  CHECK(format_duration(250'000) == "250ms");
  CHECK(format_duration(1'500) == "1.5ms");
  CHECK(format_duration(1'500'000) == "1.5s");
  CHECK(format_duration(5'000'000) == "5s");
  CHECK(format_duration(5'400'000'000) == "1h30m");
  CHECK(format_duration(90'250'000) == "1m30.25s");
  CHECK(format_duration(1'209'600'000'000) == "14d");
  CHECK(format_duration(-1'500'000) == "-1.5s");
  CHECK(format_duration(INT64_MIN).starts_with("-"));
}

TEST_CASE("A duration that is written reads back as the same", "[base]") {
  REQUIRE(rc::check([] {
    const int shift = *rc::gen::inRange(0, 62);
    const int64_t duration_us = *rc::gen::inRange<int64_t>(0, k_duration_max_us) >> shift;
    const auto parsed = parse_duration_us(format_duration(duration_us));
    RC_ASSERT(parsed.ok());
    RC_ASSERT(*parsed == duration_us);
  }));
}

TEST_CASE("Any text is a duration and a size, or refused; nothing else", "[base]") {
  REQUIRE(rc::check([](const std::string& text) {
    const auto duration = parse_duration_us(text);
    if (duration) RC_ASSERT(*duration >= 0 && *duration <= k_duration_max_us);
    const auto size = parse_size_bytes(text);
    if (size) RC_ASSERT(*size >= 0);
  }));
}

TEST_CASE("Sizes are read in bytes, powers of 1000 and of 1024", "[base]") {
  CHECK(*parse_size_bytes("65536") == 65536);
  CHECK(*parse_size_bytes("64KiB") == 65536);
  CHECK(*parse_size_bytes("1MB") == 1'000'000);
  CHECK(*parse_size_bytes("1.5GiB") == 1'610'612'736);
  CHECK(*parse_size_bytes("0B") == 0);
  for (const char* text : {"", "-1", "64kib", "1MiB2KiB", "1TB", "KB", "9999999999999999999999", "99999999999GiB"}) {
    INFO(text);
    const auto parsed = parse_size_bytes(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == code::k_usage);
  }
}

TEST_CASE("Sizes are written exactly where a unit fits, else with one decimal", "[base]") {
  CHECK(format_size(0) == "0B");
  CHECK(format_size(999) == "999B");
  CHECK(format_size(65536) == "64KiB");
  CHECK(format_size(1'000'000) == "1MB");
  CHECK(format_size(268'435'456) == "256MiB");
  CHECK(format_size(1'234'567) == "1.2MiB");
  CHECK(format_size(-5) == "-5B");
}
