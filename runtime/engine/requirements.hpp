// What a workflow requires of the machine that it begins on: commands, environment variables, files; services and secrets
// by name. Checked before a run begins, all of it, so that whoever sees to it is told everything at once.
// Uses effects (where programs are found).
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"

namespace perilune::engine {

struct Requirements {
  std::vector<std::string> commands, env, files, services, secrets;
  bool empty() const {
    return commands.empty() && env.empty() && files.empty() && services.empty() && secrets.empty();
  }
};

// Errors: "gate", which lists what is missing, a line each, and has it as data: {"missing":[{"kind","name","problem"}]}.
// Relative files and commands are meant from `cwd`. Without `real_world` (tests of workflows) commands, variables and files
// count as being there. What this engine cannot check it refuses.
Result<void> check_requirements(const Requirements& needs, const std::string& workflow, const std::string& cwd,
                                bool real_world);

}  // namespace perilune::engine
