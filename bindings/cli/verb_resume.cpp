// perilune resume: takes up runs that are not over: the one that is named, the only one, or all.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/outcomes.hpp"
#include "bindings/cli/person.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/run_filter.hpp"
#include "bindings/cli/session.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

using store::RunRow;
using store::Status;

namespace {

// Which run is meant: the only unfinished one, when none is named.
Result<RunRow> choose(const StoreView& view, const std::string& run) {
  if (!run.empty()) return find_run(view, run);
  Result<std::vector<RunRow>> rows = unfinished_runs(view);
  if (!rows.ok()) return rows.error();
  if (rows->size() == 1) return rows->front();
  if (rows->empty()) return Error(code::k_usage, "no run is unfinished: there is nothing to resume");
  std::string text = std::to_string(rows->size()) + " runs are unfinished; say which:";
  for (const RunRow& row : *rows)
    text += "\n  " + printable(row.id) + "  " + printable(row.workflow) + "  " +
            std::string(store::status_name(row.status));
  return Error(code::k_usage, text);
}

int refuse(const Error& error, const ResumeOptions& options, const std::string& run) {
  if (options.json) {
    RunResult result;
    result.run = run;
    result.error = std::make_shared<const Error>(error);
    print_json(run_json(result));
  }
  if (error.code == code::k_usage && !run.empty()) return complain(error, command(options, "show", run));
  return complain(error, error.code == code::k_usage ? "perilune resume RUN, or perilune resume --all" : "");
}

// A paused run is taken up by a person: that is recorded. An interrupted one just goes on.
void take_up(Session& session, const RunRow& row, const ResumeOptions& options) {
  if (row.status != store::Status::paused) return session.resume(row.id);
  engine::Order order;
  order.act = engine::Order::Act::resume;
  order.by = person(options.by);
  session.operate(row.id, order, true);
}

int resume_one(const ResumeOptions& options, const RunRow& row) {
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return refuse(opened.error(), options, row.id);
  Session& session = **opened;
  take_up(session, row, options);
  session.wait();
  const Session::Outcome& outcome = session.outcomes().front();
  if (outcome.refused != nullptr) return refuse(*outcome.refused, options, row.id);
  if (!outcome.result.status) return k_exit_left;
  return report_result(outcome.result, options);
}

int resume_all(const ResumeOptions& options, const StoreView& view) {
  Result<store::Filter> filter = make_filter(options);
  if (!filter.ok()) return complain(filter.error(), "perilune resume --help");
  if (filter->statuses.empty()) filter->statuses = {Status::queued, Status::running, Status::waiting};   // a person decides on others
  Result<std::vector<RunRow>> rows = view.reader == nullptr ? std::vector<RunRow>() : view.reader->list(*filter);
  if (!rows.ok()) return complain(rows.error());
  if (rows->empty()) {
    if (options.json)
      print_json("[]");
    else if (!options.quiet)
      print_err("no run is there to resume\n");
    return k_exit_ok;
  }
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Session& session = **opened;
  for (auto row = rows->rbegin(); row != rows->rend(); ++row)  // the oldest first
    take_up(session, *row, options);
  session.wait();
  return report_all(session, options);
}

}  // namespace

int verb_resume(const ResumeOptions& options) {
  if (options.all && !options.run.empty())
    return complain(Error(code::k_usage, "a RUN and --all exclude each other"), "perilune resume --all");
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return refuse(view.error(), options, options.run);
  if (options.all) return resume_all(options, *view);
  Result<RunRow> row = choose(*view, options.run);
  if (!row.ok()) return refuse(row.error(), options, "");
  view->reader.reset();
  return resume_one(options, *row);
}

}  // namespace perilune::cli
