// See outcomes.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/outcomes.hpp"

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/report.hpp"
#include "bindings/cli/terminal.hpp"

namespace perilune::cli {
namespace {

// Of several runs: storage trouble before an ended badly before a left one.
int worse(int a, int b) {
  auto rank = [](int exit_code) {
    if (exit_code == k_exit_ok) return 0;
    if (exit_code == k_exit_left) return 1;
    return exit_code == k_exit_failed ? 2 : 2 + exit_code;
  };
  return rank(a) >= rank(b) ? a : b;
}

}  // namespace

int report_all(const Session& session, const CommonOptions& options, bool settled) {
  int exit_code = k_exit_ok;
  JsonText json;
  json.open_array();
  for (const Session::Outcome& outcome : session.outcomes()) {
    RunResult result = outcome.result;
    if (outcome.refused != nullptr) {
      result.error = std::make_shared<const Error>(*outcome.refused);
      print_err("perilune: run " + printable(result.run) + ": " + printable(outcome.refused->message) + "\n");
      exit_code = worse(exit_code, exit_code_of(*outcome.refused));
    } else if (settled) {
      // as it was asked for
    } else if (result.status) {
      int own = exit_code_of(*result.status, result.error.get());
      if (own == k_exit_failed) report_failure(result, options, false);
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

}  // namespace perilune::cli
