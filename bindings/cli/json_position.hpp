// Is a text JSON, and if not, at which line and column does it stop being so?
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "runtime/base/result.hpp"

namespace perilune::cli {

// Error "validation": "not JSON at line 1, column 9: unexpected ...", or "the number 1e400 is too large: ...".
Result<void> check_json(std::string_view text);

}  // namespace perilune::cli
