// See limits.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/limits.hpp"

#include <algorithm>

#include "runtime/base/units.hpp"

namespace perilune::engine {

Limits tightest(const Limits& a, const Limits& b) {
  auto tighter = [](int64_t one, int64_t other) { return one == 0 ? other : other == 0 ? one : std::min(one, other); };
  return {tighter(a.cpu_us, b.cpu_us), tighter(a.memory_bytes, b.memory_bytes), tighter(a.records, b.records),
          tighter(a.duration_us, b.duration_us)};
}

Result<void> check_limits(const Limits& limits, const Settings& settings, const std::string& workflow) {
  auto refuse = [&workflow](const char* name, const std::string& asked, const std::string& allowed) {
    return Error(code::k_validation, "workflow '" + workflow + "': its limits." + name + " is " + asked +
                                         ", and the configuration's limits." + name + " allows " + allowed +
                                         ": lower the one or raise the other");
  };
  if (limits.cpu_us > settings.cpu_us)
    return refuse("cpu", format_duration(limits.cpu_us), format_duration(settings.cpu_us));
  int64_t memory_bytes = static_cast<int64_t>(settings.memory_bytes);
  if (limits.memory_bytes > memory_bytes)
    return refuse("memory", format_size(limits.memory_bytes), format_size(memory_bytes));
  return {};
}

}  // namespace perilune::engine
