// perilune audit: what operators did with the runs of a store, the newest first.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_filter.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "runtime/base/clock.hpp"
#include "runtime/journal/generations.hpp"

namespace perilune::cli {

using journal::Kind;
using store::RunRecord;

namespace {

constexpr size_t k_table_limit = 50;

// A cancellation has who asked for it as its name.
std::string by_of(const journal::Record& record) {
  return record.kind == Kind::cancel_requested ? record.name : journal::operator_of(record);
}

std::string act_of(const journal::Record& record) {
  return record.kind == Kind::cancel_requested ? "cancel" : record.name;
}

// What the runtime asks for itself (a time-out) is no act of an operator's.
bool by_operator(const journal::Record& record) { return record.kind != Kind::cancel_requested || record.name != "timeout"; }

std::string audit_json(const std::vector<RunRecord>& acts) {
  JsonText json;
  json.open_array();
  for (const RunRecord& act : acts) {
    json.open_object().key("run").text(act.run).key("workflow").text(act.workflow);
    json.key("act").text(act_of(act.record)).key("by").text_or_null(by_of(act.record));
    json.key("at").text(rfc3339(act.record.at_us)).key("seq").number(static_cast<int64_t>(act.record.seq));
    json.key("data").recorded(act.record.data).close_object();
  }
  return json.close_array().take();
}

void print_table(const std::vector<RunRecord>& acts) {
  int run_width = 3, by_width = 2;
  for (const RunRecord& act : acts) {
    run_width = std::max(run_width, columns_of(printable(act.run)));
    by_width = std::max(by_width, columns_of(printable(by_of(act.record))));
  }
  constexpr int k_time_width = 19, k_act_width = 8;
  std::string head = padded("TIME", k_time_width) + "  " + padded("ACT", k_act_width) + "  " + padded("BY", by_width) + "  " +
                     padded("RUN", run_width) + "  RECORD";
  print_out(painted(terminal_of(STDOUT_FILENO), Paint::bold, head) + "\n");
  for (const RunRecord& act : acts)
    print_out(padded(date_time(act.record.at_us), k_time_width) + "  " + padded(printable(act_of(act.record)), k_act_width) +
              "  " + padded(printable(by_of(act.record)), by_width) + "  " + padded(printable(act.run), run_width) + "  " +
              std::to_string(act.record.seq) + "\n");
}

}  // namespace

int verb_audit(const AuditOptions& options) {
  int64_t since_us = 0;
  if (!options.since.empty()) {
    Result<int64_t> since = parse_since(options.since);
    if (!since.ok()) return complain(since.error(), "perilune audit --help");
    since_us = *since;
  }
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  std::string run;
  if (!options.run.empty()) {
    Result<store::RunRow> row = find_run(*view, options.run);
    if (!row.ok()) return complain(row.error());
    run = row->id;
  }
  Result<std::vector<RunRecord>> acts = std::vector<RunRecord>();
  if (view->reader != nullptr)
    acts = view->reader->records_of_kinds({Kind::operator_act, Kind::paused, Kind::resumed, Kind::cancel_requested}, since_us);
  if (!acts.ok()) return complain(acts.error());
  std::erase_if(*acts, [&](const RunRecord& act) {
    return (!run.empty() && act.run != run) || (!options.workflow.empty() && act.workflow != options.workflow) ||
           (!options.by.empty() && by_of(act.record) != options.by) || !by_operator(act.record);
  });
  size_t limit = options.limit > 0 ? static_cast<size_t>(options.limit) : 0;
  if (options.limit < 0 && !options.json) limit = k_table_limit;
  bool cut = limit > 0 && acts->size() > limit;
  if (cut) acts->resize(limit);
  if (options.json) {
    print_json(audit_json(*acts));
  } else if (acts->empty()) {
    if (!options.quiet) print_err("no operator has done anything\n");
  } else {
    print_table(*acts);
    if (cut && !options.quiet) print_err("the newest " + std::to_string(limit) + " are shown; --limit 0 shows all\n");
  }
  return k_exit_ok;
}

}  // namespace perilune::cli
