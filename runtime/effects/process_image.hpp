// What a child process will execute: the program's path, its arguments and its whole environment, made ready in the
// parent, since the child of a vfork may not allocate.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/effects/process.hpp"

namespace perilune::effects {

struct ProcessImage {
  std::string program;  // path for execve; relative paths are meant from `cwd`
  std::vector<std::string> argv;
  std::vector<std::string> env;  // NAME=value
  std::string cwd;               // empty = ours
};

// Errors: "usage" (no argv, a NUL, a bad variable name), "not_found", "denied" (found in PATH, but not executable).
Result<ProcessImage> make_process_image(const ProcessSpec& spec);

// The path of a program: as it is given when there is a slash in it (relative to `cwd`), else the first in our PATH that can
// be executed. Errors: "not_found", "denied".
Result<std::string> find_command(const std::string& name, const std::string& cwd);

}  // namespace perilune::effects
