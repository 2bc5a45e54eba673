// The person at the command line: who they are, for the record, and whether they mean it.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace perilune::cli {

// `by` itself, or user@host when it is empty.
std::string person(const std::string& by);

// Asks `question` on the terminal unless `yes`. Errors: "usage" when the answer is not y, or when there is no terminal to
// ask on (then --yes is needed).
Result<void> confirm(const std::string& question, bool yes);

}  // namespace perilune::cli
