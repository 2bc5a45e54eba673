// What can be done with a run now, as commands to type; for `status` and for the report of a run that failed.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "bindings/cli/store_view.hpp"
#include "runtime/engine/recovery.hpp"

namespace perilune::cli {

struct OfferedAct {
  std::string verb, command, does;
};
// None while another process has the store: it is told by its own terminal.
std::vector<OfferedAct> offered_acts(const StoreView& view, const engine::Finding& finding, const CommonOptions& options);
// The same for a run of the store that the options name, for a process that is done with it; none when it can't be read.
std::vector<OfferedAct> offered_acts(const std::string& run, const CommonOptions& options);

// What answers the questions that the run asks.
std::vector<std::string> answer_commands(const std::string& run, const CommonOptions& options);

// A line each: the command, and behind it what it does.
std::string acts_text(const std::vector<OfferedAct>& acts, const std::string& prefix);

}  // namespace perilune::cli
