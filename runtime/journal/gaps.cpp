// See gaps.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/journal/gaps.hpp"

namespace perilune::journal {

bool is_whole(const std::vector<Record>& records) { return first_missing(records) == 0; }

uint64_t first_missing(const std::vector<Record>& records) {
  if (records.empty() || records.front().seq != 1) return 1;  // the first record stays for ever
  bool let_go = false;
  uint64_t missing = 0;
  for (size_t i = records.size() - 1; i > 0; --i) {
    let_go = let_go || records[i].kind == Kind::loop_snapshot || records[i].kind == Kind::loop_done;
    const uint64_t before = records[i - 1].seq;
    if (before >= records[i].seq || (before + 1 != records[i].seq && !let_go)) missing = before + 1;
  }
  return missing;
}

}  // namespace perilune::journal
