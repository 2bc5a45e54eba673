// What hooks from outside of the script hear of a run: an event for each committed record that has a point. See execution.hpp
// and hooks/points.hpp.
// SPDX-License-Identifier: MIT
#include <cstdio>

#include "runtime/flow/branch.hpp"
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

hooks::Event Execution::event(Point point, std::string fields, std::string input_name, std::string input) {
  if (facts_ == nullptr) {
    const store::RunRow& row = options_.row;
    facts_ = std::make_shared<const hooks::RunFacts>(
        hooks::RunFacts{row.id, row.workflow, row.version, row.input, row.session, row.parent});
  }
  hooks::Event event;
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

void Execution::complain(const std::string& text) {
  if (options_.hooks != nullptr) options_.hooks->complain(*event(Point::error, {}).run, text);
}

// Only live records come here.
void Execution::tell_of(const Record& record, Durable* op) {
  auto input_of = [op] {
    auto* step = dynamic_cast<Step*>(op);
    return step == nullptr ? std::string() : step->spec().input;
  };
  switch (record.kind) {
    case Kind::step_done:
      if (listening(Point::step_after) != nullptr)
        tell(Point::step_after, step_members(record) + value_member("result", record), "input", input_of());
      return;
    case Kind::step_skipped:
      if (listening(Point::step_skip) != nullptr)
        tell(Point::step_skip, "\"step\":" + label_of(record.name) + value_member("result", record) + ",\"by\":" + label_of(hooks::skipped_by(record.data)));
      return;
    case Kind::attempt_failed:
      if (journal::number_of(record.data, "retry_at") != 0 && listening(Point::step_retry) != nullptr)
        tell(Point::step_retry, "\"step\":" + label_of(record.name) + ",\"attempt\":" +
                                    std::to_string(journal::number_of(record.data, "attempt")) + ",\"error\":" +
                                    std::string(journal::error_of(record.data)));
      return;
    default:
      return;
  }
}

}  // namespace perilune::flow
