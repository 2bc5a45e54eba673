// Tasks: the coroutines of a run, what they await and the scopes that they end in.
//
//   created -> ready <-> running -> waiting -> ready ... running -> closing -> ended
//                                   (awaits an Operation)           (its spawned children end first)
//
// Rules (docs/architecture.md, "A step's way"):
//  - a Task is resumed by Scheduler::drain() and nowhere else; completions only make it ready;
//  - a child ends before its scope ends; cancellation goes down, errors go up;
//  - a cancel request is sticky: each further await raises it, until the task has ended, but inside a shield.
// Uses base alone. What runs inside a task is a Coroutine, which bindings/lua (and tests) implement.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/random.hpp"
#include "runtime/base/result.hpp"

namespace perilune::task {

class Task;
class Scheduler;

using ErrorRef = std::shared_ptr<const Error>;

// What an await gives back: nothing (nil), a value as JSON text, or an error to raise.
struct Outcome {
  enum class Kind : uint8_t { nothing, value, error };
  Kind kind = Kind::nothing;
  std::string value;
  ErrorRef error;

  static Outcome of_value(std::string json) { return {Kind::value, std::move(json), nullptr}; }
  static Outcome of_error(Error e) { return {Kind::error, {}, std::make_shared<const Error>(std::move(e))}; }
  static Outcome of_error(ErrorRef e) { return {Kind::error, {}, std::move(e)}; }
};

// The code inside a task.
class Coroutine {
 public:
  enum class State : uint8_t { suspended, finished, failed };
  virtual ~Coroutine() = default;
  // Runs until the next await or the end. Reads task.outcome (what it awaited). Never throws.
  virtual State resume(Task& task) = 0;
  // After `failed`: why. May be called once.
  virtual Error take_error() = 0;
  // After `finished`: what it returned, as JSON text. Errors: "validation", "limit".
  virtual Result<std::string> encode_result() = 0;
  // After `finished`: the same, if it is plain data and no longer than this; else empty.
  virtual std::string short_result(size_t bytes_max) { return (void)bytes_max, std::string(); }
  // "order.lua:31": where it stands now, for messages; empty when unknown.
  virtual std::string where() { return {}; }
  // The task has ended (in any way) and will be destroyed soon: the place to hand results to whoever holds a handle.
  virtual void ended(Task& task) { (void)task; }
};

// It ends when `needed` of these tasks have gone on; none: it may end without any.
struct Waits {
  std::vector<const Task*> tasks;
  size_t needed = 0;
};

// What a waiting task waits for. Owned by whoever made it (the coroutine's pending slot).
class Operation {
 public:
  virtual ~Operation() = default;
  // Asks for an early end. The operation still ends by itself, by waking its task; it may end with another outcome that
  // got there first. Called at most once.
  virtual void cancel(const ErrorRef& reason) = 0;
  // What it is, for status and `why`: "sleep until 2026-..", "step 'charge'".
  virtual std::string describe() const { return {}; }
  // The tasks without which it can't end, for the finding of deadlocks. What it gives follows from the order of the run.
  virtual Waits waits_for() const { return {}; }
  // The same where these are tasks of other runs.
  virtual Waits waits_across() const { return {}; }
};

// A set of tasks that end before their parent goes on. Owns its tasks.
class Scope {
 public:
  virtual ~Scope();
  // `task` has ended; task.failed says how. The scope may release() it now, or keep it for its result.
  virtual void child_ended(Task& task) = 0;
  // The task that waits for this scope, or null.
  virtual Task* owner() { return nullptr; }

  // Asks all that still run to end.
  void cancel_children(Scheduler& scheduler, const ErrorRef& reason);
  size_t live() const { return live_; }
  const std::vector<std::unique_ptr<Task>>& children() const { return children_; }

 protected:
  // Moves a live child to another scope (rest = "keep").
  void hand_over(Task& task, Scope& to);
  void release(Task& task);

 private:
  friend class Scheduler;
  std::vector<std::unique_ptr<Task>> children_;
  size_t live_ = 0;
};

// Where a step's attempt takes its time, random numbers and ids from: never from the run's.
struct AttemptContext {
  const Task* caller = nullptr;       // of the step
  int number = 1;
  std::function<std::string()> key;   // makes the idempotency key, equal for all attempts
  // The key of the attempt's next request: `key` itself, then one of its own for each, the same in every attempt that
  // sends the same requests in the same order.
  std::function<std::string()> request_key;
  std::string step;                // the step's name
  int64_t deadline_us = 0;         // wall time, or 0
  std::string last_progress;       // JSON text, or empty
  std::string input;               // JSON text, or empty
  Random random;
  uint64_t object_ids = 0;
  bool effects_allowed = true;     // false in `when` and in retry filters
  const char* refusal = nullptr;   // says why a call that is not allowed is not; null: as of a step
  std::function<void(std::string)> heartbeat;   // JSON text of the progress
};

// What is left of a spawned task for those that hold a handle of it, also after its end.
struct TaskHandle {
  Task* task = nullptr;            // null once it has ended
  bool failed = false;
  bool cancelled = false;          // it ended by cancellation
  ErrorRef error;
  bool claimed = false;            // somebody awaited it: its error no longer fails the scope
  std::vector<std::function<void()>> on_end;   // called once, when it has ended
};

// A shield that is told of a cancellation that has to wait for it.
class ShieldWatch {
 public:
  virtual ~ShieldWatch() = default;
  virtual void cancel_waits() = 0;
};

// What a room above keeps with a task (flow: its saga, its view of the run's state).
class Attachment {
 public:
  virtual ~Attachment() = default;
  // What a task that begins in a scope of the owner has of it; null: nothing.
  virtual std::unique_ptr<Attachment> branch() { return nullptr; }
};

class Task {
 public:
  enum class State : uint8_t { created, ready, running, waiting, closing, ended };

  // Where the task goes without having ended (its run leaves memory), nobody is told: and what would have been told may
  // hold the handle in turn.
  ~Task() {
    if (handle == nullptr) return;
    handle->task = nullptr;
    handle->on_end.clear();
  }

  std::string id;                  // parent's id "." number among the parent's children; "0" for the first
  uint32_t number = 0;             // among the parent's children, from 1; 0 for the first task and for attempts
  Scope* scope = nullptr;          // the scope it ends in; never null
  std::unique_ptr<Coroutine> coroutine;
  AttemptContext* attempt = nullptr;   // set in a step's attempt and its children; owned by the step
  Random random;                   // its own stream

  State state = State::created;
  uint32_t ops = 0;                // durable calls made so far
  uint32_t child_count = 0;        // children made so far
  Operation* awaiting = nullptr;   // while waiting
  Outcome outcome;                 // what the await gave

  ErrorRef cancel_reason;          // once cancellation was asked for
  int shield = 0;                  // > 0: cancellation waits
  std::vector<ShieldWatch*> shields;   // those of them that want to be told
  std::unique_ptr<Scope> spawned;  // tasks that it spawned, or null; they end before it does
  std::shared_ptr<TaskHandle> handle;   // for spawned tasks, or null
  std::unique_ptr<Attachment> saga;     // its compensations, or null
  std::unique_ptr<Attachment> view;     // what it sees of the run's state, or null
  bool failed = false;             // after the end: `error` says why
  ErrorRef error;

  // Expires when the task is destroyed: for those that may outlive it.
  std::weak_ptr<void> life() {
    if (life_ == nullptr) life_ = std::make_shared<char>();
    return life_;
  }
  bool journaled() const { return attempt == nullptr; }
  bool cancelling() const { return cancel_reason != nullptr && shield == 0; }
  // Its end was its cancellation and nothing else.
  bool ended_cancelled() const { return failed && cancel_reason != nullptr && error == cancel_reason; }

 private:
  std::shared_ptr<void> life_;
};

}  // namespace perilune::task
