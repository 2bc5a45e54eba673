// W0 to W3: whole runs through the engine.
// SPDX-License-Identifier: MIT
#include "tests/bench/raw_limits.hpp"
#include "tests/bench/workloads.hpp"
#include "tests/bench/world.hpp"

namespace perilune::bench {
namespace {

using Of = Goal::Of;
using Side = Goal::Side;

constexpr const char* k_empty = "return true";
constexpr const char* k_sequence =
    "for i = 1, input.n do step('step', function() return { i = i, ok = true } end) end\n"
    "return input.n";
constexpr const char* k_parallel =
    "local branches = {}\n"
    "for i = 1, input.n do\n"
    "  branches[i] = function() return step('step', function() return { i = i, ok = true } end) end\n"
    "end\n"
    "return #parallel(branches)";

std::string input_n(int n) { return "{\"n\":" + std::to_string(n) + "}"; }

struct Sequence {
  double step_s = 0;      // wall time of one step
  double step_cpu_s = 0;  // of the worker thread
};

// One run of warm_up + steps; only the latter are counted.
Sequence sequence_of(const Sizes& sizes, int warm_up, int steps) {
  ScratchDirectory scratch(sizes.directory);
  World world(scratch.file("store.db"));
  int done = 0;
  double began_s = 0, took_s = 0, began_cpu_s = 0, cpu_s = 0;
  world.on_committed = [&](const store::RunRow&, const journal::Record& record) {
    if (record.kind != journal::Kind::step_done) return;
    ++done;
    if (done == warm_up) began_s = seconds(), began_cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID);
    if (done == warm_up + steps) took_s = seconds() - began_s, cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID) - began_cpu_s;
  };
  world.run_all(k_sequence, input_n(warm_up + steps), 1, 1);
  return {took_s / steps, cpu_s / steps};
}

World::Pass many_of(const Sizes& sizes, int runs, int steps, int at_once) {
  ScratchDirectory scratch(sizes.directory);
  World world(scratch.file("store.db"));
  return world.run_all(k_sequence, input_n(steps), runs, at_once);
}

void measure_many_at_once(const Sizes& sizes, Report& report, int at_once, double floor_share, double aim) {
  int runs = sizes.scaled(1000, 50), steps = 10;
  std::vector<double> floor, figure, p50, p99, cpu;
  for (int round = 0; round < sizes.rounds; ++round) {
    floor.push_back(floor_steps_per_s(sizes.directory, runs, steps, at_once));
    World::Pass pass = many_of(sizes, runs, steps, at_once);
    figure.push_back(runs * steps / pass.took_s);
    cpu.push_back(pass.cpu_s / (runs * steps) * 1e6);
    p50.push_back(median(pass.latencies_s) * 1e3);
    p99.push_back(percentile(pass.latencies_s, 0.99) * 1e3);
  }
  std::string name = "W2 runs of 10 steps, " + std::to_string(at_once) + " at once";
  report.add({"W2", name, median(figure), "steps/s", "the floor", median(floor),
              Goal{Of::ratio, Side::at_least, floor_share, aim}});
  report.add({"W2", name + ": worker CPU a step", median(cpu), "us", "", 0, {}});
  report.add({"W2", name + ": a run, p50", median(p50), "ms", "", 0, {}});
  report.add({"W2", name + ": a run, p99", median(p99), "ms", "", 0, {}});
}

double parallel_s(const Sizes& sizes, int branches) {
  ScratchDirectory scratch(sizes.directory);
  World world(scratch.file("store.db"));
  world.run_all(k_parallel, input_n(10), 10, 1);
  return world.run_all(k_parallel, input_n(branches), 1, 1).took_s;
}

}  // namespace

void measure_empty(const Sizes& sizes, Report& report) {
  int runs = sizes.scaled(200, 5), crowd = sizes.scaled(1000, 50);
  std::vector<double> bare, figure, state, cpu;
  for (int round = 0; round < sizes.rounds; ++round) {
    bare.push_back(2 * handed_over_commit_s(sizes.directory, runs, runs) * 1e3);
    state.push_back(lua_costs(crowd).state_s * 1e6);
    ScratchDirectory scratch(sizes.directory);
    World world(scratch.file("store.db"));
    world.run_all(k_empty, "{}", runs, 1);
    figure.push_back(median(world.run_all(k_empty, "{}", runs, 1).latencies_s) * 1e3);
    cpu.push_back(world.run_all(k_empty, "{}", crowd, crowd).cpu_s / crowd * 1e6);
  }
  report.add({"W0",
              "W0 empty workflow, start to end, p50",
              median(figure),
              "ms",
              "two commits, handed over",
              median(bare),
              {}});
  report.add({"W0", "W0 worker CPU of an empty run", median(cpu), "us", "a Lua state with its libraries", median(state),
              Goal{Of::value, Side::at_most, 100, 50}});
}

void measure_sequence(const Sizes& sizes, Report& report) {
  int warm_up = sizes.scaled(2000, 20), steps = sizes.scaled(1000, 20);
  std::vector<double> bare, handed_over, figure, cpu;
  for (int round = 0; round < sizes.rounds; ++round) {
    bare.push_back(commit_s(sizes.directory, warm_up, steps, 1) * 1e6);
    Sequence sequence = sequence_of(sizes, warm_up, steps);
    handed_over.push_back(handed_over_commit_s(sizes.directory, warm_up, steps) * 1e6);
    figure.push_back(sequence.step_s * 1e6);
    cpu.push_back(sequence.step_cpu_s * 1e6);
  }
  report.add({"W1", "W1 sequential durable step, warm", median(figure), "us", "bare SQLite FULL commit", median(bare),
              Goal{Of::ratio, Side::at_most, 1.5, 1.3}});
  report.add({"W1",
              "W1 bare commit, handed to a second thread",
              median(handed_over),
              "us",
              "bare SQLite FULL commit",
              median(bare),
              {}});
  report.add({"W1", "W1 worker CPU a step", median(cpu), "us", "", 0, {}});
}

void measure_many(const Sizes& sizes, Report& report) {
  measure_many_at_once(sizes, report, 100, 0.3, 60'000.0 / 130'000);
  measure_many_at_once(sizes, report, 1000, 0.3, 100'000.0 / 183'000);
}

void measure_parallel(const Sizes& sizes, Report& report) {
  int few = sizes.scaled(100, 10), usual = sizes.scaled(1000, 20), many = sizes.scaled(10'000, 30);
  std::vector<double> bare, figure, few_us, many_us;
  for (int round = 0; round < sizes.rounds; ++round) {
    bare.push_back(commit_s(sizes.directory, 5, 5, usual) * 1e3);
    figure.push_back(parallel_s(sizes, usual) * 1e3);
    few_us.push_back(parallel_s(sizes, few) / few * 1e6);
    many_us.push_back(parallel_s(sizes, many) / many * 1e6);
  }
  report.add({"W3", "W3 1,000 parallel steps and the join", median(figure), "ms", "one commit of 1,000 records",
              median(bare), Goal{Of::value, Side::at_most, 30, 15}});
  report.add({"W3", "W3 a branch among 100", median(few_us), "us", "", 0, {}});
  report.add({"W3",
              "W3 a branch among 10,000",
              median(many_us),
              "us",
              "a branch among 1,000",
              median(figure) * 1e3 / usual,
              {}});
}

}  // namespace perilune::bench
