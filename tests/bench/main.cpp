// perilune_bench: measures the raw limits and the workloads W0 to W6 side by side; docs/performance.md says how to read
// it. SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/bench/raw_limits.hpp"
#include "tests/bench/workloads.hpp"

namespace perilune::bench {
namespace {

constexpr const char* k_usage =
    "Measures raw limits and workloads side by side and prints the ratios.\n"
    "  --only LIST   raw, W0, W1, W2, W3, W4, W5, W6, E, M, separated by commas\n"
    "  --json        the figures as one JSON object\n"
    "  --rounds N    measures of each kind, at least 3; the median counts (5)\n"
    "  --dir DIR     where stores are made: the disk that is measured (the directory for temporary files)\n"
    "  --quick       small sizes: shows that it works, the figures mean nothing\n"
    "  --check       exit code 1 when a goal is missed\n";

constexpr int k_sync_samples = 50;

struct Group {
  const char* name;
  void (*measure)(const Sizes&, Report&);
};
constexpr Group k_groups[] = {{"raw", measure_raw},    {"W0", measure_empty},    {"W1", measure_sequence},
                              {"W2", measure_many},    {"W3", measure_parallel}, {"W4", measure_resume},
                              {"W5", measure_process}, {"W6", measure_flat},
                              {"E", measure_events},  {"M", measure_memory}};

struct Options {
  Sizes sizes;
  std::vector<std::string> only;
  bool json = false, check = false;
  int waiting = 0;  // --waiting N evicted|live: what measure_memory starts
  bool evicted = false;
};

[[noreturn]] void wrong(const std::string& message) {
  fprintf(stderr, "bench: %s\n%s", message.c_str(), k_usage);
  exit(2);
}

std::string binary_beside() {
  std::error_code failed;
  std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path() / "perilune";
  return access(path.c_str(), X_OK) == 0 ? path.string() : "";
}

std::vector<std::string> split(const std::string& list) {
  std::vector<std::string> names;
  for (size_t at = 0; at <= list.size();) {
    size_t end = std::min(list.find(',', at), list.size());
    std::string name = list.substr(at, end - at);
    bool known = false;
    for (const Group& group : k_groups) known = known || name == group.name;
    if (!known) wrong("there is no group '" + name + "'");
    names.push_back(name);
    at = end + 1;
  }
  return names;
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  options.sizes.directory = std::filesystem::temp_directory_path().string();
  options.sizes.binary = binary_beside();
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    auto next = [&]() -> const std::string& {
      if (i + 1 == words.size()) wrong(word + " wants a value");
      return words[++i];
    };
    if (word == "--help" || word == "-h")
      printf("%s", k_usage), exit(0);
    else if (word == "--json")
      options.json = true;
    else if (word == "--check")
      options.check = true;
    else if (word == "--quick")
      options.sizes.quick = true, options.sizes.rounds = 1;
    else if (word == "--rounds")
      options.sizes.rounds = std::max(3, atoi(next().c_str()));
    else if (word == "--dir")
      options.sizes.directory = next();
    else if (word == "--only")
      options.only = split(next());
    else if (word == "--waiting")
      options.waiting = atoi(next().c_str()), options.evicted = next() == "evicted";
    else
      wrong("unknown option '" + word + "'");
  }
  return options;
}

int run(const Options& options) {
  if (options.waiting > 0) return print_memory_of_waiting(options.sizes.directory, options.waiting, options.evicted);
  Report report(append_and_sync_s(options.sizes.directory, k_sync_samples, true) * 1e6, options.sizes.quick);
  for (const Group& group : k_groups) {
    bool wanted = options.only.empty();
    for (const std::string& name : options.only) wanted = wanted || name == group.name;
    if (wanted) group.measure(options.sizes, report);
  }
  printf("%s", (options.json ? report.json() : report.table()).c_str());
  return options.check && !report.within_bounds() ? 1 : 0;
}

}  // namespace
}  // namespace perilune::bench

int main(int argc, char** argv) {
  return perilune::bench::run(perilune::bench::parse(std::vector<std::string>(argv + 1, argv + argc)));
}
