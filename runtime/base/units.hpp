// Durations and sizes as people write them: 5, "250ms", "1h30m", "2d"; 65536, "64KiB", "1MB".
// Promises: never negative, never NaN, never beyond what int64 microseconds or bytes hold; two durations can be added
// (a time and a duration too) without overflow. A wrong text is an Error (code "usage") that quotes the text and says
// which forms are right.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace perilune {

inline constexpr int64_t k_duration_max_us = 4'320'000'000'000'000'000;  // 50 million days, under half of int64

// Units: us ms s m h d w, each at most once, largest first, decimals allowed ("1.5h"); a bare number is seconds.
Result<int64_t> parse_duration_us(std::string_view text);
Result<int64_t> duration_us_from_seconds(double seconds);
// "250ms", "1.5s", "1h30m", "2d": the way people write it; it reads back as the same duration, to the microsecond.
std::string format_duration(int64_t us);

// Units: B KB MB GB (powers of 1000), KiB MiB GiB (powers of 1024); a bare number is bytes.
Result<int64_t> parse_size_bytes(std::string_view text);
// For people: "64KiB", "1MB" where that is exact, else one decimal of a binary unit ("1.2MiB"); bytes below 1 KiB.
std::string format_size(int64_t bytes);

}  // namespace perilune
