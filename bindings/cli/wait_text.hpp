// What a run waits for (journal/waits.hpp), in words for people and as JSON for programs.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/cli/json_text.hpp"
#include "runtime/journal/waits.hpp"

namespace perilune::cli {

// "waits for signal 'approved' until 12:01:02". Safe for a terminal.
std::string wait_text(const journal::Wait& wait);

// The member "waits": [{"for","name","since","due","task","op", ...}]; what stands behind depends on "for".
void add_waits(JsonText& json, const std::vector<const journal::Wait*>& waits);

}  // namespace perilune::cli
