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

// "perilune answer RUN --question 12 yes": what answers a question; `verb` is the command up to the run.
std::string answer_command(const std::string& verb, const journal::Wait& question);
// The same of a record that opens a question, for the process that executes the run.
std::string answer_hint(const std::string& run, const journal::Record& opened);

// The member "waits": [{"for","name","since","due","task","op", ...}]; what stands behind depends on "for".
void add_waits(JsonText& json, const std::vector<const journal::Wait*>& waits);

}  // namespace perilune::cli
