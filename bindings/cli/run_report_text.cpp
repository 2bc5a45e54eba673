// A run's report as JSON, and for people; see run_report.hpp.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "bindings/cli/json_text.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/run_report.hpp"
#include "runtime/base/error.hpp"

namespace perilune::cli {

using store::RunRow;

namespace {

constexpr int64_t k_us_in_ms = 1000;
constexpr size_t k_rows_max = 50;   // of steps and of what was undone, for people
constexpr int k_name_width_max = 40;

int64_t elapsed_us(const RunRow& row, int64_t now_us) {
  bool over = store::is_final(row.status) || row.status == store::Status::diverged;
  return std::max<int64_t>(0, (over ? row.updated_us : now_us) - row.created_us);
}

void add_steps(JsonText& json, const RunReport& report) {
  json.key("steps").open_array();
  for (const RunReport::Steps& steps : report.steps()) {
    json.open_object().key("name").text(steps.name);
    json.key("count").number(steps.count).key("done").number(steps.done).key("failed").number(steps.failed);
    json.key("skipped").number(steps.skipped).key("cancelled").number(steps.cancelled);
    json.key("attempts").number(steps.attempts).key("retries").number(steps.retries);
    json.key("duration_ms").number(steps.duration_us / k_us_in_ms).close_object();
  }
  json.close_array();
}

std::string counted(int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string times(const std::string& word, int64_t count) {
  return count == 0 ? std::string() : count == 1 ? word : word + " " + std::to_string(count);
}

void join(std::string& text, const std::string& more) {
  if (!more.empty()) text += (text.empty() ? "" : ", ") + more;
}

std::string how_ended(const RunReport::Steps& steps) {
  std::string text;
  join(text, steps.count == steps.done && steps.count <= 1 ? "done" : times("done", steps.done));
  join(text, times("failed", steps.failed));
  join(text, times("skipped", steps.skipped));
  join(text, times("cancelled", steps.cancelled));
  if (steps.retries > 0) join(text, counted(steps.attempts, "attempt"));
  return text.empty() ? "not ended" : text;
}

std::string gate_name(const RunReport::Gate& gate) {
  return gate.gate == gate.name ? gate.gate : gate.gate + " " + gate.name;
}

// A table of two columns; what is over k_rows_max is counted.
std::string table(const std::string& title, const std::vector<std::pair<std::string, std::string>>& lines) {
  if (lines.empty()) return {};
  int width = 0;
  for (const auto& [name, text] : lines) width = std::max(width, std::min(columns_of(name), k_name_width_max));
  std::string out = title + "\n";
  for (size_t i = 0; i < lines.size() && i < k_rows_max; ++i)
    out += "  " + padded(lines[i].first, width) + "  " + lines[i].second + "\n";
  if (lines.size() > k_rows_max) out += "  and " + std::to_string(lines.size() - k_rows_max) + " more (--json has all)\n";
  return out;
}

std::string times_text(const RunReport& report, int64_t elapsed) {
  int64_t worked = std::min(elapsed, report.worked_us());
  return "worked " + short_duration(worked) + ", waited " + short_duration(elapsed - worked);
}

}  // namespace

std::string report_json(const RunRow& row, const RunReport& report, int64_t now_us) {
  int64_t elapsed = elapsed_us(row, now_us), worked = std::min(elapsed, report.worked_us());
  JsonText json;
  json.open_object();
  json.key("run").text(row.id).key("workflow").text(row.workflow).key("status").text(store::status_name(row.status));
  json.key("error").raw(row.error);
  json.key("elapsed_ms").number(elapsed / k_us_in_ms).key("worked_ms").number(worked / k_us_in_ms);
  json.key("waited_ms").number((elapsed - worked) / k_us_in_ms);
  json.key("retries").number(report.all_steps().retries);
  add_steps(json, report);
  json.key("gates").open_array();
  for (const RunReport::Gate& gate : report.gates()) {
    json.open_object().key("gate").text(gate.gate).key("name").text(gate.name);
    json.key("held").number(gate.held).key("failed").number(gate.failed).key("message").text_or_null(gate.message).close_object();
  }
  json.close_array().key("rules").open_array();
  for (const RunReport::Rule& rule : report.rules()) {
    json.open_object().key("name").text(rule.name).key("checked");
    rule.tallied ? json.number(rule.checked) : json.null();
    json.key("broken").number(rule.broken).key("message").text_or_null(rule.message).close_object();
  }
  json.close_array().key("undone").open_array();
  for (const RunReport::Undone& one : report.undone())
    json.open_object().key("name").text(one.name).key("done").boolean(one.done).key("error").text_or_null(one.error).close_object();
  return json.close_array().close_object().take();
}

std::string report_text(const RunRow& row, const RunReport& report, int64_t now_us, const Terminal& terminal) {
  using Lines = std::vector<std::pair<std::string, std::string>>;
  std::string text = "run " + printable(row.id) + " (" + printable(row.workflow) + "): " + std::string(store::status_name(row.status)) + "\n";
  if (!row.error.empty()) text += "  " + painted(terminal, Paint::red, printable(one_line(error_from_json_text(row.error)))) + "\n";
  int64_t elapsed = elapsed_us(row, now_us);
  text += "  took " + short_duration(elapsed) + ": " + times_text(report, elapsed) + "\n";
  Lines steps, gates, rules, undone;
  for (const RunReport::Steps& one : report.steps())
    steps.emplace_back(printable(one.name), padded(short_duration(one.duration_us), 6) + "  " + how_ended(one));
  for (const RunReport::Gate& gate : report.gates()) {
    std::string verdict = times("held", gate.held);
    if (gate.failed > 0)
      join(verdict, painted(terminal, Paint::red, times("did not hold", gate.failed)) + ": " + printable(gate.message));
    gates.emplace_back(printable(gate_name(gate)), verdict);
  }
  for (const RunReport::Rule& rule : report.rules()) {
    std::string verdict = rule.tallied ? "checked " + std::to_string(rule.checked) : std::string();
    if (rule.broken > 0) join(verdict, painted(terminal, Paint::red, "broken " + std::to_string(rule.broken)) + ": " + printable(rule.message));
    rules.emplace_back(printable(rule.name), verdict);
  }
  for (const RunReport::Undone& one : report.undone())
    undone.emplace_back(printable(one.name), one.done ? "done" : painted(terminal, Paint::red, "failed") + ": " + printable(one.error));
  return text + table("steps", steps) + table("gates", gates) + table("rules", rules) + table("undone", undone);
}

std::vector<std::string> report_short(const RunReport& report, int64_t elapsed) {
  const RunReport::Steps& all = report.all_steps();
  std::string text = counted(all.count, "step");
  join(text, all.failed == 0 ? std::string() : std::to_string(all.failed) + " failed");
  join(text, all.retries == 0 ? std::string() : all.retries == 1 ? "1 retry" : std::to_string(all.retries) + " retries");
  join(text, report.undone().empty() ? std::string() : std::to_string(report.undone().size()) + " undone");
  std::vector<std::string> lines{text + "; " + times_text(report, elapsed)};
  for (const RunReport::Gate& gate : report.gates())
    if (gate.failed > 0) lines.push_back("gate " + printable(gate_name(gate)) + " did not hold: " + printable(gate.message));
  for (const RunReport::Rule& rule : report.rules())
    if (rule.broken > 0) lines.push_back("rule '" + printable(rule.name) + "' was broken " + counted(rule.broken, "time") + ": " + printable(rule.message));
  return lines;
}

}  // namespace perilune::cli
