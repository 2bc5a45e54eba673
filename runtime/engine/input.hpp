// Inputs of runs as text that can be compared: an id that stands is the same run only when the input is the same.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "runtime/base/result.hpp"

namespace perilune::engine {

// The input without white space, its keys sorted. Errors: "validation" when it is no JSON.
Result<std::string> canonical_input(const std::string& text);

}  // namespace perilune::engine
