// Time as the runtime sees it. Units are in the names: _us = microseconds.
// Wall time is since 1970 (UTC) and may jump; monotonic time never goes back and counts suspend (CLOCK_BOOTTIME).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>

namespace perilune {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t wall_us() const = 0;
  virtual int64_t mono_us() const = 0;
};

class RealClock final : public Clock {
 public:
  int64_t wall_us() const override;
  int64_t mono_us() const override;
};

// Moves only when told. Both times move together.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(int64_t wall_us = 1'700'000'000'000'000) : wall_us_(wall_us) {}
  int64_t wall_us() const override { return wall_us_; }
  int64_t mono_us() const override { return wall_us_ - 1'600'000'000'000'000; }
  void advance_us(int64_t by_us) { wall_us_ += by_us; }

 private:
  int64_t wall_us_;
};

// "2026-11-20T12:49:00.123Z" (RFC 3339, UTC, milliseconds).
std::string rfc3339(int64_t wall_us);

}  // namespace perilune
