// How deep a JSON text is nested, found without parsing it. JSON from outside is measured before it is parsed: a parser
// may survive deep nesting, but what walks, copies or writes the tree afterwards recurses and does not.
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

namespace perilune {

inline constexpr int k_json_nesting_max = 256;

// The most arrays and objects that are open at one point of `text`: 0 for a lone value. For a text that is not JSON it
// is at least what a parser opens before it notices.
int json_nesting(std::string_view text);

}  // namespace perilune
