// The program `perilune`.
// SPDX-License-Identifier: MIT
#include <fcntl.h>

#include <csignal>
#include <string>
#include <vector>

#include "bindings/cli/command_line.hpp"
#include "bindings/cli/terminal.hpp"

namespace {

// A standard descriptor that is closed would be taken by the first file that is opened, and what is printed would go there.
void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd)
    if (fcntl(fd, F_GETFD) == -1) (void)!open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away ends nothing: runs least of all
  int exit_code = perilune::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  return perilune::cli::flush_out(exit_code);
}
