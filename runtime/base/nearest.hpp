// "did you mean": the valid name nearest to a mistyped one.
// SPDX-License-Identifier: MIT
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace perilune {

// The nearest of `names` by Damerau-Levenshtein distance (at most a third of the word's length, at least 1, changes
// away, or a prefix of one another), or "" when none is near.
std::string nearest(std::string_view word, std::span<const std::string_view> names);
std::string nearest(std::string_view word, const std::vector<std::string>& names);

// "unknown option 'tmeout' of step: did you mean 'timeout'?", or, when nothing is near, "... : valid are a, b, c".
std::string unknown_name(std::string_view what, std::string_view word, std::string_view where,
                         std::span<const std::string_view> valid);

}  // namespace perilune
