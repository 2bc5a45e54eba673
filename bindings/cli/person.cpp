// See person.hpp.
// SPDX-License-Identifier: MIT
#include "bindings/cli/person.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "bindings/cli/terminal.hpp"

namespace perilune::cli {

std::string person(const std::string& by) {
  if (!by.empty()) return by;
  const char* user = std::getenv("USER");
  if (user == nullptr || *user == '\0') {
    const struct passwd* entry = getpwuid(geteuid());
    user = entry != nullptr ? entry->pw_name : "unknown";
  }
  char host[256] = {};
  if (gethostname(host, sizeof host - 1) != 0) return user;
  return std::string(user) + "@" + host;
}

Result<void> confirm(const std::string& question, bool yes) {
  if (yes) return {};
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0)
    return Error(code::k_usage, question + "\nthere is no terminal to ask on: say --yes if it is meant; nothing was changed");
  print_err(printable_lines(question) + "\nGo on? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return Error(code::k_usage, "nothing was changed");
}

}  // namespace perilune::cli
