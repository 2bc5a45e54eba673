// perilune resume: takes up runs that are not over: the one that is named, the only one, or all.
// SPDX-License-Identifier: MIT
#include <algorithm>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/session.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

using store::RunRow;

namespace {

// Which run is meant: the only unfinished one, when none is named.
Result<std::string> choose(const StoreView& view, const std::string& run) {
  if (!run.empty()) {
    Result<RunRow> row = find_run(view, run);
    if (!row.ok()) return row.error();
    return row->id;
  }
  Result<std::vector<RunRow>> rows = unfinished_runs(view);
  if (!rows.ok()) return rows.error();
  if (rows->size() == 1) return rows->front().id;
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

int resume_one(const ResumeOptions& options, const std::string& id) {
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return refuse(opened.error(), options, id);
  Session& session = **opened;
  session.resume(id);
  session.wait();
  const Session::Outcome& outcome = session.outcomes().front();
  if (outcome.refused != nullptr) return refuse(*outcome.refused, options, id);
  if (!outcome.result.status) return k_exit_left;
  return report_result(outcome.result, options);
}

// Of several runs: storage trouble before an ended badly before a left one.
int worse(int a, int b) {
  auto rank = [](int exit_code) {
    if (exit_code == k_exit_ok) return 0;
    if (exit_code == k_exit_left) return 1;
    return exit_code == k_exit_failed ? 2 : 2 + exit_code;
  };
  return rank(a) >= rank(b) ? a : b;
}

int report_all(const Session& session, const ResumeOptions& options) {
  int exit_code = k_exit_ok;
  JsonText json;
  json.open_array();
  for (const Session::Outcome& outcome : session.outcomes()) {
    RunResult result = outcome.result;
    if (outcome.refused != nullptr) {
      result.error = std::make_shared<const Error>(*outcome.refused);
      print_err("perilune: run " + printable(result.run) + ": " + printable(outcome.refused->message) + "\n");
      exit_code = worse(exit_code, exit_code_of(*outcome.refused));
    } else if (result.status) {
      int own = exit_code_of(*result.status, result.error.get());
      if (own == k_exit_failed) report_failure(result, options);
      exit_code = worse(exit_code, own);
    } else {
      exit_code = worse(exit_code, k_exit_left);
    }
    json.raw(run_json(result));
    if (!options.json)
      print_out(printable(result.run) + " " + std::string(result.status ? store::status_name(*result.status) : "-") +
                "\n");
  }
  if (options.json) print_json(json.close_array().str());
  return exit_code;
}

int resume_all(const ResumeOptions& options, const StoreView& view) {
  Result<std::vector<RunRow>> rows = unfinished_runs(view);
  if (!rows.ok()) return complain(rows.error());
  if (rows->empty()) {
    if (options.json)
      print_json("[]");
    else if (!options.quiet)
      print_err("no run is unfinished\n");
    return k_exit_ok;
  }
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Session& session = **opened;
  for (auto row = rows->rbegin(); row != rows->rend(); ++row)  // the oldest first
    if (row->status != store::Status::paused) session.resume(row->id);
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
  Result<std::string> id = choose(*view, options.run);
  if (!id.ok()) return refuse(id.error(), options, "");
  view->reader.reset();
  return resume_one(options, *id);
}

}  // namespace perilune::cli
