// receive and send: signals between runs, and from outside.
//
// A signal is a record of the run that gets it, appended when it arrives and delivered in journal order: to the task that has
// waited longest for its name, else to the buffer of that name. What a receive gives follows from that order, so it has no
// outcome of its own; only its time-out (timer_fired) and its cancellation (op_cancelled, consuming nothing) have one. That
// it waits is noted (wait_started, or timer_set) for those who look at the run.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

#include "runtime/flow/due_timer.hpp"

namespace perilune::flow {

class Receive final : public Durable {
 public:
  // timeout_us < 0: none. Without `buffered`, what came before the call is dropped.
  Receive(Execution& execution, std::string signal, int64_t timeout_us, bool buffered);
  ~Receive() override;
  // True: the outcome is set at once. False: the task must suspend.
  bool begin_receive(task::Task& task);
  // A signal is delivered to it; value is JSON text.
  void got(std::string value);

  const char* call() const override { return "receive"; }
  bool accepts(journal::Kind kind) const override { return kind == journal::Kind::timer_fired; }
  task::Outcome delivered(const journal::Record& record) override;
  std::string describe() const override { return "signal '" + name() + "'"; }
  bool timed_out() const { return timed_out_; }

 private:
  void start() override;
  void teardown(const task::ErrorRef& reason) override;

  int64_t timeout_us_;
  bool buffered_;
  bool listed_ = false;       // among the execution's receivers
  bool timed_out_ = false;
  DueTimer timer_;
};

// How a signal leaves the run: given by the engine. `done` comes once the signal is committed at the other run.
using Deliver = std::function<void(const std::string& run, const std::string& signal, const std::string& value,
                                   const std::string& id, std::function<void(Result<void>)> done)>;

// send(run, name, value): the other run takes the signal once, by the id of this call.
class Send final : public Durable {
 public:
  Send(Execution& execution, std::string run, std::string signal, std::string value, Deliver deliver);
  ~Send() override;
  const std::string& to() const { return run_; }
  const char* call() const override { return "send"; }
  bool accepts(journal::Kind kind) const override {
    return kind == journal::Kind::signal_sent || kind == journal::Kind::step_failed;
  }
  std::string describe() const override { return "sending signal '" + name() + "' to run " + run_; }

 private:
  void start() override;
  void teardown(const task::ErrorRef&) override {}   // it is under way: its outcome gets there first

  std::string run_, value_;
  Deliver deliver_;
  bool active_ = false;
  std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);
};

}  // namespace perilune::flow
