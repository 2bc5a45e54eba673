// Records as words for people: the lines of progress and of `show`. All text is safe for a terminal (printable).
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/error.hpp"
#include "runtime/journal/record.hpp"

namespace perilune::cli {

enum class Mark { note, done, failed, retry, skipped };

struct EventText {
  Mark mark = Mark::note;
  std::string text;  // "step reserve done in 12ms"
};

// What a committed record means to somebody who watches; nothing for records that need no line.
std::optional<EventText> event_text(const journal::Record& record);

// What stands behind kind and name in a timeline: durations, attempts, values cut to a line's length.
std::string detail_text(const journal::Record& record);

// "12ms", "3.4s", "1h30m": to three digits or so, for people.
std::string short_duration(int64_t us);
// "12:01:02", local time; with the date when it is not today's.
std::string clock_time(int64_t wall_us);
std::string date_time(int64_t wall_us);

}  // namespace perilune::cli
