// perilune signal: gives a run a signal; it is on disk when this returns, and the run takes it when it goes on.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/session.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

int verb_signal(const SignalOptions& options) {
  if (!nlohmann::json::accept(options.value))
    return complain(Error(code::k_validation, "the value is not JSON: " + options.value), "perilune signal RUN NAME '{\"by\":\"ana\"}'");
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  bool owned = owner_of(*view) != 0;   // whoever has the store wakes the run
  view->reader.reset();
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Result<void> sent = (*opened)->signal(row->id, options.name, options.value);
  if (!sent.ok()) return complain(sent.error());
  if (options.json) print_json("{\"run\":\"" + row->id + "\",\"signal\":" + nlohmann::json(options.name).dump() + "}");
  else if (!options.quiet)
    print_err("run " + printable(row->id) + " has the signal '" + printable(options.name) + "'" +
              (owned ? "\n" : "; it goes on with\n  " + command(options, "resume", row->id) + "\n"));
  return k_exit_ok;
}

}  // namespace perilune::cli
