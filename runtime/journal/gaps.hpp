// Is a journal as it was written, or is something missing in it? Asked before a run goes on: a record that has vanished
// would let its step run again. Uses record.hpp alone.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

// The records of a run, in order. False: one is missing that no loop has let go of. A loop lets go of what its newest
// snapshot, or its end, stands for: so a gap may only be where such a record follows.
bool is_whole(const std::vector<Record>& records);
// The number of the first record that is missing so, or 0.
uint64_t first_missing(const std::vector<Record>& records);

}  // namespace perilune::journal
