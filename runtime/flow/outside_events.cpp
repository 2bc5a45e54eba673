// What hooks from outside of the script hear of a run: an event for each committed record that has a point. See execution.hpp
// and hooks/points.hpp.
// SPDX-License-Identifier: MIT
#include <cstdio>
#include <optional>

#include "runtime/flow/branch.hpp"
#include "runtime/flow/receive.hpp"
#include "runtime/flow/step.hpp"
#include "runtime/hooks/registry.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using hooks::Point;
using journal::Kind;
using journal::Record;

namespace {

// A member with the record's value, or nothing for null.
std::string value_member(const char* name, const Record& record) {
  std::string_view value = journal::value_of(record.data);
  if (value.empty() || value == "null") return {};
  return ",\"" + std::string(name) + "\":" + std::string(value);
}

// "step", "attempts" and how long it took.
std::string step_members(const Record& record) {
  std::string text = "\"step\":" + label_of(record.name);
  int64_t started_us = journal::number_of(record.data, "started");
  text += ",\"attempts\":" + std::to_string(journal::number_of(record.data, "attempt"));
  char duration[40];
  std::snprintf(duration, sizeof duration, ",\"duration_ms\":%.3f", started_us > 0 ? static_cast<double>(record.at_us - started_us) / 1000 : 0.0);
  return text + duration;
}

}  // namespace

hooks::Registry* Execution::listening(Point point) const {
  return options_.hooks != nullptr && options_.hooks->listens(point) ? options_.hooks : nullptr;
}

hooks::HookEvent Execution::event(Point point, std::string fields, std::string input_name, std::string input) {
  if (facts_ == nullptr) {
    const store::RunRow& row = options_.row;
    facts_ = std::make_shared<const hooks::RunFacts>(
        hooks::RunFacts{row.id, row.workflow, row.version, row.input, row.session, row.parent});
  }
  hooks::HookEvent event;
  event.point = point;
  event.name = hooks::row_of(point).name;
  event.fields = std::move(fields);
  event.input_name = std::move(input_name);
  event.input = std::move(input);
  event.run = facts_;
  return event;
}

void Execution::tell(Point point, std::string fields, std::string input_name, std::string input) {
  if (hooks::Registry* registry = listening(point))
    registry->tell(event(point, std::move(fields), std::move(input_name), std::move(input)));
}

void Execution::tell_in_order(Point point, std::string fields) {
  if (tail_.empty()) return tell(point, std::move(fields));
  std::function<void()>& then = tail_.back().then;
  then = [this, before = std::move(then), point, fields = std::move(fields)] {
    if (before) before();
    tell(point, fields);
  };
}

void Execution::complain(const std::string& text) {
  if (options_.hooks != nullptr) options_.hooks->complain(*event(Point::error, {}).run, text);
}

namespace {

std::string child_members(const Record& record) {
  std::string text = "\"workflow\":" + label_of(record.name);
  if (record.kind == Kind::child_started) return text + value_member("child", record);
  if (journal::holds_error(record.data)) return text + ",\"error\":" + std::string(journal::error_of(record.data));
  return text + value_member("result", record);
}

std::string branch_members(const Record& record) {
  std::string text = "\"branch\":" + record.name;   // a label is JSON
  if (!journal::holds_error(record.data)) return text + ",\"status\":\"done\"";
  bool cancelled = record.data.substr(0, record.data.find("\"error\":")).find("\"cancelled\":true") != std::string::npos;
  return text + (cancelled ? ",\"status\":\"cancelled\"" : ",\"status\":\"failed\"") + ",\"error\":" +
         std::string(journal::error_of(record.data));
}

struct Told {
  Point point;
  std::string fields;
  std::string input;
};

// What a record that was just committed tells of; nothing for records without a point.
std::optional<Told> told_by(const Record& record, Durable* op) {
  const std::string name = label_of(record.name);
  switch (record.kind) {
    case Kind::step_done: {
      auto* step = dynamic_cast<Step*>(op);
      return Told{Point::step_after, step_members(record) + value_member("result", record), step == nullptr ? "" : step->spec().input};
    }
    case Kind::step_skipped:
      if (dynamic_cast<Step*>(op) == nullptr) return std::nullopt;   // a checkpoint that was left out
      return Told{Point::step_skip, "\"step\":" + name + value_member("result", record) + ",\"by\":" + label_of(hooks::skipped_by(record.data)), {}};
    case Kind::attempt_failed:
      if (journal::number_of(record.data, "retry_at") == 0) return std::nullopt;
      return Told{Point::step_retry, "\"step\":" + name + ",\"attempt\":" + std::to_string(journal::number_of(record.data, "attempt")) +
                                         ",\"error\":" + std::string(journal::error_of(record.data)), {}};
    case Kind::decision: return Told{Point::decide_after, "\"decision\":" + name + value_member("value", record), {}};
    case Kind::loop_started: return Told{Point::loop_start, "\"loop\":" + name, {}};
    case Kind::loop_done: return Told{Point::loop_end, "\"loop\":" + name + value_member("value", record), {}};
    case Kind::scope_opened:
      return Told{Point::parallel_start, "\"name\":" + name + ",\"branches\":" + std::to_string(journal::number_of(record.data, "total")), {}};
    case Kind::branch_done: return Told{Point::parallel_branch, branch_members(record), {}};
    case Kind::branch_joined: return Told{Point::parallel_join, "\"name\":" + name + ",\"info\":" + record.data, {}};
    case Kind::compensation_done: return Told{Point::compensate_after, "\"step\":" + name, {}};
    case Kind::checkpoint: return Told{Point::checkpoint_after, "\"checkpoint\":" + name, {}};
    case Kind::signal_sent: {
      auto* send = dynamic_cast<Send*>(op);
      if (send == nullptr) return std::nullopt;
      return Told{Point::signal_sent, "\"signal\":" + name + ",\"to\":" + label_of(send->to()), {}};
    }
    case Kind::signal: return Told{Point::signal_received, "\"signal\":" + name + value_member("value", record), {}};
    case Kind::ask_opened: return Told{Point::ask_opened, "\"question\":" + name, {}};
    case Kind::ask_answered: return Told{Point::ask_answered, "\"question\":" + name + value_member("answer", record), {}};
    case Kind::child_started: return Told{Point::child_start, child_members(record), {}};
    case Kind::child_done: return Told{Point::child_end, child_members(record), {}};
    case Kind::rollback: return Told{Point::rollback, "\"to\":" + name, {}};
    default: return std::nullopt;
  }
}

}  // namespace

// Only live records come here.
void Execution::tell_of(const Record& record, Durable* op) {
  if (options_.hooks == nullptr || options_.hooks->empty()) return;
  if (auto told = told_by(record, op); told && listening(told->point) != nullptr)
    tell(told->point, std::move(told->fields), "input", std::move(told->input));
}

}  // namespace perilune::flow
