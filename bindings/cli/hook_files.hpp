// The hook files of the configuration and of the command line, given to the engine of a process that executes runs.
// Uses config, engine.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/cli/config.hpp"
#include "runtime/engine/engine.hpp"

namespace perilune::cli {

// Those of the configuration first, then `more` (paths, relative to the working directory). Error: of the first that can't be
// read or does not load; it names the file.
Result<void> load_hook_files(engine::Engine& engine, const Config& config, const std::vector<std::string>& more);

}  // namespace perilune::cli
