// One run being executed on a worker: its tasks, its place in the journal, and what it has not committed yet.
//
// The order of everything is the journal's: one outcome record is delivered, then every ready task runs until all wait,
// then the next record; live and on replay alike. Until the last recorded outcome is delivered nothing starts (no effect,
// no timer); then what still waits starts, in the order of the calls. A recorded outcome returns without a yield only if
// its record is the next undelivered one and no other task is ready.
//
//   begin(op) --recorded--> waits for its record        (replay)
//       |  \---not yet, replaying--> parked --replay ends--> start()
//       +--live--> start() --> record(outcome) --> flush: store.append --> committed --> delivered: the task is ready
//
// Uses task, journal, store.hpp. Made by engine; the durable calls of this room work through it.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "runtime/journal/cursor.hpp"
#include "runtime/flow/state_view.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/loop/loop.hpp"
#include "runtime/store/store.hpp"
#include "runtime/task/scheduler.hpp"

namespace perilune::effects {
class StandIn;
}
namespace perilune::hooks {
class Registry;
enum class Point : uint8_t;
struct Event;
struct RunFacts;
}

namespace perilune::flow {

class Ask;
class ChildRuns;
class Durable;
class Execution;
class Locks;
class PublishedState;
class Receive;
class Saga;
class StepCode;

// The data of a signal record; `id` says that it is the same signal when it is sent again, or is empty.
std::string signal_data(const std::string& value_json, const std::string& id);
std::string signal_id_of(const journal::Record& record);

// An answer to a question of a run (ask.hpp).
struct Answer {
  uint64_t question = 0;   // 0 = the only one that is open
  std::string value;       // JSON text
  std::string by;
  // Called when the answer is on disk, or refused: "validation", "not_found" (no such question is open, or several are),
  // "usage" (the run is ending). Not called at all when this life of the run ends before.
  std::function<void(Result<void>)> done;
};

// Looks at the run each time when a record has been delivered and all that it made ready has run. The order of the run
// alone decides when, and what it sees.
class Watch {
 public:
  virtual ~Watch() = default;
  virtual void look() = 0;
};

// What identifies an operation towards the outside world: the same in every life and every attempt.
std::string operation_key(const std::string& run, const std::string& task, uint32_t op, uint32_t generation);

// How a run ended in this process.
struct Ending {
  store::Status status = store::Status::completed;
  std::string output;                 // JSON text, when completed
  std::shared_ptr<const Error> error;
  bool again = false;                 // its journal was taken back: it is to be read again, and goes on
};

// A named place to which a script, or an operator, can go back.
struct CheckpointMark {
  uint64_t undo_order = 0;            // registrations of compensations until then
  StateMapRef state;                  // of the task that made it; null: it had none
};

// Where the run as a whole stands: what a loop's snapshot keeps of it, beside the loop's own.
struct Marks {
  uint64_t delivered_seq = 0;         // of the last outcome that was delivered
  int64_t now_us = 0;                 // its time
  int64_t running_us = 0;
  uint64_t undo_order = 0;
  std::unordered_map<std::string, CheckpointMark> checkpoints;
  std::unordered_map<std::string, std::deque<std::string>> inbox;
  std::vector<std::string> settled;   // operations that have ended, but whose record is still to be passed by
  std::vector<StateMap> states;       // what the task and those that wait for it have set, the main task's last; or none
};

// Who owns the execution: engine::Run.
class Listener {
 public:
  virtual ~Listener() = default;
  // A record is committed (live ones only), in order.
  virtual void committed(const journal::Record& record) = 0;
  // All is over and committed (or, for diverged, the row is changed). The execution may be destroyed after the turn.
  virtual void ended(const Ending& ending) = 0;
  // The store refused: nothing of this run can be recorded any more. Called once.
  virtual void store_failed(const Error& error) = 0;
  // turn() should be called again at the end of this loop pass.
  virtual void ask_turn() = 0;
  // The output as it is to be kept: checked against the workflow's schema.
  virtual Result<std::string> check_output(std::string output) = 0;
  virtual bool checks_output() const = 0;     // it has a schema
  // The gate before the end, as a step's body that is given the output; null: there is none.
  virtual std::unique_ptr<StepCode> postflight() = 0;
};

class Execution {
 public:
  struct Options {
    loop::Loop* loop = nullptr;
    store::Store* store = nullptr;
    Listener* listener = nullptr;
    store::RunRow row;                       // as claimed
    std::vector<journal::Record> records;    // its journal, as far as it counts (journal::living); first run_started
    uint64_t seed = 0;
    int64_t timeout_us = 0;                  // of running time; 0 = none
    bool pause_on_error = false;             // a step that failed for good pauses the run
    ChildRuns* children = nullptr;           // other runs, for hooks that redirect
    hooks::Registry* hooks = nullptr;        // those from outside of scripts; null = none
    task::Rules rules;                       // all on, but in the simulation
    effects::StandIn* stand_in = nullptr;    // in tests: takes over attempts of steps
    bool read_only = false;                  // the journal is replayed to its end and no further: nothing starts, nothing is
                                             //   recorded, the store is not asked
    std::function<bool()> snapshot_due;      // null = loops are saved when their work since the last time is worth it
  };
  explicit Execution(Options options);
  ~Execution();

  // ---- for the owner
  void start(std::unique_ptr<task::Coroutine> main);
  // Runs what is ready, delivers what is committed, hands over what is to be committed.
  void turn();
  // turn() stopped because the run kept the worker for long: it has more to do at once.
  bool unfinished_turn() const { return unfinished_turn_; }
  // Asks the run to end: recorded, then delivered like any outcome.
  void request_cancel(Error reason, const std::string& by);
  // A signal for the run: recorded, then delivered. `committed` is called once it is on disk. A signal with an id that the
  // journal holds already is not recorded again. False: the run is ending and takes none.
  bool signal(const std::string& name, const std::string& value_json, const std::string& id,
              std::function<void()> committed);
  // An answer: recorded, then delivered to its question.
  void answer(Answer answer);
  // The run ends here as it is (budget, memory, an operator): no task is resumed any more, nothing is undone.
  void abort(Error error, store::Status status = store::Status::failed);
  // An operator's: the life ends, the run stays as it is recorded. `record` says who.
  void pause_by(journal::Record record);
  // Nothing but timers is waited for and all is committed: the run may leave memory.
  bool evictable() const;
  int64_t next_wake_us() const;              // of the sleeping tasks, or 0
  bool over() const { return over_; }

  // ---- for the durable calls and the bindings
  task::Scheduler& scheduler() { return scheduler_; }
  loop::Loop& loop() { return *options_.loop; }
  const store::RunRow& row() const { return options_.row; }
  bool replaying() const { return replaying_; }
  uint64_t last_seq() const { return last_seq_; }
  int64_t now_us() const { return now_us_; }  // time of the last delivered record
  task::Scope& background();                 // tasks that end with the run (rest = "keep")

  // A durable call of the running task. True: its outcome is in task.outcome at once. False: the task must suspend.
  bool begin(Durable& op, task::Task& task);
  // What is recorded of an operation (for its start after a restart).
  const journal::Cursor& cursor() const { return cursor_; }

  // The outcome of `op`: appended, committed (then `then` is called), delivered.
  void record(Durable& op, journal::Kind kind, std::string data, std::function<void()> then = {});
  // A record without outcome. It rides with the next commit, or is flushed at the end of this turn when `soon`. Records of
  // an operation that stand in the journal already (same kind) are not written again when `once`.
  void note(journal::Record record, bool soon);
  bool noted(const task::Task& task, uint32_t op, journal::Kind kind) const { return noted(task.id, op, kind); }
  bool noted(const std::string& task, uint32_t op, journal::Kind kind) const;
  // As note, and calls `then` once it is committed.
  void note_then(journal::Record record, std::function<void()> then);

  // What keeps the run in memory: a started operation that is no timer.
  void hold(Durable& op);
  void drop(Durable& op);
  void ask_turn() { options_.listener->ask_turn(); }
  const task::Rules& rules() const { return options_.rules; }
  effects::StandIn* stand_in() const { return options_.stand_in; }
  // With rules().cancel_by_record off: the operation ends without a record.
  void end_unrecorded(Durable& op);
  // It ended during the replay: it will not be started at its end.
  void unpark(Durable& op) { std::erase(parked_, &op); }
  void timer_started(int64_t due_us) { sleeping_.push_back(due_us); }
  void timer_ended(int64_t due_us);

  // ---- for child and shared_lock: what is waited for depends on other runs
  void awaits_other(const std::string& what) { awaited_.push_back(what); }
  void left_other(const std::string& run, bool stuck);
  // It can't go on in this process. When all that is waited for is stuck, this life of the run ends as waiting.
  void other_stuck(Error error);
  const std::vector<std::string>& awaited() const { return awaited_; }

  // Ends this life of the run as paused: a compensation failed for good. All that is noted is committed first.
  void pause(Error error);

  bool pauses_on_error() const { return options_.pause_on_error; }
  ChildRuns* children() { return options_.children; }
  // ---- hooks from outside (outside_events.cpp)
  // Where one listens to the point; else null.
  hooks::Registry* listening(hooks::Point point) const;
  // `fields`: the members of a JSON object. `input`: JSON text, which stands in the event as `input_name`.
  hooks::Event event(hooks::Point point, std::string fields, std::string input_name = {}, std::string input = {});
  // Live only: those that listen hear of it; nobody waits for them.
  void tell(hooks::Point point, std::string fields, std::string input_name = {}, std::string input = {});
  void complain(const std::string& text);   // about a hook, in the run's log
  // The journal holds decisions of hooks.
  bool has_decisions() const { return has_decisions_; }

  // Ends this life of the run as diverged: nothing more is started or written but the row's status.
  void diverge(const std::string& what);

  // How often the run was started or retried, as seen from here: on replay the tries of then.
  int attempt() const;
  // Set while an operator's rollback is under way.
  const std::optional<journal::OpenRollback>& rolling_back() const { return rolling_; }
  uint64_t delivered_seq() const { return delivered_seq_; }
  // Compensations of the script that are on their way: what they undo is on no saga any more.
  void undoing(int change) { undoing_ += change; }
  // The main task has ended well. What it registered is forgotten, unless the run is being rolled back.
  void keep_for_rollback(Saga& saga);

  // Registrations of compensations are counted, and checkpoints remember the count: a rollback undoes what is newer.
  uint64_t next_undo_order() { return ++undo_order_; }
  void mark_checkpoint(const std::string& name, const task::Task& task);
  const CheckpointMark* checkpoint_mark(const std::string& name) const;   // null: there is none yet

  // ---- for receive (inbox.cpp)
  bool take_signal(const std::string& name, std::string& value);
  void drop_signals(const std::string& name);
  void add_receiver(Receive& receiver);
  void remove_receiver(Receive& receiver);
  // ---- for ask (questions.cpp)
  void add_question(Ask& question);
  void remove_question(Ask& question);
  // Ends a waiting operation with an outcome that another record brought.
  void settle(Durable& op, task::Outcome outcome);

  std::string operation_key(const task::Task& task, uint32_t op) const;

  // finish(output): the run ends as completed with this output; all that goes on is cancelled, `task` too. The line from
  // the main task to it counts as ended well: it undoes nothing. Errors: "validation" (then nothing has changed).
  Result<void> complete(task::Task& task, std::string output);
  bool completes_through(const task::Task& task) const;
  // The run fails with this error, which nothing in it can catch: all that goes on is cancelled, `task` too. What it did is
  // undone as when its body fails.
  void fail(task::Task& task, Error error);

  // ---- the run's state (execution_state.cpp)
  // A branch has ended and the task that waits for it goes on. Errors: as merge_view.
  Result<void> join_state(task::Task& parent, task::Task& branch, const MergeRule& rule);
  // What the main task has set is made known with the next commit.
  void publish_state();

  Locks& locks() { return *locks_; }
  uint64_t next_arrival() { return ++arrivals_; }   // of a value in a channel
  void watch(Watch& watch) { watches_.push_back(&watch); }
  void unwatch(Watch& watch) { std::erase(watches_, &watch); }
  void look_again() { looked_ = false; }      // also before the next record
  // ---- for loops: a call whose work is recorded between its opening and its outcome (execution_marks.cpp)
  // Gives the call its number and notes its opening. False: the journal has another call there, the run has diverged and
  // the task must suspend.
  bool open_call(Durable& op, task::Task& task, journal::Kind opening);
  // What the task does from now on has greater seqs (on replay: its outcomes have).
  uint64_t position() const;
  // True when `task` is alone: all others that live wait for its end, none is being cancelled.
  bool alone(const task::Task& task);
  Marks marks(task::Task& task) const;
  // On replay, while the task is alone: the run stands as it stood then, what was delivered before is not delivered again.
  void restore(const Marks& marks, task::Task& task);
  uint64_t undo_order() const { return undo_order_; }
  // Records of tasks that nobody needs any more: they go with the next commit.
  void let_go(store::Forgotten range) { let_go_.push_back(range); }
  const std::function<bool()>& snapshot_due() const { return options_.snapshot_due; }

 private:
  class RootScope;
  class RollbackScope;
  class Postflight;
  friend class RollbackScope;
  struct Tail {                              // appended, not yet delivered
    journal::Record record;
    Durable* op;
    std::function<void()> then;
  };
  bool deliver_next();
  bool look_around();
  void deliver(const journal::Record& record, Durable* op);
  void tell_of(const journal::Record& record, Durable* op);
  void deliver_to_run(const journal::Record& record);
  void deliver_signal(const journal::Record& record);
  void forget(Durable& op);
  bool is_settled(const journal::Record& record) const;
  bool waits_only() const;
  void take_answers();
  void end_replay();
  bool shortcut(const journal::Record& record);
  void append(journal::Record record, Durable* op, std::function<void()> then, bool soon);
  void flush();
  store::RunPatch status_patch();
  void committed(uint64_t seq);
  void refused(const Error& error);
  void output_verdict(const Error* failure);
  bool settle_output(task::Task& task);
  void main_ended(task::Task& task);
  void tell_lasting();
  void look_for_deadlock();
  std::vector<task::Task*> line_of(task::Task& task) const;
  void read_state(const journal::Record& record);
  void settle_state(task::Task& task);
  void hand_over_state(task::Task& task);
  std::string waits() const;
  void watch_running_time();
  void leave_when_stuck();
  void finish();
  void record_end(Ending ending);
  void end_life(Ending ending);
  void read_journal();
  void read_operator(const journal::Record& record);
  // ---- an operator's rollback (execution_rollback.cpp)
  bool rollback_is_next() const;
  void begin_rollback();
  void end_rollback();
  void give_up_rollback();
  std::string mismatch(journal::Trail::Op trail, const Durable& op) const;

  Options options_;
  task::Scheduler scheduler_;
  journal::Cursor cursor_;
  std::unique_ptr<Locks> locks_;
  std::unique_ptr<PublishedState> published_;   // null: the run has no state yet
  bool state_known_ = false;                 // it was compared with what the journal knows
  std::vector<Watch*> watches_;
  bool looked_ = true;                       // since the record that was delivered last
  uint64_t arrivals_ = 0;
  std::unique_ptr<RootScope> root_;
  std::unordered_map<std::string, Durable*> waiting_;   // on replay: parked operations by task id
  std::vector<uint64_t> taken_early_;        // with rules.shortcut_next_only off: seqs that are not delivered again
  std::vector<Durable*> parked_;             // on replay: in the order of the calls

  bool replaying_ = false;
  bool has_decisions_ = false;
  std::shared_ptr<const hooks::RunFacts> facts_;   // for events, once one was made
  bool unfinished_turn_ = false;
  bool over_ = false;
  bool stopped_ = false;                     // the store refused, or diverged
  int64_t now_us_ = 0;
  uint64_t last_seq_ = 0;
  uint64_t committed_seq_ = 0;
  uint64_t delivered_seq_ = 0;
  std::vector<journal::Record> pending_;     // to be handed to the store
  std::vector<store::Forgotten> let_go_;     // what goes with them
  bool flush_wanted_ = false;
  std::deque<Tail> tail_;
  std::unique_ptr<Error> refusal_;           // what the store said first
  int in_flight_ = 0;                        // appends the store has not answered
  std::vector<Durable*> active_;
  size_t untold_ = 0;                        // active operations that lasting() was not called for
  loop::TimerId lasting_timer_ = 0;
  std::vector<int64_t> sleeping_;
  std::vector<std::string> awaited_;         // ids of children, and locks of others
  size_t stuck_ = 0;                         // of them, those that can't go on here,
  std::unique_ptr<Error> stuck_error_;       //   and why
  std::vector<Receive*> receivers_;          // in the order of their calls
  std::vector<Ask*> questions_;              // that are open
  std::vector<Answer> answers_;              // that came during the replay
  std::unordered_map<std::string, std::deque<std::string>> inbox_;   // signals that nobody has taken, by name
  std::unordered_set<std::string> settled_;  // "task#op" of operations that ended by a signal
  std::unordered_set<std::string> signal_ids_;
  uint64_t undo_order_ = 0;
  std::unordered_map<std::string, CheckpointMark> checkpoints_;
  uint32_t generation_ = 0;                  // of the records that are appended
  uint32_t key_generation_ = 0;              // the newest in which something was undone
  std::vector<uint64_t> retries_;            // the records of the operators' retries
  std::optional<journal::OpenRollback> rolling_;   // the script is only replayed, then undone back to a checkpoint
  std::unique_ptr<RollbackScope> rollback_;  // once it is being undone
  std::unique_ptr<task::Task> remains_;      //   it holds what is to be undone
  int undoing_ = 0;
  store::Status shown_ = store::Status::running;
  int64_t shown_wake_us_ = 0;
  Ending ending_;
  std::optional<Ending> deciding_;           // run_done is appended, not yet committed
  std::optional<std::string> completed_with_;   // finish(): the output,
  std::string completed_by_;                 //   and the task that called it
  std::string output_;                       // of the script, once it has ended well
  bool output_settled_ = false;              // its gates have had their say
  bool postflight_begun_ = false;
  task::ErrorRef postflight_error_;
  loop::TimerId timeout_timer_ = 0;
  int64_t running_us_ = 0;                   // running time so far: of earlier lives from the journal
  int64_t running_since_us_ = 0;             // while the timer runs
};

}  // namespace perilune::flow
