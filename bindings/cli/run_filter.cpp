// See run_filter.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_filter.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "runtime/base/nearest.hpp"
#include "runtime/base/units.hpp"

namespace perilune::cli {

using store::Status;

namespace {

constexpr int64_t k_us_in_s = 1'000'000;
constexpr std::string_view k_statuses[] = {"queued", "running",   "waiting",  "paused",     "completed",
                                           "failed", "cancelled", "diverged", "quarantined"};

int64_t now_us() {
  struct timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * k_us_in_s + now.tv_nsec / 1000;
}

}  // namespace

// "2h" (ago), "2026-11-20", "2026-11-20T12:00:00Z" or without Z in local time.
Result<int64_t> parse_since(const std::string& text) {
  if (Result<int64_t> ago = parse_duration_us(text); ago.ok()) return std::max<int64_t>(0, now_us() - *ago);
  struct tm time = {};
  for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    time = {};
    const char* rest = strptime(text.c_str(), format, &time);
    if (rest == nullptr) continue;
    if (*rest == '.') rest += 1 + strspn(rest + 1, "0123456789");
    time.tm_isdst = -1;
    if (*rest == '\0') return static_cast<int64_t>(mktime(&time)) * k_us_in_s;
    if (std::string_view(rest) == "Z") return static_cast<int64_t>(timegm(&time)) * k_us_in_s;
  }
  return Error(code::k_usage, "--since '" + text + "' is no time: write 2h, 3d, 2026-11-20 or 2026-11-20T12:00:00Z");
}

Result<store::Filter> make_filter(const FilterOptions& options) {
  store::Filter filter;
  for (const std::string& name : options.statuses) {
    std::optional<Status> status = store::status_from_name(name);
    if (!status) return Error(code::k_usage, unknown_name("status", name, "--status", k_statuses));
    filter.statuses.push_back(*status);
  }
  filter.workflow = options.workflow;
  filter.session = options.session;
  if (!options.since.empty()) {
    Result<int64_t> since = parse_since(options.since);
    if (!since.ok()) return since.error();
    filter.since_us = *since;
  }
  if (options.limit > 0) filter.limit = options.limit;
  return filter;
}

}  // namespace perilune::cli
