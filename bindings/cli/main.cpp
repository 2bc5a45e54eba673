// The program `perilune`.
// SPDX-License-Identifier: MIT
#include <csignal>
#include <string>
#include <vector>

#include "bindings/cli/command_line.hpp"
#include "bindings/cli/terminal.hpp"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away ends nothing: runs least of all
  int exit_code = perilune::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  return perilune::cli::flush_out(exit_code);
}
