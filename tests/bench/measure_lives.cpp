// W4 and W5: what a restart costs: a long run taken up again, and the program as a process.
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <fstream>

#include "tests/bench/raw_limits.hpp"
#include "tests/bench/workloads.hpp"
#include "tests/bench/world.hpp"

namespace perilune::bench {
namespace {

using Of = Goal::Of;
using Side = Goal::Side;

// A few steps more than are recorded: what is written at the stop may be one more than was seen.
constexpr int k_steps_left = 10;
constexpr const char* k_sequence =
    "for i = 1, input.n do step('step', function() return { i = i, ok = true } end) end\n"
    "return input.n";
constexpr const char* k_hello =
    "local greeting = step(\"greet\", function() return \"hello\" end)\n"
    "return greeting";

// A store with a run that was stopped after `steps` steps; the run's id.
std::string make_stopped_run(const std::string& path, int steps) {
  World world(path);
  std::string id;
  int done = 0;
  world.on_committed = [&](const store::RunRow& row, const journal::Record& record) {
    if (record.kind != journal::Kind::step_done || ++done != steps) return;
    id = row.id;
    world.loop().stop();
  };
  world.start(k_sequence, "{\"n\":" + std::to_string(steps + k_steps_left) + "}", {});
  world.loop().run();
  return id;
}

// Seconds from the resume to the commit of the first new step. A function of its own in profiles.
[[gnu::noinline]] double resume_s(const std::string& path, const std::string& id) {
  World world(path);
  double took_s = 0;
  double began_s = seconds();
  world.on_committed = [&](const store::RunRow&, const journal::Record&) {
    took_s = seconds() - began_s;
    world.on_committed = nullptr;
    world.loop().stop();
  };
  world.resume(id);
  world.loop().run();
  return took_s;
}

void copy(const std::string& from, const std::string& to) {
  std::error_code failed;
  std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing, failed);
  if (failed) fail("could not copy " + from + ": " + failed.message());
}

}  // namespace

void measure_resume(const Sizes& sizes, Report& report) {
  int steps = sizes.scaled(10'000, 100);
  ScratchDirectory scratch(sizes.directory);
  std::string stopped = scratch.file("stopped.db");
  std::string id = make_stopped_run(stopped, steps);
  std::vector<double> read, figure, process;
  for (int round = 0; round < sizes.rounds; ++round) {
    read.push_back(read_s(sizes.directory, steps) * 1e3);
    std::string again = scratch.file("again" + std::to_string(round) + ".db");
    copy(stopped, again);
    figure.push_back(resume_s(again, id) * 1e3);
    if (sizes.binary.empty()) continue;
    copy(stopped, again);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(again + suffix);
    process.push_back(process_s({sizes.binary, "resume", id, "--store", "sqlite:" + again}, scratch.path(), 1) * 1e3);
  }
  report.add({"W4", "W4 resume of 10,000 steps to the first new one", median(figure), "ms",
              "bare SQLite reads the records", median(read), Goal{Of::value, Side::at_most, 40, 15}});
  if (!process.empty()) report.add({"W4", "W4 `perilune resume` of it, to its end", median(process), "ms", "", 0, {}});
}

void measure_process(const Sizes& sizes, Report& report) {
  if (sizes.binary.empty()) {
    fprintf(stderr, "bench: there is no program perilune beside this one: W5 is left out\n");
    return;
  }
  ScratchDirectory scratch(sizes.directory);
  std::ofstream(scratch.file("hello.lua")) << k_hello;
  std::vector<double> nothing, figure, fresh;
  std::string store = "sqlite:" + scratch.file("hello.db");
  for (int i = 0; i < sizes.scaled(25, 3); ++i) {
    nothing.push_back(process_s({"/bin/true"}, scratch.path(), 1) * 1e3);
    figure.push_back(process_s({sizes.binary, "run", "hello.lua", "--store", store}, scratch.path(), 1) * 1e3);
    std::string unused = "sqlite:" + scratch.file("hello" + std::to_string(i) + ".db");
    fresh.push_back(process_s({sizes.binary, "run", "hello.lua", "--store", unused}, scratch.path(), 1) * 1e3);
  }
  figure.erase(figure.begin());  // the first one made the store
  report.add({"W5", "W5 `perilune run hello.lua`", median(figure), "ms", "/bin/true", median(nothing),
              Goal{Of::value, Side::at_most, 25, 15}});
  report.add({"W5", "W5 the same with a new store", median(fresh), "ms", "/bin/true", median(nothing), {}});
}

}  // namespace perilune::bench
