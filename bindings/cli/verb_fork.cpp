// perilune fork: a new run that shares another's records up to one of them, and goes on from there.
// SPDX-License-Identifier: MIT
#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/input_option.hpp"
#include "bindings/cli/person.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/session.hpp"
#include "bindings/cli/store_view.hpp"

namespace perilune::cli {

int verb_fork(const ForkOptions& options) {
  engine::ForkOrder order;
  order.at = static_cast<uint64_t>(options.at);
  order.id = options.id;
  order.by = person(options.by);
  if (!options.input.empty()) {
    Result<std::string> input = read_input(options.input);
    if (!input.ok()) return complain(input.error());
    order.input = std::move(*input);
  }
  Result<StoreView> view = open_view(options);
  if (!view.ok()) return complain(view.error());
  Result<store::RunRow> row = find_run(*view, options.run);
  if (!row.ok()) return complain(row.error());
  view->reader.reset();
  Result<std::unique_ptr<Session>> opened = Session::open(options);
  if (!opened.ok()) return complain(opened.error());
  Session& session = **opened;
  session.fork(row->id, order);
  session.wait();
  const Session::Outcome& outcome = session.outcomes().front();
  if (outcome.refused != nullptr) return complain(*outcome.refused, command(options, "show", row->id));
  if (!outcome.result.status) return k_exit_left;
  return report_result(outcome.result, options);
}

}  // namespace perilune::cli
