// What runs that wait cost in memory. Each measure is a process of its own: memory that was used before would hide it.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "tests/bench/workloads.hpp"
#include "tests/bench/world.hpp"

namespace perilune::bench {
namespace {

constexpr const char* k_waiting = "sleep '1h'";
constexpr int k_at_once = 1000;  // so many are started before the others
constexpr int64_t k_never_us = 365LL * 24 * 3600 * 1'000'000;
constexpr int64_t k_look_again_us = 1000;

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct Memory {
  double of_runs = 0, of_process = 0;  // bytes
};

Memory waiting(const Sizes& sizes, int runs, bool evicted) {
  char self[4096];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  if (length < 0) fail("this program's own path is not known");
  std::string command = "'" + std::string(self, static_cast<size_t>(length)) + "' --waiting " + std::to_string(runs) +
                        (evicted ? " evicted" : " live") + " --dir '" + sizes.directory + "'";
  FILE* out = popen(command.c_str(), "r");
  Memory memory;
  if (out == nullptr || fscanf(out, "%lf %lf", &memory.of_runs, &memory.of_process) != 2 || pclose(out) != 0)
    fail("the process that measures memory failed");
  return memory;
}

}  // namespace

int print_memory_of_waiting(const std::string& directory, int runs, bool evicted) {
  ScratchDirectory scratch(directory);
  engine::Settings settings;
  if (!evicted) settings.evict_after_us = k_never_us;
  World world(scratch.file("store.db"), settings);
  world.run_all("return true", "{}", 10, 1);
  int launched = 0, asleep = 0;
  world.on_committed = [&](const store::RunRow&, const journal::Record& record) {
    if (record.kind == journal::Kind::timer_set) ++asleep;
  };
  double before = resident_bytes();
  std::function<void()> look = [&] {
    int waiting_now = evicted ? static_cast<int>(world.engine().sleeping()) : asleep;
    if (waiting_now == runs) return world.loop().stop();
    for (; launched < runs && launched - waiting_now < k_at_once; ++launched) world.start(k_waiting, "{}", {});
    world.loop().start_timer(k_look_again_us, look);
  };
  look();
  world.loop().run();
  double after = resident_bytes();
  printf("%.0f %.0f\n", after - before, after);
  return 0;
}

void measure_memory(const Sizes& sizes, Report& report) {
  int runs = sizes.scaled(10'000, 200);
  std::vector<double> live, evicted, process;
  for (int round = 0; round < std::min(sizes.rounds, 3); ++round) {
    live.push_back(waiting(sizes, runs, false).of_runs / runs / 1024);
    Memory memory = waiting(sizes, runs, true);
    evicted.push_back(memory.of_runs / runs / 1024);
    process.push_back(memory.of_process / (1 << 20));
  }
  report.add(
      {"M", "M a live run that waits", median(live), "KiB", "", 0, Goal{Goal::Of::value, Goal::Side::at_most, 24, 0}});
  report.add({"M", "M an evicted run that waits", median(evicted), "KiB", "", 0, {}});
  report.add({"M", "M a process with 10,000 evicted runs", median(process), "MiB", "", 0,
              Goal{Goal::Of::value, Goal::Side::at_most, 200, 0}});
}

}  // namespace perilune::bench
