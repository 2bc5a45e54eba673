// The table of record kinds: their names, and which of them carry an outcome. Uses nothing but record.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/journal/record.hpp"

#include <algorithm>
#include <iterator>

namespace perilune::journal {
namespace {

struct KindRow {
  Kind kind;
  std::string_view name;
  bool outcome;  // delivered in journal order, to the operation that it ends or (op 0) to the run as a whole
};

// In the order of the numbers, from 1, without gaps.
constexpr KindRow k_kinds[] = {
    {Kind::run_started, "run_started", false},
    {Kind::module_added, "module_added", false},
    {Kind::upgraded, "upgraded", false},
    {Kind::scope_opened, "scope_opened", false},
    {Kind::branch_started, "branch_started", false},
    {Kind::branch_done, "branch_done", false},
    {Kind::branch_joined, "branch_joined", false},
    {Kind::step_started, "step_started", false},
    {Kind::heartbeat, "heartbeat", false},
    {Kind::attempt_failed, "attempt_failed", false},
    {Kind::step_done, "step_done", true},
    {Kind::step_failed, "step_failed", true},
    {Kind::step_skipped, "step_skipped", true},
    {Kind::op_cancelled, "op_cancelled", true},
    {Kind::timer_set, "timer_set", false},
    {Kind::timer_fired, "timer_fired", true},
    {Kind::signal_sent, "signal_sent", true},
    {Kind::signal, "signal", true},
    {Kind::decision, "decision", true},
    {Kind::loop_started, "loop_started", false},
    {Kind::loop_snapshot, "loop_snapshot", false},
    {Kind::loop_done, "loop_done", true},
    {Kind::checkpoint, "checkpoint", true},
    {Kind::gate, "gate", false},
    {Kind::compensation_added, "compensation_added", false},
    {Kind::compensation_done, "compensation_done", true},
    {Kind::rollback, "rollback", true},
    {Kind::child_started, "child_started", true},
    {Kind::child_done, "child_done", true},
    {Kind::ask_opened, "ask_opened", false},
    {Kind::ask_answered, "ask_answered", true},
    {Kind::lock_taken, "lock_taken", false},
    {Kind::lock_released, "lock_released", false},
    {Kind::state_changed, "state_changed", false},
    {Kind::stream_offset, "stream_offset", false},
    {Kind::hook_decision, "hook_decision", false},
    {Kind::event, "event", false},
    {Kind::intent, "intent", false},
    {Kind::operator_act, "operator_act", false},
    {Kind::paused, "paused", true},
    {Kind::resumed, "resumed", true},
    {Kind::cancel_requested, "cancel_requested", true},
    {Kind::run_done, "run_done", true},
    {Kind::lock_granted, "lock_granted", true},
    {Kind::wait_started, "wait_started", false},
};

constexpr bool table_is_in_order() {
  for (size_t i = 0; i < std::size(k_kinds); ++i)
    if (static_cast<size_t>(k_kinds[i].kind) != i + 1) return false;
  return true;
}
static_assert(table_is_in_order(), "k_kinds is looked up by number");

// Null for a number that is no kind: a journal may come from a damaged or newer store.
const KindRow* row_of(Kind kind) {
  size_t index = static_cast<size_t>(kind) - 1;
  return index < std::size(k_kinds) ? &k_kinds[index] : nullptr;
}

}  // namespace

std::string_view kind_name(Kind kind) {
  const KindRow* row = row_of(kind);
  return row == nullptr ? "unknown" : row->name;
}

std::optional<Kind> kind_from_name(std::string_view name) {
  auto found =
      std::find_if(std::begin(k_kinds), std::end(k_kinds), [&](const KindRow& row) { return row.name == name; });
  if (found == std::end(k_kinds)) return std::nullopt;
  return found->kind;
}

bool carries_outcome(Kind kind) {
  const KindRow* row = row_of(kind);
  return row != nullptr && row->outcome;
}

}  // namespace perilune::journal
