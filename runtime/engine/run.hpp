// One live run on the worker: its execution, its script, and how they end.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "runtime/engine/engine.hpp"
#include "runtime/flow/child.hpp"

namespace perilune::engine {

class Run final : public flow::Listener, public RunContext, public flow::ChildRuns {
 public:
  Run(Engine& engine, store::RunRow row, StartFacts facts, std::vector<journal::Record> records, BundleRef bundle,
      Engine::Ended ended);
  ~Run() override;

  // Opens the script and starts (or replays) it.
  Result<void> open();
  void turn();
  bool over() const { return over_; }
  bool in_turn_queue = false;

  // ---- flow::Listener
  void committed(const journal::Record& record) override;
  void ended(const flow::Ending& ending) override;
  void store_failed(const Error& error) override;
  void ask_turn() override { engine_.ask_turn(*this); }
  Result<std::string> check_output(std::string output) override;
  bool checks_output() const override { return script_->output_schema() != nullptr; }
  std::unique_ptr<flow::StepCode> postflight() override;

  // ---- RunContext
  flow::Execution& execution() override { return *execution_; }
  EffectSet& effects() override { return engine_.effects_; }
  const Settings& settings() const override { return engine_.options_.settings; }
  const store::RunRow& row() const override { return execution_->row(); }
  const StartFacts& facts() const override { return facts_; }
  int attempt() const override { return execution_->attempt(); }
  void send_signal(const std::string& run, const std::string& name, const std::string& value, const std::string& id,
                   std::function<void(Result<void>)> done) override {
    engine_.signal(run, name, value, id, std::move(done));
  }
  flow::ChildRuns& children() override { return *this; }
  flow::SharedLocks& shared_locks() override { return engine_.locks_; }
  void log(const char* level, std::string_view text, std::string_view fields) override;
  Result<std::string> find_module(const std::string& name) override;

  // ---- flow::ChildRuns (engine_children.cpp)
  void start_child(Request request, std::function<void(Result<void>)> done) override;
  bool child_exists(const std::string& run) override;
  void watch_child(const std::string& run, bool attached, Ended ended) override;
  void cancel_child(const std::string& run, const Error& reason) override;

 private:
  friend class Engine;
  Engine& engine_;
  StartFacts facts_;
  BundleRef bundle_;
  Engine::Ended ended_;
  std::unique_ptr<flow::Execution> execution_;
  std::unique_ptr<Script> script_;
  std::map<std::string, std::string> added_modules_;   // by records of this run
  bool over_ = false;
  bool aborted_ = false;
  std::vector<std::string> leaving_;   // children that a rollback cancels: the run goes on after them
  flow::Ending ending_;
};

// The first record's data, and back.
std::string start_data(const StartFacts& facts, const store::RunRow& row);
StartFacts read_start_data(const journal::Record& record);

}  // namespace perilune::engine
