// A moment by the wall clock that a call waits for, and that outlives the process: noted (timer_set), found again after a
// restart. Promises: it fires once, never early (also when the clock is set back), and not after stop(). Uses durable.
// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>

#include "runtime/flow/durable.hpp"

namespace perilune::flow {

class DueTimer {
 public:
  explicit DueTimer(Execution& execution) : execution_(execution) {}
  ~DueTimer() { stop(); }
  DueTimer(const DueTimer&) = delete;
  DueTimer& operator=(const DueTimer&) = delete;

  // `duration_us` from now, or when the journal says that `call` set it. `fire` may start it again, or destroy it.
  // `members`: what else the record says, as JSON text (journal/waits.hpp); `note`: its kind.
  void start(const Durable& call, int64_t duration_us, std::function<void()> fire, const std::string& members = {},
             journal::Kind note = journal::Kind::timer_set);
  // When a call is due whose timer an earlier life has started; nothing = it has none.
  static std::optional<int64_t> recorded_due(const journal::Cursor& cursor, journal::Trail::Op call);
  void stop();
  int64_t due_us() const { return due_us_; }      // wall time; 0 = it does not run
  int64_t set_us() const { return set_us_; }      // wall time at which it was started first

 private:
  void arm(int64_t now_us);
  Execution& execution_;
  std::function<void()> fire_;
  int64_t due_us_ = 0, set_us_ = 0;
  loop::TimerId timer_ = 0;
};

}  // namespace perilune::flow
