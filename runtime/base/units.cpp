// Durations and sizes are read with whole-number arithmetic, so that what was written is what is meant: "0.1s" is
// 100000 us. SPDX-License-Identifier: MIT
#include "runtime/base/units.hpp"

#include <cmath>
#include <cstdio>
#include <span>

namespace perilune {
namespace {

using Wide = __int128;

struct Unit {
  std::string_view name;
  int64_t factor;
};

// Largest first: that is also the order in which parts of a duration must stand.
constexpr Unit k_durations[] = {{"w", 604'800'000'000},
                                {"d", 86'400'000'000},
                                {"h", 3'600'000'000},
                                {"m", 60'000'000},
                                {"s", 1'000'000},
                                {"ms", 1'000},
                                {"us", 1}};
constexpr Unit k_sizes[] = {{"GiB", 1 << 30}, {"GB", 1'000'000'000}, {"MiB", 1 << 20}, {"MB", 1'000'000},
                            {"KiB", 1 << 10}, {"KB", 1'000},         {"B", 1}};
constexpr size_t k_second = 4, k_byte = 6;  // the units of a bare number

constexpr int64_t k_size_max = INT64_MAX;
constexpr int64_t k_fraction_scale = 1'000'000'000'000'000'000;  // digits behind the 18th cannot matter

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A decimal number at the front of `text`, taken off it.
struct Decimal {
  Wide whole = 0;
  Wide fraction = 0;  // in parts of k_fraction_scale
};

bool take_decimal(std::string_view& text, Decimal& out) {
  size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    if (out.whole <= INT64_MAX) out.whole = out.whole * 10 + (text[i] - '0');  // beyond that it is too large anyway
  }
  if (i == 0) return false;
  if (i < text.size() && text[i] == '.') {
    const size_t point = i++;
    int64_t place = k_fraction_scale;
    for (; i < text.size() && is_digit(text[i]); ++i) out.fraction += (text[i] - '0') * (place /= 10);
    if (i == point + 1) return false;
  }
  text.remove_prefix(i);
  return true;
}

std::string_view take_letters(std::string_view& text) {
  size_t i = 0;
  while (i < text.size() && is_letter(text[i])) ++i;
  const std::string_view letters = text.substr(0, i);
  text.remove_prefix(i);
  return letters;
}

Wide times(const Decimal& number, int64_t factor) {
  return number.whole * factor + (number.fraction * factor + k_fraction_scale / 2) / k_fraction_scale;
}

enum class Trouble { k_none, k_form, k_too_large };

struct Parsed {
  Trouble trouble = Trouble::k_form;
  Wide sum = 0;
};

// One or more numbers with a unit each, units from large to small; or one number alone, in `bare`.
Parsed parse_sum(std::string_view text, std::span<const Unit> units, size_t bare, bool many, int64_t max) {
  Parsed parsed;
  size_t next_unit = 0;
  bool first = true;
  do {
    Decimal number;
    if (!take_decimal(text, number)) return parsed;
    const std::string_view name = take_letters(text);
    size_t unit = next_unit;
    if (name.empty() && first && text.empty()) {
      unit = bare;
    } else {
      while (unit < units.size() && units[unit].name != name) ++unit;
      if (unit == units.size()) return parsed;
    }
    parsed.sum += times(number, units[unit].factor);
    next_unit = unit + 1;
    first = false;
  } while (many && !text.empty());
  if (!text.empty()) return parsed;
  parsed.trouble = parsed.sum > max ? Trouble::k_too_large : Trouble::k_none;
  return parsed;
}

std::string quoted(std::string_view text) {
  std::string shown = "'";
  for (unsigned char c : text.substr(0, 40)) shown += c < 0x20 || c == 0x7f ? '?' : static_cast<char>(c);
  return shown + (text.size() > 40 ? "...'" : "'");
}

// A number with at most `digits` decimals and no zeros at its end.
std::string decimal_text(int64_t whole, int64_t fraction, int digits) {
  std::string text = std::to_string(whole);
  if (fraction == 0) return text;
  std::string decimals = std::to_string(fraction);
  decimals.insert(0, digits - decimals.size(), '0');
  decimals.erase(decimals.find_last_not_of('0') + 1);
  return text + "." + decimals;
}

}  // namespace

Result<int64_t> parse_duration_us(std::string_view text) {
  const Parsed parsed = parse_sum(text, k_durations, k_second, true, k_duration_max_us);
  if (parsed.trouble == Trouble::k_none) return static_cast<int64_t>(parsed.sum);
  if (parsed.trouble == Trouble::k_too_large) {
    return Error(code::k_usage, "the duration " + quoted(text) + " is too long (at most 50000000d)");
  }
  return Error(code::k_usage, quoted(text) +
                                  " is not a duration: write a number of seconds, or like '250ms', '5s', "
                                  "'1h30m', '2d' (units us ms s m h d w, each once, the largest first)");
}

Result<int64_t> duration_us_from_seconds(double seconds) {
  char shown[32];
  std::snprintf(shown, sizeof shown, "%g", seconds);
  if (!(seconds >= 0)) {
    return Error(code::k_usage, std::string(shown) + " is not a duration: a number of seconds is 0 or more");
  }
  const double us = std::round(seconds * 1e6);
  if (us > static_cast<double>(k_duration_max_us)) {
    return Error(code::k_usage, "a duration of " + std::string(shown) + " seconds is too long (at most 50000000d)");
  }
  return static_cast<int64_t>(us);
}

std::string format_duration(int64_t us) {
  if (us < 0) {  // none of ours is; a difference of times may be
    return us == INT64_MIN ? "-" + format_duration(INT64_MAX) : "-" + format_duration(-us);
  }
  if (us == 0) return "0s";
  if (us < 1'000) return std::to_string(us) + "us";
  if (us < 1'000'000) return decimal_text(us / 1'000, us % 1'000, 3) + "ms";
  std::string text;
  for (size_t i = 1; i < k_second; ++i) {  // no weeks: people think of 14 days as days
    const Unit& unit = k_durations[i];
    if (us >= unit.factor) text += std::to_string(us / unit.factor) + std::string(unit.name);
    us %= unit.factor;
  }
  if (us > 0) text += decimal_text(us / 1'000'000, us % 1'000'000, 6) + "s";
  return text;
}

Result<int64_t> parse_size_bytes(std::string_view text) {
  const Parsed parsed = parse_sum(text, k_sizes, k_byte, false, k_size_max);
  if (parsed.trouble == Trouble::k_none) return static_cast<int64_t>(parsed.sum);
  if (parsed.trouble == Trouble::k_too_large) return Error(code::k_usage, "the size " + quoted(text) + " is too large");
  return Error(code::k_usage, quoted(text) +
                                  " is not a size: write a number of bytes, or like '64KiB', '1MB' "
                                  "(units B KB MB GB KiB MiB GiB)");
}

std::string format_size(int64_t bytes) {
  if (bytes > 0) {
    for (const Unit& unit : k_sizes) {
      if (bytes % unit.factor == 0 && unit.factor > 1) {
        return std::to_string(bytes / unit.factor) + std::string(unit.name);
      }
    }
  }
  for (size_t i = 0; i < k_byte; i += 2) {
    const double count = static_cast<double>(bytes) / static_cast<double>(k_sizes[i].factor);
    if (count < 1) continue;
    char text[48];
    std::snprintf(text, sizeof text, "%.1f%s", count, k_sizes[i].name.data());
    return text;
  }
  return std::to_string(bytes) + "B";
}

}  // namespace perilune
