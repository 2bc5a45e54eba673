// Runs as a verb begins, takes up and changes them. Two kinds: this process owns the store and executes them
// (local_session), or another process does, and is asked to (owner_client). The first SIGINT or SIGTERM leaves the runs as
// they are; a second one ends the process at once. Uses engine's orders, json_view.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bindings/cli/json_view.hpp"
#include "bindings/cli/verbs.hpp"
#include "runtime/engine/engine.hpp"
#include "runtime/engine/operator.hpp"

namespace perilune::cli {

class Session {
 public:
  // Becomes the owner of the store, which is made where it is missing; where another process owns it, that one is asked.
  // Errors: "usage", "owned" (by a process that answers nobody), "storage", ...
  static Result<std::unique_ptr<Session>> open(const CommonOptions& options);
  virtual ~Session() = default;

  // A run that wait() waits for.
  virtual void start(engine::StartRequest request) = 0;
  virtual void resume(const std::string& id) = 0;
  // Takes the run up and asks it to end.
  virtual void cancel(const std::string& id, const std::string& by) = 0;
  // What an operator asks of a run. With `go_on` the run is taken up then, and wait() waits for it.
  virtual void operate(const std::string& id, const engine::Order& order, bool go_on) = 0;
  virtual void fork(const std::string& id, const engine::ForkOrder& order) = 0;
  // Gives a run a signal, which is then on disk; the run itself is not taken up.
  virtual Result<void> signal(const std::string& run, const std::string& name, const std::string& value) = 0;
  // Answers a question of a run (by the seq of its record): the same.
  virtual Result<void> answer(const std::string& run, uint64_t question, const std::string& value, const std::string& by) = 0;
  // Until all are over, or a signal came (false). Then everything is closed and only the outcomes are left.
  virtual bool wait() = 0;

  struct Outcome {
    RunResult result;
    std::unique_ptr<Error> refused;  // it could not be started
    bool over = false;
  };
  // In the order of the calls above.
  virtual const std::vector<Outcome>& outcomes() const = 0;
};

}  // namespace perilune::cli
