// The chain of a journal: each record is sealed with a hash of itself and of the seal before it, so that a record that was
// changed, put elsewhere or taken out is found. The first seal hangs on the run's id.
//
//   origin(run) --+--> seal of 1 --+--> seal of 2 --+ - - - - - -+--> seal of 9     9 keeps the seal of 8 as its `before`,
//        record 1-+       record 2-+       record 3-+   gone     |     record 9     for 3 to 8 have been let go
//
// It finds damage, not forgery: the hash is a fast one, and whoever can write the file can seal anew. Records that were
// written before there were seals have none; the first that is sealed hangs on the run's id like a first record.
// Uses record.hpp, gaps.hpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

struct Seal {
  std::optional<uint64_t> seal;     // nothing: written before there were seals
  std::optional<uint64_t> before;   // of the record before it, where that has been let go
};

uint64_t chain_origin(std::string_view run_id);
uint64_t seal_of(const Record& record, uint64_t before);

// What is wrong with a journal, and from which record on.
struct Flaw {
  uint64_t seq = 0;
  std::string what;                 // "record 12 is not as it was written"
};

// All records of a run, in order, each with its seal. Also finds what is missing (gaps.hpp).
std::optional<Flaw> first_flaw(std::string_view run_id, const std::vector<Record>& records, const std::vector<Seal>& seals);

}  // namespace perilune::journal
