// perilune list: the runs of a store, newest first.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <algorithm>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_filter.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

using store::RunRow;
using store::Status;

namespace {

constexpr int64_t k_table_limit = 50;
Paint paint_of(Status status) {
  switch (status) {
    case Status::completed:
      return Paint::green;
    case Status::failed:
    case Status::diverged:
    case Status::quarantined:
      return Paint::red;
    case Status::cancelled:
      return Paint::dim;
    default:
      return Paint::yellow;
  }
}

void print_table(const std::vector<RunRow>& rows) {
  Terminal terminal = terminal_of(STDOUT_FILENO);
  int id_width = 3, workflow_width = 8;
  bool sessions = false;
  for (const RunRow& row : rows) {
    id_width = std::max(id_width, columns_of(printable(row.id)));
    workflow_width = std::max(workflow_width, columns_of(printable(row.workflow)));
    sessions = sessions || !row.session.empty();
  }
  constexpr int k_status_width = 11, k_time_width = 19, k_took_width = 8;
  std::string head = padded("RUN", id_width) + "  " + padded("WORKFLOW", workflow_width) + "  " +
                     padded("STATUS", k_status_width) + "  " + padded("STARTED", k_time_width) + "  " +
                     padded("TOOK", k_took_width) + (sessions ? "  SESSION" : "");
  print_out(painted(terminal, Paint::bold, head) + "\n");
  for (const RunRow& row : rows) {
    std::string status(store::status_name(row.status));
    bool over = store::is_final(row.status) || row.status == Status::diverged;
    print_out(padded(printable(row.id), id_width) + "  " + padded(printable(row.workflow), workflow_width) + "  " +
              painted(terminal, paint_of(row.status), padded(status, k_status_width)) + "  " +
              padded(date_time(row.created_us), k_time_width) + "  " +
              padded(over ? short_duration(row.updated_us - row.created_us) : "-", k_took_width) +
              (sessions ? "  " + printable(row.session) : "") + "\n");
  }
}

}  // namespace

int verb_list(const ListOptions& options) {
  Result<store::Filter> filter = make_filter(options);
  if (!filter.ok()) return complain(filter.error(), "perilune list --help");
  if (options.limit < 0 && !options.json) filter->limit = k_table_limit;
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  std::vector<RunRow> rows;
  if (view->reader != nullptr) {
    Result<std::vector<RunRow>> listed = view->reader->list(*filter);
    if (!listed.ok()) return complain(listed.error());
    rows = std::move(*listed);
  }
  if (options.json) {
    JsonText json;
    json.open_array();
    for (const RunRow& row : rows) json.raw(row_json(row));
    print_json(json.close_array().str());
  } else if (rows.empty()) {
    if (!options.quiet)
      print_err("no runs" + std::string(view->reader == nullptr ? ": there is no store yet" : "") + "\n");
  } else {
    print_table(rows);
    if (options.limit < 0 && static_cast<int64_t>(rows.size()) == k_table_limit && !options.quiet)
      print_err("the newest " + std::to_string(k_table_limit) + " are shown; --limit 0 shows all\n");
  }
  return k_exit_ok;
}

}  // namespace perilune::cli
