// A run under test: the real engine and script in virtual time, on a store in memory that outlives its processes. A life
// can be cut after any record; the next one goes on from what is on disk. Something stands in for the world (mocks).
// Promises: nothing waits, nothing of the real world is touched, the same order gives the same run.
// Uses engine, lua, api, the memory store and the simulated loop.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bindings/testing/mocks.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "runtime/store/memory_store.hpp"

namespace perilune::testing {

inline constexpr uint64_t k_uncut = ~0ull;

class Trial final : public engine::Observer, public effects::StandIn {
 public:
  struct Signal {
    std::string name, value = "null";   // JSON text
    int64_t at_us = 0;                  // since the beginning of the run
  };
  struct Order {
    std::string file, text, directory;  // the script, and where `require` looks
    std::string workflow;               // which of the file's; empty = the only one
    std::string input = "{}";
    std::string id = "run-1";
    engine::Settings settings;
    std::vector<Signal> signals;
  };
  // `mocks` lives longer.
  Trial(Order order, Mocks& mocks);
  ~Trial() override;

  // A process that begins the run, or resumes it; it dies when `records` more are committed. Nothing has run yet.
  void live(uint64_t records = k_uncut);
  // Until the run is over, or nothing is left that could move it, or the process has died.
  void run_on();
  // The same for so much of virtual time.
  void advance(int64_t us);
  void signal(const std::string& name, const std::string& value);

  uint64_t records();                   // on disk
  const Error* refused() const { return refused_.get(); }
  // What the script's test sees: status, output, error, records, events, logs, effects, and what went wrong with the test
  // itself (`unmocked`, `repeated`). JSON text.
  std::string view_json();

  // ---- engine::Observer
  void log(const store::RunRow& row, int64_t at_us, const char* level, std::string_view text,
           std::string_view fields) override;
  // ---- effects::StandIn
  std::unique_ptr<effects::Effect> effect(const std::string& call, const std::string& arguments,
                                          const task::AttemptContext& attempt, effects::Done<std::string> done) override;
  bool takes_over(const std::string& name, const task::AttemptContext& attempt) override;
  std::unique_ptr<effects::Effect> body(const std::string& name, const task::AttemptContext& attempt,
                                        effects::Done<std::string> done) override;

 private:
  struct Process;
  struct Line {
    std::string level, text, fields;
  };
  void plan_signals();
  void note_attempt(const std::string& name, const std::string& key);
  std::vector<journal::Record> journal(store::StoreReader& reader);
  std::unique_ptr<store::StoreReader> open_reader();
  loop::Loop& stage();                           // of the process that lives

  Order order_;
  Mocks& mocks_;
  std::shared_ptr<store::MemoryDisk> disk_ = store::make_memory_disk();
  std::unique_ptr<Process> process_;
  std::unique_ptr<Error> refused_;
  int64_t begun_us_, wall_us_;
  std::vector<Line> logs_;
  std::vector<std::string> effects_;             // JSON objects
  std::vector<std::string> unmocked_;            // names of effects that nothing stood in for
  std::set<std::string> recorded_;               // keys of steps whose result is on disk
  std::vector<std::string> repeated_;            // steps that began though their result was on disk
};

}  // namespace perilune::testing
