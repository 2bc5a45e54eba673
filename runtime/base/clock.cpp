// The real clocks of the system, and the one text form of a time.
// SPDX-License-Identifier: MIT
#include "runtime/base/clock.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace perilune {
namespace {

int64_t read_clock_us(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);  // cannot fail: both ids exist on every kernel we run on
  return static_cast<int64_t>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000;
}

// RFC 3339 has four digits for the year: times beyond are shown as the first or the last that it can say.
constexpr int64_t k_year_0_us = -62'167'219'200'000'000;
constexpr int64_t k_year_9999_end_us = 253'402'300'799'999'999;

}  // namespace

int64_t RealClock::wall_us() const { return read_clock_us(CLOCK_REALTIME); }
int64_t RealClock::mono_us() const { return read_clock_us(CLOCK_BOOTTIME); }

std::string rfc3339(int64_t wall_us) {
  using namespace std::chrono;
  const sys_time<microseconds> time{microseconds(std::clamp(wall_us, k_year_0_us, k_year_9999_end_us))};
  const sys_days day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> clock{floor<milliseconds>(time) - day};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

}  // namespace perilune
