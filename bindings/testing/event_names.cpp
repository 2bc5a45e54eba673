// The table from kinds of records to events; see event_names.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/testing/event_names.hpp"

namespace perilune::testing {

using journal::Kind;

namespace {

// A record's name is the status that the run ended with.
const char* end_of(const std::string& status) {
  if (status == "completed") return "run.complete";
  return status == "cancelled" ? "run.cancel" : "run.fail";
}

const char* point_of(const journal::Record& record) {
  switch (record.kind) {
    case Kind::run_started: return "run.start";
    case Kind::resumed: return "run.resume";
    case Kind::paused: return "run.pause";
    case Kind::run_done: return end_of(record.name);
    case Kind::step_done: return "step.after";
    case Kind::step_failed: return "step.fail";
    case Kind::step_skipped: return "step.skip";
    case Kind::attempt_failed: return "step.retry";
    case Kind::decision: return "decide.after";
    case Kind::loop_started: return "loop.start";
    case Kind::loop_done: return "loop.end";
    case Kind::scope_opened: return "parallel.start";
    case Kind::branch_done: return "parallel.branch";
    case Kind::branch_joined: return "parallel.join";
    case Kind::compensation_done: return "compensate.after";
    case Kind::rollback: return "rollback";
    case Kind::checkpoint: return "checkpoint.after";
    case Kind::state_changed: return "state.change";
    case Kind::signal_sent: return "signal.sent";
    case Kind::signal: return "signal.received";
    case Kind::ask_opened: return "ask.opened";
    case Kind::ask_answered: return "ask.answered";
    case Kind::child_started: return "child.start";
    case Kind::child_done: return "child.end";
    default: return "";
  }
}

}  // namespace

std::string event_name(const journal::Record& record) {
  if (record.kind == Kind::event) return record.name;   // one of the script's own
  std::string name = point_of(record);
  bool of_the_run = name.starts_with("run.");
  std::string what = record.name;
  bool quoted = record.kind == Kind::branch_done && what.size() >= 2 && what.front() == '"';   // a branch is named by its key
  if (quoted) what = what.substr(1, what.size() - 2);
  return name.empty() || what.empty() || of_the_run ? name : name + " " + what;
}

}  // namespace perilune::testing
