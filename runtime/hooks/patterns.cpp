// What a pattern of on() means, and which names scripts may give to events of their own; see points.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/base/nearest.hpp"
#include "runtime/hooks/points.hpp"

namespace perilune::hooks {
namespace {

constexpr size_t k_name_max = 200;

Error wrong(std::string text) { return Error(code::k_usage, std::move(text)); }

std::string_view prefix_of(std::string_view name) { return name.substr(0, name.find('.')); }

// "step" of "step.before": what stands before the dot in the table. Not the same as the family: "signal.sent" is talk.
bool is_prefix_of_ours(std::string_view prefix) {
  return std::any_of(points().begin(), points().end(), [&](const PointRow& row) { return prefix_of(row.name) == prefix; });
}

bool is_word(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

// Words between dots, at least two.
bool is_dotted(std::string_view name) {
  if (name.size() > k_name_max) return false;
  size_t words = 0;
  for (;; ++words) {
    size_t dot = name.find('.');
    if (!is_word(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return words > 0;
    name.remove_prefix(dot + 1);
  }
}

std::vector<std::string_view> all_names() {
  std::vector<std::string_view> names;
  for (const PointRow& row : points()) names.push_back(row.name);
  return names;
}

// One letter more, less or other, or two that have changed places.
bool is_slip(std::string_view a, std::string_view b) {
  const size_t shorter = std::min(a.size(), b.size()), longer = std::max(a.size(), b.size());
  size_t head = 0, tail = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const size_t changed = longer - head - tail;
  return changed == 1 || (changed == 2 && a.size() == b.size() && a[head] == b[head + 1] && a[head + 1] == b[head]);
}

// A name of ours that this one is surely meant to be.
std::string slip_of(std::string_view name) {
  for (std::string_view ours : all_names())
    if (is_slip(name, ours)) return std::string(ours);
  return {};
}

Result<void> may_listen(const PointRow& row, bool in_script) {
  if (row.listeners == Listeners::nobody)
    return wrong("nothing meets the point '" + std::string(row.name) + "' in this version: a hook there would never be called");
  if (in_script && row.listeners == Listeners::outside)
    return wrong("'" + std::string(row.name) + "' is for hook files and C++ alone: no script is there to be asked then");
  return {};
}

Result<std::vector<Point>> of_prefix(std::string_view prefix, bool in_script) {
  std::vector<Point> found;
  Error refusal;
  for (const PointRow& row : points()) {
    if (prefix != "*" && prefix_of(row.name) != prefix) continue;
    Result<void> allowed = may_listen(row, in_script);
    if (allowed.ok()) found.push_back(row.point);
    else refusal = std::move(allowed.error());
  }
  if (found.empty()) return refusal;
  return found;
}

}  // namespace

Result<std::vector<Point>> points_matching(std::string_view pattern, bool in_script) {
  if (pattern == "*") return of_prefix("*", in_script);
  bool wild = pattern.ends_with(".*");
  std::string_view prefix = prefix_of(pattern);
  if (wild && is_prefix_of_ours(prefix) && prefix.size() + 2 == pattern.size()) return of_prefix(prefix, in_script);
  for (const PointRow& row : points()) {
    if (row.name != pattern) continue;
    if (Result<void> allowed = may_listen(row, in_script); !allowed.ok()) return allowed.error();
    return std::vector<Point>{row.point};
  }
  if (is_prefix_of_ours(prefix)) {
    std::vector<std::string_view> names;
    for (const PointRow& row : points())
      if (prefix_of(row.name) == prefix) names.push_back(row.name);
    return wrong(unknown_name("point", pattern, "on", names));
  }
  std::string_view name = wild ? pattern.substr(0, pattern.size() - 2) : pattern;
  if (!(wild ? is_word(name) || is_dotted(name) : is_dotted(name)))
    return wrong(unknown_name("point", pattern, "on", all_names()) +
                 " (an event of one's own has a dot in its name: \"order.paid\", \"order.*\")");
  if (std::string near = wild ? std::string() : slip_of(name); !near.empty())
    return wrong("'" + std::string(pattern) + "' is neither a point nor clearly an event of one's own: did you mean '" + near + "'?");
  return std::vector<Point>{};
}

bool matches_own(std::string_view pattern, std::string_view event) {
  if (pattern == "*") return true;
  if (!pattern.ends_with(".*")) return pattern == event;
  return event.starts_with(pattern.substr(0, pattern.size() - 1));
}

Result<void> check_own_name(std::string_view name) {
  if (!is_dotted(name))
    return wrong("'" + std::string(name.substr(0, 60)) + "' is no name of an event: words of letters, digits, '_' and '-' with dots "
                 "between them, at least one dot, as in \"order.paid\"");
  std::string_view prefix = prefix_of(name);
  if (is_prefix_of_ours(prefix))
    return wrong("events that begin with '" + std::string(prefix) + ".' are the runtime's: choose another name, such as 'my-" + std::string(name) + "'");
  if (std::string near = slip_of(name); !near.empty())
    return wrong("'" + std::string(name) + "' is too much like the runtime's '" + near + "': choose another name");
  return {};
}

}  // namespace perilune::hooks
