// What came of several runs at once: a line each on stdout, or an array with --json.
// SPDX-License-Identifier: MIT
#pragma once

#include "bindings/cli/session.hpp"

namespace perilune::cli {

// The exit code is that of the run that fared worst. With `settled` the runs were not to go on: whatever their status
// is, it is as asked.
int report_all(const Session& session, const CommonOptions& options, bool settled = false);

}  // namespace perilune::cli
