// The event bus is the journal: observers get committed records, in the order of their commits, each from its own place on.
//
//   a commit --publish--> recent records (bounded, shared) --> observers that keep up, on their loops
//   the store --a page at a time, in the background----------> observers that are behind, until they have caught up
//
// Promises:
//  - an observer gets every record that it asked for once and in order, beginning behind the position it named;
//  - it never slows a run: publishing only notes the commit and wakes observers, and the store is read elsewhere;
//  - one that is slow, or that holds (says Taken::hold), costs no memory but its place: what it missed is read again;
//  - an observer that goes on with the position of the last event it took misses nothing and gets nothing twice.
// What a loop has forgotten is missing for those who come late: it is no longer in the journal.
// Thread-safe; observers are called on their home loops, never with a lock held. Uses recent_records, branch_totals, loop.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/hooks/branch_totals.hpp"
#include "runtime/journal/run_record.hpp"
#include "runtime/loop/loop.hpp"

namespace perilune::hooks {

class Background;

// What was committed, as the bus reads it. One thread at a time uses one of these.
class EventSource {
 public:
  virtual ~EventSource() = default;
  virtual Result<journal::RecordPage> records_after(const journal::RecordQuery& query) = 0;
  virtual Result<int64_t> last_position() = 0;
};

struct Notice {
  const journal::RunRecord* record;                     // until the call is over
  const std::vector<BranchTotals>* branches = nullptr;  // at a join, for observers who gather
};

enum class Taken : uint8_t { more, hold };

struct Observation {
  journal::RecordFilter filter;
  std::optional<int64_t> after;      // a position; nothing = what is committed from now on
  bool gather = false;               // the records of branches come as totals at their join
  loop::Loop* home = nullptr;        // where the functions below are called
  // Never called with nothing, nor again before it has returned. Taken::hold: these are taken, and no more come before go_on().
  std::function<Taken(const std::vector<Notice>&)> take;
  // The store cannot be read: the observation is over. May be null.
  std::function<void(const Error&)> failed;
};

class EventBus {
 public:
  using Id = uint64_t;
  struct Options {
    std::function<std::unique_ptr<EventSource>()> open;          // called where it is used
    // Does work elsewhere, one piece after the other; null = on a thread of the bus's own. Where time is simulated it is
    // done on the loop, so that a test repeats.
    std::function<void(std::function<void()>)> background;
    size_t recent_records_max = 8192;
    size_t recent_bytes_max = 16 << 20;
    size_t batch_max = 512;          // records a call, and a page of the store
  };
  explicit EventBus(Options options);
  ~EventBus();                       // observers are not called any more, where this is called on their loop

  // What one commit holds, in order, after it is on disk.
  void publish(std::vector<journal::RunRecord> records);
  // publish(), for a thread that may outlive the bus.
  std::function<void(std::vector<journal::RunRecord>)> publisher();

  Result<Id> observe(Observation observation);
  // An observer that holds gets more.
  void go_on(Id id);
  // Called on the observer's loop: it is not called any more.
  void leave(Id id);
  // The position behind which its next event comes. Nothing: no such observer (any more).
  std::optional<int64_t> place(Id id) const;

 private:
  class Core;
  std::shared_ptr<Background> background_;   // null = the caller's
  std::shared_ptr<Core> core_;
};

}  // namespace perilune::hooks
