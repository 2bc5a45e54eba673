// What is said when something went wrong, and what to type next. Always on stderr.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/cli/json_view.hpp"
#include "bindings/cli/verbs.hpp"

namespace perilune::cli {

// "perilune VERB RUN", with the --store that was given.
std::string command(const CommonOptions& options, const std::string& verb, const std::string& run);

// A word as a shell takes it.
std::string shell_quoted(const std::string& word);

// "perilune: WHAT" and "  try: COMMAND"; without a hint the one that fits the error. Returns the exit code of the
// error.
int complain(const Error& error, const std::string& hint = "");

// Of a run that ended badly: the error with step, attempt, script line and traceback, what else failed, next commands;
// `with_acts` also what can be done with the run.
void report_failure(const RunResult& result, const CommonOptions& options, bool with_acts);

// Prints the results of runs as `run` and `resume` do (output on stdout, failures on stderr) and gives the exit code.
int report_result(const RunResult& result, const CommonOptions& options);

// JSON for stdout: one line when it is read by programs, indented on a terminal.
void print_json(std::string_view json);

}  // namespace perilune::cli
