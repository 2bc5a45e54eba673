// Which versions this program is made of and runs with.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace perilune::cli {

struct Version {
  std::string name;     // "perilune", "lua", ...
  std::string version;  // of the library that is loaded, not of its header
};
std::vector<Version> versions();

}  // namespace perilune::cli
