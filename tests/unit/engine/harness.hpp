// Runs script texts to their end in virtual time: the real engine and scripts on the simulated loop and the memory
// store. A life can be cut after a record, and the next one goes on from what is on disk.
//
// Scripts have two more globals here: effect(name) notes that a piece of code ran; work(name, seconds) is an effect
// that takes virtual time and gives its name back ("fail: ..." fails); it notes "cancelled NAME" when it is cancelled;
// outside(name) is what Lab::outside says in this life: what a deterministic script may not look at.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/engine.hpp"
#include "runtime/engine/operator.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "runtime/store/memory_store.hpp"

namespace perilune::engine {

constexpr uint64_t k_all_records = ~0ull;

// One process: a loop, a store on a disk, and an engine.
class Place final : public Observer {
 public:
  struct Options {
    std::shared_ptr<store::MemoryDisk> disk = store::make_memory_disk();
    uint64_t records = k_all_records;  // it dies when so many more are committed
    int64_t wall_us = 1'700'000'000'000'000;
    Settings settings;
    std::map<std::string, std::string> builtin_modules;
    std::function<bool()> snapshot_due;
    const std::map<std::string, std::string>* outside = nullptr;
    std::function<std::unique_ptr<store::Store>(loop::SimLoop&)> make_store;   // in place of the one in memory
    std::vector<std::string> hooks;
  };
  explicit Place(Options options);
  ~Place() override;

  loop::SimLoop& loop() { return loop_; }
  Engine& engine() { return *engine_; }
  store::StoreReader& reader() { return *reader_; }
  std::vector<std::string>& logs() { return logs_; }
  std::vector<std::string>& effects() { return effects_; }
  uint64_t committed_live() const { return committed_; }  // records that the observer was told of

  void log(const store::RunRow&, int64_t, const char* level, std::string_view text, std::string_view fields) override;
  void committed(const store::RunRow&, const journal::Record&) override { ++committed_; }

 private:
  std::vector<std::string> logs_, effects_;
  uint64_t committed_ = 0;
  loop::SimLoop loop_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::StoreReader> reader_;
  std::unique_ptr<ScriptHost> host_, hook_scripts_;
  std::unique_ptr<Engine> engine_;
};

struct Life {
  bool refused = false;  // it did not start, or could not be resumed: `error` says why
  bool ended = false;    // the run is over (else the life was cut)
  store::Status status = store::Status::running;
  std::string output;
  Error error;
  std::vector<std::string> logs;  // "info: text {fields}"
  std::vector<std::string> effects;
  int64_t elapsed_us = 0;  // of virtual time

  double seconds() const { return static_cast<double>(elapsed_us) / 1e6; }
};

// One run with its lives.
class Lab {
 public:
  explicit Lab(std::string script_) : script(std::move(script_)) {}

  std::string script;
  std::string file = "flow.lua", directory, workflow, id = "run-1", input = "{}";
  Settings settings;
  std::map<std::string, std::string> builtin_modules;   // beside those of the stdlib
  std::map<std::string, std::string> outside;
  std::vector<std::string> hooks;   // texts of hook files, called hooks-1.lua and so on
  std::function<bool()> snapshot_due;   // when loops are saved; null = when it is worth it

  // Begins the run, or resumes it when its first record is on disk. The process dies when `records` more are committed.
  Life live(uint64_t records = k_all_records);
  // A process that does nothing but what an operator asks of the run, or of the run that it forks from it.
  Result<store::RunRow> operate(const Order& order, uint64_t records = k_all_records);
  Result<store::RunRow> fork(const ForkOrder& order);
  // Between two lives.
  void wait(int64_t us) { wall_us_ += us; }

  std::vector<journal::Record> journal();
  std::vector<journal::Record> living();    // what of it counts
  store::RunRow row();
  // "step_done a" and so on, in order, of those kinds.
  std::vector<std::string> recorded(const std::vector<journal::Kind>& kinds);
  const std::vector<std::string>& ledger() const { return ledger_; }  // the effects of all lives
  std::shared_ptr<store::MemoryDisk> disk() { return disk_; }

 private:
  std::shared_ptr<store::MemoryDisk> disk_ = store::make_memory_disk();
  int64_t wall_us_ = 1'700'000'000'000'000;
  std::vector<std::string> ledger_;
};

// A run that is never cut.
Life run(const std::string& script, const std::string& input = "{}");
// As text for comparisons: the output of a run that completed, or "STATUS code: message".
std::string result(const Life& life);
std::string result(const std::string& script, const std::string& input = "{}");

}  // namespace perilune::engine
