// perilune why: what keeps a run from going on, since when, and what would move it.
// SPDX-License-Identifier: MIT
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/store_view.hpp"
#include "bindings/cli/terminal.hpp"
#include "bindings/cli/why.hpp"

namespace perilune::cli {

int verb_why(const RunViewOptions& options) {
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  Result<Explanation> found = explain(*view, std::move(*row), options);
  if (!found.ok()) return complain(found.error());
  if (options.json) print_json(explanation_json(*found));
  else print_out(explanation_text(*found));
  return k_exit_ok;
}

}  // namespace perilune::cli
