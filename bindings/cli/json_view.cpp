// See json_view.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/json_view.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "bindings/cli/run_state.hpp"
#include "bindings/cli/wait_text.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/flow/state_records.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;
using store::RunRow;

namespace {

constexpr int64_t k_us_in_ms = 1000;

void add_head(JsonText& json, const RunResult& result) {
  json.key("run").text_or_null(result.run);
  json.key("workflow").text_or_null(result.workflow);
  json.key("status");
  if (result.status)
    json.text(store::status_name(*result.status));
  else
    json.null();
}

void add_outcome(JsonText& json, const RunResult& result) {
  json.key("output").recorded(result.output);
  json.key("error").raw(result.error == nullptr ? std::string() : to_json_text(*result.error));
}

void add_time(JsonText& json, std::string_view key, int64_t at_us) {
  json.key(key).text_or_null(at_us == 0 ? std::string() : rfc3339(at_us));
}

void add_step(JsonText& json, const StepView& step) {
  json.key(step.name).open_object();
  json.key("status").text(step.status);
  add_time(json, "started_at", step.started_us);
  add_time(json, "completed_at", step.completed_us);
  json.key("attempts").number(step.attempts);
  json.key("output").recorded(step.output);
  json.key("error").recorded(step.error);
  json.key("count").number(step.count);
  json.key("cache_key").null().key("cached").boolean(false);
  json.close_object();
}

void add_record(JsonText& json, const Record& record, bool counts) {
  json.open_object();
  json.key("seq").number(static_cast<int64_t>(record.seq));
  json.key("task").text(record.task).key("op").number(record.op);
  json.key("kind").text(journal::kind_name(record.kind));
  json.key("name").text(record.name);
  json.key("at").text(rfc3339(record.at_us));
  json.key("data").recorded(record.data);
  if (!counts) json.key("history").boolean(true).key("generation").number(record.generation);
  json.close_object();
}

// Gathers steps_of(): one view a name, and the operations that are steps for records which do not say so themselves.
class StepGatherer {
 public:
  void add(const Record& record);
  std::vector<StepView> take() { return std::move(steps_); }

 private:
  StepView& view(const Record& record);
  void end(const Record& record, const char* status);

  std::vector<StepView> steps_;
  std::unordered_map<std::string, size_t> by_name_;
  std::unordered_set<std::string> counted_;  // operations that have a record already
  std::unordered_set<std::string> timers_;
};

std::string operation_of(const Record& record) { return record.task + "#" + std::to_string(record.op); }

StepView& StepGatherer::view(const Record& record) {
  auto [found, fresh] = by_name_.try_emplace(record.name, steps_.size());
  if (fresh) steps_.push_back({record.name, "", 0, 0, 0, "", "", 0});
  StepView& step = steps_[found->second];
  if (!counted_.insert(operation_of(record)).second) return step;
  int64_t count = step.count + 1;
  step = StepView{record.name, "running", record.at_us, 0, 1, "", "", count};
  return step;
}

void StepGatherer::end(const Record& record, const char* status) {
  StepView& step = view(record);
  step.status = status;
  step.completed_us = record.at_us;
  bool done = record.kind == Kind::step_done;  // a value may hold a member "error", and an error a "value"
  step.output = done ? journal::value_of(record.data) : std::string_view();
  step.error = done ? std::string_view() : journal::error_of(record.data);
  if (record.kind == Kind::step_skipped) step.attempts = 0;
}

void StepGatherer::add(const Record& record) {
  switch (record.kind) {
    case Kind::step_started:
    case Kind::intent:
    case Kind::heartbeat:
      view(record).status = "running";
      break;
    case Kind::attempt_failed: {
      StepView& step = view(record);
      step.status = "retrying";
      step.error = journal::error_of(record.data);
      break;
    }
    case Kind::step_done:
      end(record, "completed");
      break;
    case Kind::step_failed:
      end(record, "failed");
      break;
    case Kind::step_skipped:
      end(record, "skipped");
      break;
    case Kind::op_cancelled:
      if (timers_.erase(operation_of(record)) > 0 || record.name == "sleep") return;
      end(record, "cancelled");
      break;
    case Kind::timer_set:
      timers_.insert(operation_of(record));
      return;
    case Kind::timer_fired:
      timers_.erase(operation_of(record));
      return;
    default:
      return;
  }
  if (record.kind == Kind::op_cancelled) return;
  StepView& step = steps_[by_name_[record.name]];
  int64_t started_us = journal::number_of(record.data, "started");
  if (started_us > 0) step.started_us = std::min(step.started_us, started_us);
  step.attempts = std::max(step.attempts, static_cast<int>(journal::number_of(record.data, "attempt")));
}

std::string current_step(const RunRow& row, const RunState& state) {
  if (store::is_final(row.status)) return "";
  std::string name;
  for (const OpenOperation* operation : state.operations()) name = operation->name;
  return name;
}

}  // namespace

std::string run_json(const RunResult& result) {
  JsonText json;
  json.open_object();
  add_head(json, result);
  add_outcome(json, result);
  json.key("records").number(static_cast<int64_t>(result.records));
  json.key("duration_ms").number(result.duration_us / k_us_in_ms);
  return json.close_object().take();
}

RunResult result_of(const RunRow& row) {
  RunResult result{row.id, row.workflow, row.status, row.output, nullptr, row.last_seq, row.updated_us - row.created_us,
                   true};
  if (!row.error.empty()) result.error = std::make_shared<const Error>(error_from_json_text(row.error));
  return result;
}

std::string row_json(const RunRow& row) {
  RunResult result = result_of(row);
  JsonText json;
  json.open_object();
  add_head(json, result);
  json.key("workflow_version").number(row.version);
  json.key("session").text_or_null(row.session);
  json.key("parent").text_or_null(row.parent);
  json.key("error").raw(result.error == nullptr ? std::string() : to_json_text(*result.error));
  json.key("records").number(static_cast<int64_t>(result.records));
  json.key("duration_ms").number(result.duration_us / k_us_in_ms);
  add_time(json, "created_at", row.created_us);
  add_time(json, "updated_at", row.updated_us);
  add_time(json, "wake_at", row.wake_us);
  return json.close_object().take();
}

std::vector<StepView> steps_of(const std::vector<Record>& records) {
  StepGatherer gatherer;
  for (const Record& record : records) gatherer.add(record);
  return gatherer.take();
}

std::string show_json(const RunRow& row, const std::vector<Record>& records) {
  RunResult result = result_of(row);
  JsonText json;
  json.open_object();
  add_head(json, result);
  json.key("workflow_version").number(row.version);
  json.key("session").text_or_null(row.session);
  json.key("parent").text_or_null(row.parent);
  json.key("input").recorded(row.input);
  const std::vector<Record> living = journal::living(records);
  json.key("state").recorded(flow::state_after(living));
  RunState state;
  for (const Record& record : living) state.apply(record);
  json.key("current_step").text_or_null(current_step(row, state));
  add_waits(json, state.waits());
  add_outcome(json, result);
  json.key("duration_ms").number(result.duration_us / k_us_in_ms);
  json.key("steps").open_object();
  for (const StepView& step : steps_of(living)) add_step(json, step);
  json.close_object();
  json.key("artifacts").open_array().close_array();
  add_time(json, "created_at", row.created_us);
  add_time(json, "updated_at", row.updated_us);
  add_time(json, "wake_at", row.wake_us);
  json.key("records").open_array();
  auto counts = living.begin();   // both are in the order of their numbers
  for (const Record& record : records) {
    while (counts != living.end() && counts->seq < record.seq) ++counts;
    add_record(json, record, counts != living.end() && counts->seq == record.seq);
  }
  return json.close_array().close_object().take();
}

}  // namespace perilune::cli
