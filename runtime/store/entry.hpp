// Values under keys, shared by all runs of a store: what stands and what a write changes. Values are JSON text. A value
// that has a time to expire is not there any more from then on; it goes from the disk with some later write.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace perilune::store {

struct Entry {
  std::string key;
  std::string value;
  int64_t expires_us = 0;        // wall time, or 0

  bool operator==(const Entry&) const = default;
};

inline bool has_expired(int64_t expires_us, int64_t now_us) { return expires_us != 0 && expires_us <= now_us; }

// Goes with an Append: in the same commit as its records, in its order.
struct EntryWrite {
  std::string space;             // keys of one space know nothing of those of another
  std::string key;
  std::optional<std::string> value;   // nothing = removed
  int64_t expires_us = 0;
};

struct EntryQuery {
  std::string space;
  std::string prefix;            // of the keys
  int64_t limit = 0;             // 0 = all
  int64_t now_us = 0;            // what has expired by then is left out
};

}  // namespace perilune::store
