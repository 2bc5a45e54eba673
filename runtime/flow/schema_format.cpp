// Formats are checked by hand, patterns by std::regex in its breadth-first mode: the default mode of libstdc++ recurses
// once or more for each character (16 KiB of text overflow a stack of 8 MiB) and takes exponential time for "(a+)+$".
// SPDX-License-Identifier: MIT
#include "runtime/flow/schema_format.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <regex>

#include "runtime/base/nearest.hpp"
#include "runtime/base/units.hpp"

namespace perilune::flow {
namespace {

constexpr size_t k_pattern_max = 4096;
constexpr auto k_regex_flags =
    std::regex_constants::ECMAScript | std::regex_constants::__polynomial | std::regex_constants::nosubs;

constexpr std::array<std::string_view, 6> k_checked = {"file", "date-time", "date", "time", "duration", "uri"};
constexpr std::array<std::string_view, 14> k_unchecked = {
    "email", "idn-email", "hostname", "idn-hostname", "ipv4",   "ipv6",     "uri-reference",
    "iri",   "uuid",      "regex",    "json-pointer", "binary", "password", "uri-template"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes `count` digits off the front: their value, or -1.
int take_digits(std::string_view& text, size_t count) {
  int value = 0;
  if (text.size() < count) return -1;
  for (size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return -1;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || one_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text) {
  const int year = take_digits(text, 4);
  if (year < 0 || !take(text, "-")) return false;
  const int month = take_digits(text, 2);
  if (month < 0 || !take(text, "-")) return false;
  const int day = take_digits(text, 2);
  return day >= 0 &&
         std::chrono::year_month_day(std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
             .ok();
}

bool take_clock(std::string_view& text) {
  const int hour = take_digits(text, 2);
  return hour >= 0 && hour < 24 && take(text, ":") && [&] {
    const int minute = take_digits(text, 2);
    return minute >= 0 && minute < 60;
  }();
}

// 16:52:45Z, 16:52:45.5+02:00 (60 seconds are a leap second)
bool take_time(std::string_view& text) {
  if (!take_clock(text) || !take(text, ":")) return false;
  const int second = take_digits(text, 2);
  if (second < 0 || second > 60) return false;
  if (take(text, ".")) {
    size_t digits = 0;
    while (take(text, "0123456789")) ++digits;
    if (digits == 0) return false;
  }
  return take(text, "Zz") || (take(text, "+-") && take_clock(text));
}

bool is_uri(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  if (!std::isalpha(static_cast<unsigned char>(text[0]))) return false;
  const bool scheme = std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(colon),
                                  [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.'; });
  const bool rest = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && std::string_view("<>\"{}|\\^`").find(static_cast<char>(c)) == std::string_view::npos;
  });
  return scheme && rest;
}

}  // namespace

std::string trouble_with_format(std::string_view format) {
  const auto in = [&](const auto& names) { return std::find(names.begin(), names.end(), format) != names.end(); };
  if (in(k_checked) || in(k_unchecked)) return "";
  std::string valid;
  for (std::string_view name : k_checked) valid += (valid.empty() ? "" : ", ") + std::string(name);
  std::vector<std::string_view> names(k_checked.begin(), k_checked.end());
  names.insert(names.end(), k_unchecked.begin(), k_unchecked.end());
  const std::string near = nearest(format, names);
  return near.empty() ? "must be a known format (" + valid + ")"
                      : "must be a known format: did you mean '" + near + "'?";
}

std::string trouble_with_text(std::string_view format, std::string_view text) {
  std::string_view rest = text;
  if (format == "date-time") {
    const bool good = take_date(rest) && take(rest, "Tt ") && take_time(rest) && rest.empty();
    return good ? "" : "is not a date-time such as '2026-11-20T16:52:45Z'";
  }
  if (format == "date") return take_date(rest) && rest.empty() ? "" : "is not a date such as '2026-11-20'";
  if (format == "time") return take_time(rest) && rest.empty() ? "" : "is not a time such as '16:52:45Z'";
  if (format == "duration") return parse_duration_us(text) ? "" : "is not a duration such as '5s' or '1h30m'";
  if (format == "uri") return is_uri(text) ? "" : "is not a URI such as 'https://host/path'";
  if (format == "file") {
    return !text.empty() && text.find('\0') == std::string_view::npos ? "" : "is not the name of a file";
  }
  return "";
}

struct Pattern::Compiled {
  std::regex regex;
};

std::string trouble_with_pattern(const std::string& pattern) {
  if (pattern.size() > k_pattern_max) return "must be a pattern of at most 4096 bytes";
  try {
    const std::regex alone(pattern, k_regex_flags);
  } catch (const std::regex_error& error) {
    if (error.code() == std::regex_constants::error_complexity) return "must be a pattern without back-references";
    if (error.code() == std::regex_constants::error_space) return "must be a smaller pattern";
    return "must be a regular expression";
  }
  return "";
}

// One match from the first to the last character finds the pattern wherever it is, in one pass; a search would begin
// again at each character.
Pattern::Pattern(const std::string& text)
    : text_(text), compiled_(new Compiled{std::regex("[\\s\\S]*(?:" + text + ")[\\s\\S]*", k_regex_flags)}) {}
Pattern::~Pattern() = default;

bool Pattern::found_in(std::string_view text) const {
  return std::regex_match(text.begin(), text.end(), compiled_->regex);
}

}  // namespace perilune::flow
