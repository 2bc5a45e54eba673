// A hook file in this process: a script with a state of its own, in which each call of a hook is a task. Nothing that it does
// is recorded: its tasks are attempts of no step, so effects, parallel, race, map, sleep and log are open to them and durable
// calls are not. What a hook decides is its caller's to record.
//
//   open: the file runs once, registers its hooks, and may not wait
//   call: task in the file's state --> reply --> checked against the point --> done
//
// A call that takes too long is cancelled; a state that ran out of memory or CPU time is made anew from the same text, and the
// calls that were under way in it have failed. Uses script_host, hooks/registry.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/script_host.hpp"
#include "runtime/hooks/registry.hpp"

namespace perilune::engine {

struct HookSource {
  std::string name;            // as messages call it
  std::string text;
  std::string directory;       // where its `require` looks
  std::string cwd;             // relative paths of its effects are meant from here
};

class HookHost final : public flow::Listener, public RunContext, public HookFile {
 public:
  struct Place {
    loop::Loop* loop;
    ScriptHost* scripts;
    EffectSet* effects;
    hooks::Registry* registry;
    const std::map<std::string, std::string>* builtin_modules;
    std::function<void()> ask_turn;
    // `run`: whose event the hook was called for, or null.
    std::function<void(const hooks::RunFacts* run, const char* level, std::string_view text, std::string_view fields)> log;
  };
  HookHost(Place place, HookSource source, Settings settings);
  ~HookHost() override;

  // Runs the file. Errors: those of the script, and "usage" when it waits.
  Result<void> open();
  void turn();
  void call(int function, std::shared_ptr<const hooks::Event> event, hooks::Hook::Done done);

  // ---- HookFile
  Result<uint64_t> add(hooks::Listening listening, int function) override;
  void remove(uint64_t id) override { place_.registry->remove(id); }

  // ---- RunContext
  flow::Execution& execution() override { return *life_.execution; }
  EffectSet& effects() override { return *place_.effects; }
  const Settings& settings() const override { return settings_; }
  const store::RunRow& row() const override { return row_; }
  const StartFacts& facts() const override { return facts_; }
  int attempt() const override { return 1; }
  void send_signal(const std::string&, const std::string&, const std::string&, const std::string&,
                   std::function<void(Result<void>)>) override;
  flow::ChildRuns& children() override;
  flow::SharedLocks& shared_locks() override;
  void log(const char* level, std::string_view text, std::string_view fields) override;
  Result<std::string> find_module(const std::string& name) override;
  HookFile* hook_file() override { return this; }

  // ---- flow::Listener: there is nothing to commit
  void committed(const journal::Record&) override {}
  void ended(const flow::Ending&) override { retire_oldest(); }
  void store_failed(const Error&) override { retire_oldest(); }
  void ask_turn() override { place_.ask_turn(); }
  Result<std::string> check_output(std::string output) override { return output; }
  bool checks_output() const override { return false; }
  std::unique_ptr<flow::StepCode> postflight() override;

 private:
  class Call;
  friend class Call;
  // A state with what its tasks need. One that was ended by force goes when its execution has heard of that from its store.
  struct Life {
    std::unique_ptr<store::Store> store;             // that nothing is written to
    std::unique_ptr<Script> script;
    std::unique_ptr<flow::Execution> execution;
  };
  void make_execution();
  void close(bool by_force);
  void retire_oldest();
  void begin(std::unique_ptr<Call> call, std::unique_ptr<task::Coroutine> coroutine);
  std::unique_ptr<Call> take(Call& call);

  Place place_;
  HookSource source_;
  Settings settings_;
  StartFacts facts_;
  store::RunRow row_;
  Life life_;
  std::vector<Life> retired_;                        // oldest first
  size_t to_go_ = 0;                                 // of them
  task::Task* main_ = nullptr;                       // waits for ever: the calls are named after it
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<hooks::Registry::Id> added_;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
};

}  // namespace perilune::engine
