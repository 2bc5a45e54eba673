// What a run may use: running time and records. Who uses more is asked to end, as by a cancellation that nothing in the
// script can catch; what it did is undone then, and the time and the records of that come on top. See execution.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "runtime/base/units.hpp"
#include "runtime/flow/execution.hpp"

namespace perilune::flow {

namespace {
constexpr const char* k_by_records = "limits.records";   // who asks, in the record
constexpr const char* k_by_duration = "limits.duration";
}  // namespace

// Running time: the timer stands still while only time or a signal can move the run.
void Execution::watch_running_time() {
  bool limited = options_.timeout_us != 0 || options_.duration_us != 0;
  if (!limited || time_is_up_ || replaying_ || over_ || rolling_) return;
  int64_t now_us = loop().clock().mono_us();
  if (waits_only() && timeout_timer_ != 0) {
    loop().stop_timer(std::exchange(timeout_timer_, 0));
    running_us_ += now_us - running_since_us_;
  } else if (!waits_only() && timeout_timer_ == 0) {
    running_since_us_ = now_us;
    bool timeout_first = options_.duration_us == 0 || (options_.timeout_us != 0 && options_.timeout_us <= options_.duration_us);
    int64_t allowed_us = timeout_first ? options_.timeout_us : options_.duration_us;
    timeout_timer_ = loop().start_timer(std::max<int64_t>(0, allowed_us - running_us_), [this, timeout_first, allowed_us] {
      time_is_up_ = true;   // said once
      std::string allowed = format_duration(allowed_us);
      if (timeout_first) request_cancel(Error(code::k_timeout, "the workflow ran longer than its timeout of " + allowed), "timeout");
      else request_cancel(Error(code::k_limit, "the workflow ran longer than its limits.duration of " + allowed), k_by_duration);
    });
  }
}

int64_t Execution::duration_left_us() const {
  if (options_.duration_us == 0) return 0;
  int64_t since_us = timeout_timer_ == 0 ? 0 : options_.loop->clock().mono_us() - running_since_us_;
  return std::max<int64_t>(1, options_.duration_us - running_us_ - since_us);
}

int64_t Execution::records_left() const {
  if (options_.records_max == 0) return 0;
  return std::max<int64_t>(1, options_.records_max - static_cast<int64_t>(last_seq_ - records_before_));
}

// A record of the journal, as it is read: what is said already is not said again; an operator who takes the run back gives
// it the whole of its limits again.
void Execution::read_limits(const journal::Record& record, bool taken_back) {
  if (record.kind == journal::Kind::cancel_requested && record.name == k_by_records) too_many_records_ = true;
  if (!taken_back) return;
  too_many_records_ = false;
  records_before_ = record.seq;
}

void Execution::watch_records() {
  if (options_.records_max == 0 || too_many_records_ || rolling_ || deciding_) return;
  if (static_cast<int64_t>(last_seq_ - records_before_) <= options_.records_max) return;
  too_many_records_ = true;
  request_cancel(Error(code::k_limit, "the run has written more records than its limits.records of " +
                                          std::to_string(options_.records_max)), k_by_records);
}

}  // namespace perilune::flow
