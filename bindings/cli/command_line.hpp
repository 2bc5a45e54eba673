// The command line: which verb is meant, with which options. The only place that knows CLI11.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace perilune::cli {

// `words`: the arguments without the program's name. Runs the verb and returns the exit code.
int run_command_line(const std::vector<std::string>& words);

}  // namespace perilune::cli
