// The engine: a store, a worker and the runs on it. The composition root: everything below is built here, by hand.
//
//   start(file) -> inspect -> bundle -> store.create -> Run on the worker's loop -> ended
//   resume(id)  -> store.claim -> read the journal -> Run replays -> goes on
//   a run that only sleeps leaves memory (evict_after) and is read again when its timer is due
//
// Everything is called on the loop's thread, and callbacks come there.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/engine/hook_host.hpp"
#include "runtime/engine/lock_table.hpp"
#include "runtime/engine/script_host.hpp"
#include "runtime/loop/loop.hpp"
#include "runtime/store/store.hpp"

namespace perilune::hooks {
class EventBus;
}

namespace perilune::engine {

class Run;
struct ForkOrder;
struct Order;

struct StartRequest {
  std::string file;              // shown in messages; the script's path
  std::string text;              // of the script
  std::string directory;         // where `require` looks
  std::string cwd;               // for effects
  std::string workflow;          // which of the file's workflows; empty = the only one
  std::string input = "{}";      // JSON text
  std::string id;                // empty = a new one
  std::string session;
  std::string parent;            // the run whose child it is, or empty
  BundleRef pinned;              // code that stands already, in place of file, text and the modules on disk; or null
};

// Sees the runs that this engine executes: when they come and go, their records as they are delivered to the script, and what
// they log, which is no record. For whoever drives the engine; others observe Engine::events(). Any member may be left as it
// is.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(const store::RunRow& row, bool resumed) { (void)row, (void)resumed; }
  virtual void committed(const store::RunRow& row, const journal::Record& record) { (void)row, (void)record; }
  virtual void log(const store::RunRow& row, int64_t at_us, const char* level, std::string_view text,
                   std::string_view fields) {
    (void)row, (void)at_us, (void)level, (void)text, (void)fields;
  }
  virtual void ended(const store::RunRow& row, const flow::Ending& ending) { (void)row, (void)ending; }
};

class Engine {
 public:
  struct Options {
    loop::Loop* loop = nullptr;
    store::Store* store = nullptr;
    ScriptHost* host = nullptr;
    ScriptHost* hook_scripts = nullptr;   // for hook files; null = there can be none
    Observer* observer = nullptr;     // may be null
    Settings settings;
    task::Rules rules;                // all on, but in the simulation
    std::function<bool()> snapshot_due;   // when loops are saved; null = when it is worth it (tests choose)
    std::map<std::string, std::string> builtin_modules;   // the stdlib's Lua modules, by name
    effects::StandIn* stand_in = nullptr;   // in tests: takes the place of effects and of bodies of steps
  };
  explicit Engine(Options options);
  ~Engine();

  // Runs a hook file: its hooks see all runs of this engine from now on. Errors: those of the script.
  Result<void> add_hook_file(HookSource source);
  hooks::Registry& hooks() { return hooks_; }

  using Ended = std::function<void(const store::RunRow&, const flow::Ending&)>;
  using Started = std::function<void(Result<store::RunRow>)>;

  // Starts a run. `started` comes once it is on disk (or could not be: "validation", "syntax", "not_found", "conflict" for
  // an id that stands with another input, "storage"); `ended` when it is over. An id that stands with the same input gives
  // that run: it is resumed when it is not over. Several may ask for the same run: each is told.
  void start(StartRequest request, Started started, Ended ended);
  // Takes up a run that is not over. Errors: "not_found", "usage" (it is over), "damaged", "storage".
  void resume(const std::string& id, Started started, Ended ended);
  // Asks a live run of this engine to end. False: no such run here.
  bool cancel(const std::string& id, const std::string& by);

  // Gives a run a signal; `value` is JSON text, `id` makes it the same one when it is sent again (or is empty). `done` comes
  // once it is on disk; the run goes on when it is live here or asleep, else when it is resumed. Errors: "not_found",
  // "usage" (it is over), "storage".
  void signal(const std::string& run, const std::string& name, const std::string& value, const std::string& id,
              std::function<void(Result<void>)> done);

  // Answers a question of a run (question 0: the only one that is open). answer.done comes once it is on disk; the run goes on as
  // after a signal. Errors: "validation" (none of the choices, which it names), "usage" (no such question is open: says
  // which are, or who has answered it; its time is over; the run is over), "conflict" (this life of the run ended
  // meanwhile), "not_found", "storage". An engine that goes tells nobody.
  void answer(const std::string& run, flow::Answer answer);

  // Asks what the run's script answers (replayed_run.hpp): of a copy of the run as it is on disk, live or not, so the run itself
  // is not touched. `done` is called at once, with JSON text. Errors: those of ReplayedRun.
  void query(const std::string& run, const std::string& name, const std::string& input_json,
             const std::function<void(Result<std::string>)>& done);

  // Tells when a run is over, or can't go on here (its status says which); it is taken up where nobody executes it. `by` is
  // the run that waits, which is woken when `ended` says that it has left memory; `attached`: it ends with that run.
  void watch_end(const std::string& run, const std::string& by, bool attached,
                 std::function<bool(const flow::Ending&)> ended);
  // Cancels a run that may be in memory or not.
  void cancel_run(const std::string& run, const Error& reason, const std::string& by);
  // The request for a workflow that `asking` calls: of its own file (pinned), else NAME.lua beside it.
  Result<StartRequest> child_request(const Run& asking, const std::string& workflow);

  // What an operator asks of a run (operator.hpp). `done` comes once it is on disk, with the row as it is then; a run that
  // is to go on goes on when it is resumed. Errors: "usage" (says which acts are open), "not_found", "storage".
  void operate(const std::string& run, const Order& order, Started done);
  // A new run with the journal of `run` up to a record, to be resumed. Errors as above, and "conflict", "validation".
  void fork(const std::string& run, const ForkOrder& order, Started done);

  // Committed records of all runs, those of other processes' lives with them: see event_bus.hpp. While nobody has asked for
  // it there is none, and nothing is paid for it.
  hooks::EventBus& events();

  // Whether the run is in memory here, or asleep here until its time.
  bool executes(const std::string& run) const {
    return runs_.count(run) != 0 || sleeping_.count(run) != 0 || claiming_.count(run) != 0;
  }
  size_t live() const { return runs_.size(); }           // runs in memory
  size_t sleeping() const { return sleeping_.size(); }   // evicted, waiting for their time

  // What a file defines, as inspect() gives it, and the bundle that it would run with.
  struct Inspection {
    std::vector<Definition> definitions;
    BundleRef bundle;
  };
  Result<Inspection> inspect(const StartRequest& request);
  Result<Inspection> inspect_pinned(const BundleRef& bundle);

 private:
  friend class Run;
  struct Claiming {                            // whoever asked for a run that is being claimed
    Started started;
    Ended ended;
  };
  struct Watcher {                             // a run that waits for another one
    std::string by;
    bool attached;
    std::function<bool(const flow::Ending&)> ended;
  };
  void tell_watchers(const std::string& run, const flow::Ending& ending);
  void cancel_children_of(const std::string& run);
  void cancel_children_since(Run& run, const journal::OpenRollback& rollback);
  void release_since(const Run& run);
  void wake_after(const std::string& run, const std::vector<std::string>& others);
  void tell_held_up(const std::string& run, const std::string& lock, const std::string& holder);
  void turn();
  void end_run(Run& run);
  // ---- hooks from outside (engine_hooks.cpp)
  void tell_run(hooks::Point point, const store::RunRow& row, std::string fields);
  void tell_end(const store::RunRow& row, const flow::Ending& ending);
  void log_of(const hooks::RunFacts& run, const char* level, std::string_view text, std::string_view fields);
  void ask_turn(Run& run);
  void create_run(StartRequest request, Definition definition, BundleRef bundle, Started started, Ended ended);
  void open_run(store::RunRow row, StartFacts facts, std::vector<journal::Record> records, BundleRef bundle, bool resumed,
                Started started, Ended ended);
  void load(store::RunRow row, Started started, Ended ended);
  bool may_leave(const Run& run) const;
  void evict(Run& run);
  void signal_stored(const store::RunRow& row, const std::string& name, const std::string& value, const std::string& id,
                     std::function<void(Result<void>)> done);
  bool comes_later(const std::string& run, std::function<void()> again, std::function<void(Result<void>)> failed);
  Result<store::RunRow> row_to_write(const std::string& run, const std::string& what);
  void answer_live(Run& run, flow::Answer answer);
  void answer_stored(const store::RunRow& row, const flow::Answer& answer);
  Result<journal::Record> read_question(const std::string& run, uint64_t number);
  void wake(const std::string& id);
  void operate_live(Run& run, const Order& order, Started done);
  // Claims a run that nobody executes and appends what `batch` gives for the claimed row (run and epoch are set here).
  void append_stored(const std::string& id, std::function<store::Append(const store::RunRow&)> batch,
                     std::function<void(Result<void>)> done);
  void append_plan(const std::string& run, std::vector<journal::Record> records, store::RunPatch patch, Started done);
  Result<void> check_fork_input(const store::RunRow& row, std::string& input);
  void refuse_damaged(const store::RunRow& row, const Error& error, const Started& started);
  void set_aside(const store::RunRow& row, store::Status status, std::string error);
  Result<BundleRef> bundle(const std::string& hash);
  store::StoreReader& reader();
  bool run_stands(const std::string& id);

  Options options_;
  EffectSet effects_;
  std::unique_ptr<store::StoreReader> reader_;
  std::shared_ptr<bool> closing_ = std::make_shared<bool>(false);
  LockTable locks_;
  std::unique_ptr<hooks::EventBus> events_;
  hooks::Registry hooks_;
  std::vector<std::unique_ptr<HookHost>> hook_hosts_;
  bool hooks_asked_ = false;                   // a hook file has something to do
  std::unordered_map<std::string, std::unique_ptr<Run>> runs_;
  std::vector<Run*> turns_;                    // runs that asked for a turn
  struct Sleeper {
    store::RunRow row;
    Ended ended;
    loop::TimerId timer;
  };
  std::unordered_map<std::string, Sleeper> sleeping_;
  std::unordered_map<std::string, Claiming> claiming_;
  std::unordered_map<std::string, std::vector<std::function<void()>>> storing_;   // what comes after a write that is under way
  std::unordered_map<std::string, std::vector<Watcher>> watchers_;   // by the run that is waited for
  std::unordered_map<std::string, BundleRef> bundles_;
  struct Inspected {
    std::vector<Definition> definitions;
    BundleRef bundle;
  };
  std::unordered_map<std::string, Inspected> inspected_;   // by hash of file name and text
};

}  // namespace perilune::engine
