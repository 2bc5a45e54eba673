// See run_summary.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_summary.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "bindings/cli/record_text.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/flow/gate.hpp"
#include "runtime/journal/generations.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;

namespace {

class Summing {
 public:
  explicit Summing(RunSummary& summary) : summary_(summary) {}

  void add(const Record& record) {
    switch (record.kind) {
      case Kind::attempt_failed: return failed_attempt(record);
      case Kind::step_done: return ended(record, "completed");
      case Kind::step_failed: return ended(record, "failed");
      case Kind::step_skipped: return ended(record, "skipped");
      case Kind::compensation_done:
        summary_.undone.push_back(record.name);
        return;
      case Kind::gate:
        if (std::optional<flow::Verdict> verdict = flow::verdict_of(record)) {
          std::string message = verdict->held ? "" : verdict->message.empty() ? "it did not hold" : verdict->message;
          summary_.gates.push_back({verdict->gate, record.name, std::move(message)});
        }
        return;
      case Kind::operator_act:
      case Kind::paused:
      case Kind::resumed:
      case Kind::rollback:
        if (std::string by = journal::operator_of(record); !by.empty()) summary_.acts.push_back(record.name + " by " + by);
        return;
      default: return;
    }
  }

 private:
  // Effects and other calls that fail without a step have no name of a step: they are none.
  RunSummary::Step& step(const Record& record) {
    auto [found, fresh] = by_name_.try_emplace(record.name, summary_.steps.size());
    if (fresh) summary_.steps.push_back({record.name, "running", 0, 0, 0, ""});
    RunSummary::Step& step = summary_.steps[found->second];
    if (calls_.insert(record.task + "#" + std::to_string(record.op)).second) ++step.count;
    return step;
  }

  int64_t time_of(const Record& record) {
    int64_t started_us = journal::number_of(record.data, "started");
    return started_us == 0 ? 0 : std::max<int64_t>(0, record.at_us - started_us);
  }

  void failed_attempt(const Record& record) {
    RunSummary::Step& one = step(record);
    int64_t again_us = journal::number_of(record.data, "retry_at");
    ++one.attempts;
    one.time_us += time_of(record);
    one.status = again_us == 0 ? "failed" : "retrying";
    one.error = journal::error_of(record.data);
    if (again_us == 0) return;
    ++summary_.retries;
    summary_.retries_us += time_of(record) + std::max<int64_t>(0, again_us - record.at_us);
  }

  void ended(const Record& record, const char* status) {
    RunSummary::Step& one = step(record);
    one.status = status;
    one.time_us += time_of(record);
    if (record.kind != Kind::step_skipped) ++one.attempts;
    one.error = record.kind == Kind::step_failed ? journal::error_of(record.data) : std::string_view();
  }

  RunSummary& summary_;
  std::unordered_map<std::string, size_t> by_name_;
  std::set<std::string> calls_;
};

}  // namespace

RunSummary summary_of(const store::RunRow& row, const std::vector<Record>& records) {
  RunSummary summary;
  summary.took_us = row.updated_us - row.created_us;
  Summing summing(summary);
  for (const Record& record : journal::living(records)) summing.add(record);
  for (const RunSummary::Step& step : summary.steps) summary.steps_us += step.time_us;
  return summary;
}

std::string summary_text(const store::RunRow& row, const RunSummary& summary) {
  std::string text = "run " + printable(row.id) + " (" + printable(row.workflow) + ") " + std::string(store::status_name(row.status)) +
                     " after " + short_duration(summary.took_us) + ", " + short_duration(summary.steps_us) + " of it in steps\n";
  int width = 4;
  for (const RunSummary::Step& step : summary.steps) width = std::max(width, std::min(40, columns_of(printable(step.name))));
  if (!summary.steps.empty()) text += padded("STEP", width) + "  " + padded("STATUS", 9) + "  " + padded("TIME", 8) + "  CALLS  ATTEMPTS\n";
  for (const RunSummary::Step& step : summary.steps) {
    text += padded(clipped(printable(step.name), width), width) + "  " + padded(step.status, 9) + "  " + padded(short_duration(step.time_us), 8) +
            "  " + padded(std::to_string(step.count), 5) + "  " + std::to_string(step.attempts);
    text += step.error.empty() ? "\n" : "  " + printable(one_line(error_from_json_text(step.error))) + "\n";
  }
  for (const RunSummary::Gate& gate : summary.gates) {
    std::string of = gate.name.empty() || gate.name == gate.gate ? "" : " of " + printable(gate.name);
    text += "gate     " + printable(gate.gate) + of + (gate.message.empty() ? " held\n" : " failed: " + printable(gate.message) + "\n");
  }
  if (summary.retries > 0)
    text += "retries  " + std::to_string(summary.retries) + " attempts came again, which took " + short_duration(summary.retries_us) + "\n";
  for (const std::string& name : summary.undone) text += "undone   " + printable(name) + "\n";
  for (const std::string& act : summary.acts) text += "operator " + printable(act) + "\n";
  if (!row.error.empty()) text += "error    " + printable(one_line(error_from_json_text(row.error))) + "\n";
  return text;
}

std::string summary_json(const store::RunRow& row, const RunSummary& summary) {
  JsonText json;
  json.open_object().key("run").text(row.id).key("workflow").text(row.workflow).key("status").text(store::status_name(row.status));
  json.key("duration_ms").number(summary.took_us / 1000).key("steps_ms").number(summary.steps_us / 1000);
  json.key("steps").open_array();
  for (const RunSummary::Step& step : summary.steps) {
    json.open_object().key("name").text(step.name).key("status").text(step.status).key("count").number(step.count);
    json.key("attempts").number(step.attempts).key("duration_ms").number(step.time_us / 1000);
    json.key("error").recorded(step.error).close_object();
  }
  json.close_array().key("gates").open_array();
  for (const RunSummary::Gate& gate : summary.gates) {
    json.open_object().key("gate").text(gate.gate).key("name").text(gate.name).key("held").boolean(gate.message.empty());
    json.key("message").text_or_null(gate.message).close_object();
  }
  json.close_array().key("retries").number(summary.retries).key("retries_ms").number(summary.retries_us / 1000);
  json.key("undone").open_array();
  for (const std::string& name : summary.undone) json.text(name);
  json.close_array().key("acts").open_array();
  for (const std::string& act : summary.acts) json.text(act);
  return json.close_array().key("error").recorded(row.error).close_object().take();
}

}  // namespace perilune::cli
