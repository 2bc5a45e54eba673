// An engine as a program has it: a libuv loop, a SQLite store (synchronous=FULL) in a file, Lua with the whole script
// API. Uses engine, store, loop, bindings. Everything runs on the thread that calls. SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/engine.hpp"

namespace perilune::bench {

class World final : public engine::Observer {
 public:
  explicit World(const std::string& store_path, const engine::Settings& settings = {});
  ~World() override;

  engine::Engine& engine() { return *engine_; }
  loop::Loop& loop() { return *loop_; }

  // Queues a run; a run that can't start or that does not complete ends the bench.
  void start(const std::string& script, const std::string& input, std::function<void()> ended);
  // Takes up a run again.
  void resume(const std::string& id);

  struct Pass {
    double took_s = 0;
    double cpu_s = 0;                 // of this thread
    std::vector<double> latencies_s;  // of each run, from its start() to its end
  };
  // Runs `runs` times, `at_once` at a time, until all have ended.
  Pass run_all(const std::string& script, const std::string& input, int runs, int at_once);

  // Called for each committed record.
  std::function<void(const store::RunRow&, const journal::Record&)> on_committed;

 private:
  void committed(const store::RunRow& row, const journal::Record& record) override {
    if (on_committed) on_committed(row, record);
  }

  std::unique_ptr<loop::Loop> loop_;
  std::unique_ptr<engine::ScriptHost> host_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace perilune::bench
