// The newest committed records, shared by all observers: each commit is a piece that is never changed, so whoever reads it
// may do so without a lock and after it has left here. Holds no more than its limits say, and knows where it begins: an
// observer behind that place has to read the store. Not thread-safe: the bus guards it.
// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/journal/run_record.hpp"

namespace perilune::hooks {

using Commit = std::vector<journal::RunRecord>;   // of one commit, in order

// What a record takes in memory, about.
size_t bytes_of(const journal::RunRecord& record);

class RecentRecords {
 public:
  RecentRecords(size_t records_max, size_t bytes_max) : records_max_(records_max), bytes_max_(bytes_max) {}

  void add(std::shared_ptr<const Commit> commit);   // not empty; in order
  // All that was committed after this position and up to last() is here. Nothing before the first commit.
  std::optional<int64_t> from() const { return from_; }
  int64_t last() const { return last_; }
  // The commits from that on which has the first record behind `position` (not before from()), as many as hold `records`.
  std::vector<std::shared_ptr<const Commit>> after(int64_t position, size_t records) const;
  size_t records() const { return records_; }
  size_t bytes() const { return bytes_; }

 private:
  struct Piece {
    std::shared_ptr<const Commit> commit;
    size_t bytes;
  };
  size_t records_max_, bytes_max_;
  std::deque<Piece> pieces_;
  std::optional<int64_t> from_;
  int64_t last_ = 0;
  size_t records_ = 0, bytes_ = 0;
};

}  // namespace perilune::hooks
