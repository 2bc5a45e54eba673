// Asks the process that owns a store whether it executes a run. Uses owner_wire, local_socket.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "bindings/cli/config.hpp"

namespace perilune::cli {

// Nothing: nobody answers (it is about to end, or of another version).
std::optional<bool> owner_executes(const StorePlace& place, const std::string& run);

}  // namespace perilune::cli
