// A run as it stands, to be looked at: its journal is replayed up to its end in a Lua state of its own. Nothing is started,
// recorded or claimed, so that it works beside the process that executes the run, and for runs that are over. What is done
// with the copy is gone with it. Uses execution and script_host.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>

#include "runtime/engine/script_host.hpp"
#include "runtime/flow/child.hpp"
#include "runtime/flow/shared_lock.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "runtime/store/store.hpp"

namespace perilune::engine {

class ReplayedRun final : flow::Listener, RunContext, flow::ChildRuns, flow::SharedLocks {
 public:
  // What it is made from; all must outlive it.
  struct Sources {
    store::StoreReader* reader = nullptr;
    ScriptHost* host = nullptr;
    Settings settings;
    const std::map<std::string, std::string>* builtin_modules = nullptr;
  };
  // Errors: "not_found", "damaged", "diverged" (the code does not fit the journal), "budget", "memory", "storage".
  static Result<std::unique_ptr<ReplayedRun>> open(const Sources& sources, const std::string& run);
  ~ReplayedRun() override;

  // What the script's answer(name, fn) gives for `input_json`, as JSON text. Errors: "not_found" (names what it answers),
  // "validation", and what fn raised.
  Result<std::string> query(const std::string& name, const std::string& input_json);

 private:
  ReplayedRun(const Sources& sources, store::RunRow row, std::vector<journal::Record> records, BundleRef bundle);
  Result<void> replay();

  // ---- flow::Listener
  void committed(const journal::Record&) override {}
  void ended(const flow::Ending& ending) override { ending_ = ending; }
  void store_failed(const Error&) override {}
  void ask_turn() override {}
  Result<std::string> check_output(std::string output) override { return output; }
  bool checks_output() const override { return false; }   // its end is not looked at
  std::unique_ptr<flow::StepCode> postflight() override;

  // ---- RunContext
  flow::Execution& execution() override { return *execution_; }
  EffectSet& effects() override { return effects_; }
  const Settings& settings() const override { return sources_.settings; }
  const store::RunRow& row() const override { return execution_->row(); }
  const StartFacts& facts() const override { return facts_; }
  int attempt() const override { return execution_->attempt(); }
  void send_signal(const std::string&, const std::string&, const std::string&, const std::string&,
                   std::function<void(Result<void>)>) override {}
  flow::ChildRuns& children() override { return *this; }
  flow::SharedLocks& shared_locks() override { return *this; }
  void log(const char*, std::string_view, std::string_view) override {}
  Result<std::string> find_module(const std::string& name) override;

  // ---- flow::ChildRuns, flow::SharedLocks: calls that would ask for something never start
  void start_child(Request, std::function<void(Result<void>)>) override {}
  bool child_exists(const std::string&) override { return false; }
  void watch_child(const std::string&, bool, Ended) override {}
  void cancel_child(const std::string&, const Error&) override {}
  void request(flow::SharedLock&) override {}
  void withdraw(flow::SharedLock&) override {}
  void holds(const std::string&, const flow::LockHolder&, task::Task&) override {}
  void release(const std::string&, const flow::LockHolder&) override {}
  const task::Task* holding_task(const std::string&) override { return nullptr; }

  Sources sources_;
  loop::SimLoop loop_;          // it is never run
  EffectSet effects_;
  StartFacts facts_;
  BundleRef bundle_;
  std::map<std::string, std::string> added_modules_;
  flow::Ending ending_;
  std::unique_ptr<flow::Execution> execution_;
  std::unique_ptr<Script> script_;
};

}  // namespace perilune::engine
