// The border between the engine and the language of the scripts. bindings/lua implements it; the faces pass it in.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/engine/bundle.hpp"
#include "runtime/engine/effect_set.hpp"
#include "runtime/engine/requirements.hpp"
#include "runtime/engine/settings.hpp"
#include "runtime/flow/execution.hpp"
#include "runtime/flow/schema.hpp"

namespace perilune::hooks {
struct Event;
struct Listening;
}
namespace perilune::flow {
class ChildRuns;
class SharedLocks;
class StepCode;
}

namespace perilune::engine {

// What a script file says of a workflow before it runs.
struct Definition {
  std::string name;
  int64_t version = 1;
  std::string description;
  std::shared_ptr<const flow::Schema> input, output;   // null = anything
  int64_t timeout_us = 0;                              // 0 = the setting
  bool pause_on_error = false;                         // on_error = "pause"
  Requirements needs;                                  // requires
  bool preflight_at_top = false;   // a file that is itself the workflow has a preflight: it runs where workflow{} stands
};

// Facts about a run that are kept in its first record.
struct StartFacts {
  std::string cwd;          // relative paths of effects and `file` are meant from here
  std::string directory;    // of the script: where `require` looks
  std::string file;         // as the user named it
  int64_t timeout_us = 0;
  int64_t started_us = 0;
  bool pause_on_error = false;
  bool preflight_at_top = false;
  std::string seed;         // what random numbers and ids are made from; empty = the run's id (a fork has its origin's)
};

// Where the script is a hook file: who keeps what it registers.
class HookFile {
 public:
  virtual ~HookFile() = default;
  // `function` is the script's name for it, as Script::hook takes it. Errors: "usage".
  virtual Result<uint64_t> add(hooks::Listening listening, int function) = 0;
  virtual void remove(uint64_t id) = 0;
};

// What a running script may ask of the engine. Lives as long as its Script.
class RunContext {
 public:
  virtual ~RunContext() = default;
  virtual flow::Execution& execution() = 0;
  virtual EffectSet& effects() = 0;
  virtual const Settings& settings() const = 0;
  virtual const store::RunRow& row() const = 0;
  virtual const StartFacts& facts() const = 0;
  virtual int attempt() const = 0;          // this.attempt, as seen from where the script stands
  // Gives another run of this store a signal; see Engine::signal.
  virtual void send_signal(const std::string& run, const std::string& name, const std::string& value,
                           const std::string& id, std::function<void(Result<void>)> done) = 0;
  virtual flow::ChildRuns& children() = 0;
  virtual flow::SharedLocks& shared_locks() = 0;
  virtual HookFile* hook_file() { return nullptr; }
  // A line of the run's log; dropped during replay.
  virtual void log(const char* level, std::string_view text, std::string_view fields) = 0;
  // A module's text: of the bundle, added by a record, or from disk (then it is added by a record).
  // Errors: "not_found" (says where it looked).
  virtual Result<std::string> find_module(const std::string& name) = 0;
};

// One run's script: a Lua state with everything of the run in it.
class Script {
 public:
  virtual ~Script() = default;
  // The coroutine of the main task; once. Errors: "syntax", "memory".
  virtual Result<std::unique_ptr<task::Coroutine>> main() = 0;
  // Of a hook file: the task that calls a hook for an event. What it returns is JSON text for hooks::read_reply, or null.
  virtual std::unique_ptr<task::Coroutine> hook(int function, std::shared_ptr<const hooks::Event> event) = 0;
  // Set when the script was ended for good (budget, memory): the run must be aborted with it.
  virtual const Error* killed() const = 0;
  // Asks what the script answers to others: answer(name, fn). Errors: "not_found" (names what is registered), "validation",
  // and what fn raised.
  virtual Result<std::string> query(const std::string& name, const std::string& input_json) = 0;
  // The schema of the output that the running definition declared, or null.
  virtual std::shared_ptr<const flow::Schema> output_schema() const = 0;
  // The body of the running definition's postflight, whose attempt has the output as its input; or null.
  virtual std::unique_ptr<flow::StepCode> postflight() = 0;
};

// Where modules come from while a file is inspected.
class ModuleSource {
 public:
  virtual ~ModuleSource() = default;
  virtual Result<std::string> find_module(const std::string& name) = 0;
};

class ScriptHost {
 public:
  virtual ~ScriptHost() = default;
  // Runs the top of a file without effects, up to its first durable call: the workflows that it defines; a file that
  // defines none is itself one, named after its stem. Errors: "syntax", "script", "validation", each with file and line.
  virtual Result<std::vector<Definition>> inspect(const std::string& entry, const std::string& text, ModuleSource& modules,
                                                  const Settings& settings) = 0;
  virtual Result<std::unique_ptr<Script>> open(BundleRef bundle, const std::string& workflow, RunContext& context) = 0;
};

}  // namespace perilune::engine
