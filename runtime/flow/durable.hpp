// A durable call: an operation whose outcome is a record. Each kind of call derives from it in a file of its own.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/flow/execution.hpp"

namespace perilune::flow {

class Durable : public task::Operation {
 public:
  Durable(Execution& execution, std::string name, uint64_t fingerprint)
      : execution_(execution), name_(std::move(name)), fingerprint_(fingerprint) {}

  const std::string& name() const { return name_; }
  uint64_t fingerprint() const { return fingerprint_; }
  task::Task& task() const { return *task_; }
  uint32_t number() const { return number_; }
  const task::ErrorRef& cancel_cause() const { return cancelled_; }   // null: it is not being cancelled

  // "step", "sleep": the call as scripts know it.
  virtual const char* call() const = 0;
  // The outcome kinds that this call may have in a journal (op_cancelled is always one).
  virtual bool accepts(journal::Kind kind) const = 0;
  // The kinds without outcome that it may have before.
  virtual bool notes(journal::Kind kind) const { return kind != journal::Kind::loop_started; }
  // What the script gets for a record. Called when the record is delivered, live and on replay.
  virtual task::Outcome delivered(const journal::Record& record);

  void cancel(const task::ErrorRef& reason) final;

 protected:
  // Live, once: start what the call is for. What an earlier life recorded of it is in recorded().
  virtual void start() = 0;
  // Live, after start(), at most once: end early. Must lead to record() or record_cancelled(), at once or later.
  virtual void teardown(const task::ErrorRef& reason) = 0;

  // Cancelled on replay before this life started it: what an earlier life began may still be there.
  virtual void cancelled_early() { record_cancelled(); }

  // It has been active for some 100 ms. Called once.
  virtual void lasting() {}

  journal::Trail::Op recorded() const;
  void record(journal::Kind kind, std::string data, std::function<void()> then = {});
  void record_cancelled();
  // For calls whose wait may end by the order of the run alone: it has, without a record.
  void end_in_order(task::Outcome outcome);
  // It may still do so: it is not being cancelled, and no other end of it is recorded or on its way.
  bool open() const {
    return cancelled_ == nullptr && !has_record_ && (state_ == State::parked || state_ == State::started);
  }
  bool cancelled() const { return cancelled_ != nullptr; }
  // Notes what the call waits for, where no timer says so. It rides with the next commit, or that of the run's coming to wait.
  void note_wait(const std::string& members);
  // A record of this operation without outcome.
  journal::Record remark(journal::Kind kind, std::string data) const;

  Execution& execution_;

 private:
  friend class Execution;
  friend class DueTimer;
  friend class HookGate;
  enum class State : uint8_t { fresh, parked, started, recording, over };
  void start_now();

  std::string name_;
  uint64_t fingerprint_;
  task::Task* task_ = nullptr;
  uint32_t number_ = 0;
  State state_ = State::fresh;
  bool has_record_ = false;        // on replay: its outcome stands in the journal
  task::ErrorRef cancelled_;
  bool told_ = true;               // lasting() was called
  size_t active_index_ = 0;        // place in the execution's list of active operations
};

// Fingerprints: a hash over the call's plain-data arguments.
uint64_t fingerprint(std::initializer_list<std::string_view> parts);

}  // namespace perilune::flow
