// W6: a long run is as fast at its end as at its beginning: the time of a step, and what the process holds in memory.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>

#include "tests/bench/workloads.hpp"
#include "tests/bench/world.hpp"

namespace perilune::bench {
namespace {

constexpr const char* k_steps =
    "for i = 1, input.n do step('step', function() return { i = i, ok = true } end) end\n"
    "return input.n";
constexpr int k_window = 1000;        // steps whose median counts
constexpr int k_early = 2000;         // the first of the early window
constexpr double k_ratio_most = 1.10;

double resident_mib() {
  long total = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "r");
  if (file == nullptr || fscanf(file, "%ld %ld", &total, &resident) != 2) fail("/proc/self/statm can't be read");
  fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

struct Window {
  std::vector<double> steps_us;
  double resident = 0;
};

Window measure_window(const std::vector<double>& times_s, int first, double resident) {
  Window window;
  for (int i = first; i < first + k_window; ++i) window.steps_us.push_back((times_s[i + 1] - times_s[i]) * 1e6);
  window.resident = resident;
  return window;
}

}  // namespace

void measure_flat(const Sizes& sizes, Report& report) {
  const int late = sizes.scaled(100'000, 4'000), total = late + k_window + 1;
  ScratchDirectory directory(sizes.directory);
  World world(directory.file("flat.db"));
  std::vector<double> times_s;
  times_s.reserve(static_cast<size_t>(total) + 1);
  double early_mib = 0, late_mib = 0;
  world.on_committed = [&](const store::RunRow&, const journal::Record& record) {
    if (record.kind != journal::Kind::step_done) return;
    times_s.push_back(seconds());
    if (times_s.size() == k_early + k_window) early_mib = resident_mib();
    if (times_s.size() == static_cast<size_t>(late)) late_mib = resident_mib();
  };
  World::Pass pass = world.run_all(k_steps, "{\"n\":" + std::to_string(total) + "}", 1, 1);
  (void)pass;
  Window early = measure_window(times_s, k_early, early_mib), end = measure_window(times_s, late, late_mib);
  const std::string what = "a step after " + std::to_string(late) + " others";
  report.add({"W6", what, median(end.steps_us), "us", "after " + std::to_string(k_early), median(early.steps_us),
              Goal{Goal::Of::ratio, Goal::Side::at_most, k_ratio_most}});
  report.add({"W6", "resident memory then", end.resident, "MiB", "after " + std::to_string(k_early + k_window),
              early.resident, {}});
}

}  // namespace perilune::bench
