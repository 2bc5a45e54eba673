// --input JSON | @FILE | -: the text, once it is known to be JSON.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace perilune::cli {

// Errors: "validation" (says where the text is no JSON, or why a file can't be read), "limit".
Result<std::string> read_input(const std::string& option);

}  // namespace perilune::cli
