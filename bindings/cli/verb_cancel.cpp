// perilune cancel: takes up a run that nobody executes, asks it to end, and waits until it has.
// SPDX-License-Identifier: MIT
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/person.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/session.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

using store::Status;

namespace {

int report(const RunResult& result, const CancelOptions& options) {
  bool cancelled = *result.status == Status::cancelled;
  if (options.json) print_json(run_json(result));
  if (cancelled) {
    if (!options.json && !options.quiet) print_err("run " + printable(result.run) + " is cancelled\n");
    return k_exit_ok;
  }
  if (!store::is_final(*result.status)) return report_result(result, options);
  print_err("perilune: run " + printable(result.run) + " was not cancelled: it had " +
            std::string(store::status_name(*result.status)) +
            " before\n  try: " + command(options, "show", result.run) + "\n");
  return k_exit_failed;
}

}  // namespace

int verb_cancel(const CancelOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  if (row->status == Status::cancelled) return report(result_of(*row), options);
  if (store::is_final(row->status) || row->status == Status::diverged)
    return complain(Error(code::k_usage, "run '" + row->id + "' is " + std::string(store::status_name(row->status)) +
                                             " already: there is nothing to cancel"),
                    command(options, "show", row->id));
  view->reader.reset();
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Session& session = **opened;
  session.cancel(row->id, person(options.by));
  session.wait();
  const Session::Outcome& outcome = session.outcomes().front();
  if (outcome.refused != nullptr) return complain(*outcome.refused);
  if (!outcome.result.status) return k_exit_left;
  return report(outcome.result, options);
}

}  // namespace perilune::cli
