// call and start: a run that begins other runs, and waits for them.
//
// Two durable calls: ChildStart (child_started: the other run is on disk, its value is the id) and ChildWait (child_done: its
// output or its error). The id of a child follows from the call, so that a crash between the two commits finds the same
// run again. A child that is waited for by the task that began it is cancelled with it; the wait ends when the child has.
// The runs themselves are the engine's: ChildRuns. Uses execution and durable.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/flow/durable.hpp"

namespace perilune::flow {

// Other runs, as a run may ask for them.
class ChildRuns {
 public:
  struct Request {
    std::string workflow;       // "billing" or "billing@2"
    std::string input = "{}";   // JSON text
    std::string id;
    bool detached = false;      // nobody's child: not cancelled with the run that began it
  };
  // The other run is over; or it can't go on here (paused, diverged, out of reach), which `ending` says by its status.
  // False: whoever asked is no longer there.
  using Ended = std::function<bool(const Ending& ending)>;

  virtual ~ChildRuns() = default;
  // `done` comes once the run is on disk. Errors: "not_found", "validation", "conflict" and those of its file.
  virtual void start_child(Request request, std::function<void(Result<void>)> done) = 0;
  virtual bool child_exists(const std::string& run) = 0;
  // Takes the run up where nobody executes it. `ended` comes later, once.
  virtual void watch_child(const std::string& run, bool attached, Ended ended) = 0;
  virtual void cancel_child(const std::string& run, const Error& reason) = 0;
};

class ChildStart final : public Durable {
 public:
  ChildStart(Execution& execution, ChildRuns& runs, ChildRuns::Request request);
  ~ChildStart() override;
  const char* call() const override { return request_.detached ? "start" : "call"; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::child_started || kind == journal::Kind::step_failed;
  }
  bool detached() const { return request_.detached; }
  std::string describe() const override { return "the start of workflow '" + name() + "'"; }

 private:
  void start() override;
  void teardown(const task::ErrorRef&) override {}   // it is under way: its outcome gets there first
  void cancelled_early() override;
  std::string child_id() const;
  void started(Result<void> result);

  ChildRuns& runs_;
  ChildRuns::Request request_;
  bool active_ = false;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
};

class ChildWait final : public Durable {
 public:
  // `attached`: the wait's cancellation is the child's.
  ChildWait(Execution& execution, ChildRuns& runs, std::string workflow, std::string run, bool attached);
  ~ChildWait() override;
  // As Execution::begin. A task that is being cancelled still waits: for the end of the child that it cancels.
  bool begin(task::Task& task);
  const char* call() const override { return "await"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::child_done; }
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override { return "run " + run_ + " of workflow '" + name() + "'"; }

 private:
  void start() override;
  void teardown(const task::ErrorRef& reason) override;
  void cancelled_early() override;
  bool ended(const Ending& ending);
  void stop_waiting();

  ChildRuns& runs_;
  std::string run_;
  bool attached_;
  bool waiting_ = false;       // counted by the execution
  bool stuck_ = false;         // the child can't go on here
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
};

// The task of a child that was begun with start: it ends with the child, and holds its output.
class ChildTask final : public task::Coroutine {
 public:
  ChildTask(Execution& execution, ChildRuns& runs, std::string workflow, std::string run,
            std::shared_ptr<std::string> output)
      : execution_(execution), runs_(runs), workflow_(std::move(workflow)), run_(std::move(run)),
        output_(std::move(output)) {}
  State resume(task::Task& task) override;
  Error take_error() override { return std::move(error_); }
  Result<std::string> encode_result() override { return *output_; }

 private:
  Execution& execution_;
  ChildRuns& runs_;
  std::string workflow_, run_;
  std::shared_ptr<std::string> output_;
  std::unique_ptr<ChildWait> wait_;
  Error error_;
};

// The task belongs to `owner` as spawned ones do. It is shielded until it waits, so that a cancellation finds the child.
std::shared_ptr<task::TaskHandle> spawn_child_task(Execution& execution, task::Task& owner, ChildRuns& runs,
                                                   std::string workflow, std::string run,
                                                   std::shared_ptr<std::string> output);

// h:cancel() of a detached run: asks it to end, and does not wait.
class ChildCancel final : public Durable {
 public:
  ChildCancel(Execution& execution, ChildRuns& runs, std::string run);
  const char* call() const override { return "cancel"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::signal_sent; }

 private:
  void start() override;
  void teardown(const task::ErrorRef&) override {}
  ChildRuns& runs_;
  std::string run_;
};

}  // namespace perilune::flow
