// perilune show: a run from its first record to its newest.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_report.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/journal/generations.hpp"

namespace perilune::cli {

using journal::Kind;
using journal::Record;
using store::RunRow;

namespace {

constexpr int k_value_columns = 200;
constexpr int k_kind_width = 15;

void print_field(std::string_view name, const std::string& value) {
  if (!value.empty()) print_out(padded(name, 10) + value + "\n");
}

void print_head(const RunRow& row) {
  print_field("run", printable(row.id));
  print_field("workflow", printable(row.workflow) + " (version " + std::to_string(row.version) + ")");
  print_field("status", std::string(store::status_name(row.status)));
  print_field("session", printable(row.session));
  print_field("started", date_time(row.created_us));
  bool over = store::is_final(row.status) || row.status == store::Status::diverged;
  print_field(over ? "ended" : "changed",
              date_time(row.updated_us) + ", after " + short_duration(row.updated_us - row.created_us));
  print_field("input", clipped(printable(row.input), k_value_columns));
  if (row.status == store::Status::completed) print_field("output", clipped(printable(row.output), k_value_columns));
  if (row.error.empty()) return;
  Error error = error_from_json_text(row.error);
  print_field("error", printable(one_line(error)));
  if (!error.traceback.empty()) print_out(indented(printable_lines(error.traceback), "            "));
}

Paint paint_of(Kind kind) {
  switch (kind) {
    case Kind::step_done:
      return Paint::green;
    case Kind::step_failed:
      return Paint::red;
    case Kind::attempt_failed:
      return Paint::yellow;
    default:
      return Paint::none;
  }
}

std::string since_start(int64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "+%.3fs", static_cast<double>(us) / 1e6);
  return text;
}

void print_timeline(const Terminal& terminal, const std::vector<Record>& records) {
  if (records.empty()) return;
  int64_t began_us = records.front().at_us;
  int seq_width = columns_of(std::to_string(records.back().seq));
  int time_width = columns_of(since_start(records.back().at_us - began_us));
  int task_width = 1;
  for (const Record& record : records) task_width = std::max(task_width, columns_of(record.task));
  std::set<uint64_t> counting;
  for (const Record& record : journal::living(records)) counting.insert(record.seq);
  print_out("\n");
  for (const Record& record : records) {
    bool history = counting.count(record.seq) == 0;   // of before somebody took the run back
    std::string seq = std::to_string(record.seq);
    std::string line = std::string(static_cast<size_t>(std::max(0, seq_width - columns_of(seq))), ' ') + seq + "  " +
                       padded(since_start(record.at_us - began_us), time_width) + "  " +
                       padded(printable(record.task), task_width) + "  " +
                       painted(terminal, history ? Paint::dim : paint_of(record.kind), padded(journal::kind_name(record.kind), k_kind_width)) +
                       "  " + printable(record.name);
    std::string detail = detail_text(record);
    print_out(line + (detail.empty() ? "" : "  " + detail) + (history ? "  (history)" : "") + "\n");
  }
}

}  // namespace

int verb_show(const ShowOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  Result<std::vector<Record>> records = view->reader->records(row->no, 1, 0);
  if (!records.ok()) return complain(records.error());
  if (options.report) {
    RunReport report = report_of(*records);
    int64_t now_us = RealClock().wall_us();
    if (options.json) print_json(report_json(*row, report, now_us));
    else print_out(report_text(*row, report, now_us, terminal_of(STDOUT_FILENO)));
    return k_exit_ok;
  }
  if (options.json) {
    print_json(show_json(*row, *records));
    return k_exit_ok;
  }
  print_head(*row);
  print_timeline(terminal_of(STDOUT_FILENO), *records);
  return k_exit_ok;
}

}  // namespace perilune::cli
