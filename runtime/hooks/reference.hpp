// The table of points as a page of documentation: docs/hooks.md holds it word for word, which a test compares. Uses points.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace perilune::hooks {

// Markdown: what every event has, then a table a family.
std::string reference_text();

}  // namespace perilune::hooks
