// A record: one committed fact of a run. The journal of a run is its records, numbered 1..n without gaps; everything
// else (status, events, traces) is read off them. Kinds are one byte each, stable for ever: never renumber, only append.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace perilune::journal {

enum class Kind : uint8_t {
  run_started = 1,
  module_added = 2,
  upgraded = 3,
  scope_opened = 4,
  branch_started = 5,
  branch_done = 6,
  branch_joined = 7,
  step_started = 8,
  heartbeat = 9,
  attempt_failed = 10,
  step_done = 11,
  step_failed = 12,
  step_skipped = 13,
  op_cancelled = 14,
  timer_set = 15,
  timer_fired = 16,
  signal_sent = 17,
  signal = 18,
  decision = 19,
  loop_started = 20,
  loop_snapshot = 21,
  loop_done = 22,
  checkpoint = 23,
  gate = 24,
  compensation_added = 25,
  compensation_done = 26,
  rollback = 27,
  child_started = 28,
  child_done = 29,
  ask_opened = 30,
  ask_answered = 31,
  lock_taken = 32,
  lock_released = 33,
  state_changed = 34,
  stream_offset = 35,
  hook_decision = 36,
  event = 37,
  intent = 38,
  operator_act = 39,
  paused = 40,
  resumed = 41,
  cancel_requested = 42,
  run_done = 43,
  lock_granted = 44,
  wait_started = 45,
};

// "step_done" and back. kind_from_name gives nothing for a name that is none.
std::string_view kind_name(Kind kind);
std::optional<Kind> kind_from_name(std::string_view name);

// True for kinds that end an operation and are delivered to the script: step_done step_failed step_skipped op_cancelled
// timer_fired signal decision loop_done ... (the table is in record.cpp).
bool carries_outcome(Kind kind);

struct Record {
  uint64_t seq = 0;          // position in the journal, from 1
  uint32_t generation = 0;   // +1 at each rollback
  Kind kind = Kind::event;
  uint32_t op = 0;           // number of the operation within its task, from 1; 0 = belongs to the run or the task itself
  std::string task;          // "0" is the main task, "0.2" its second child
  std::string name;          // step name, timer name, ...
  uint64_t fingerprint = 0;  // hash of the call's plain-data arguments
  int64_t at_us = 0;         // wall time of the append
  std::string data;          // JSON text, or empty
};

}  // namespace perilune::journal
