// Twelve workflows, each with something of its own that a crash could break: what the crash matrix runs. Their scripts use
// effect() and work() of tests/unit/engine/harness.hpp. SPDX-License-Identifier: MIT
#pragma once

#include <vector>

namespace perilune::disk {

struct Workflow {
  const char* name;
  const char* script;
  const char* second_outcome = nullptr;   // the code of an error that a crash may leave it with
};

const std::vector<Workflow>& workflows();

}  // namespace perilune::disk
