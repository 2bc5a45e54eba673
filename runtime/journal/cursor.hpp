// The reading of a journal on replay: which record is delivered next, and what was recorded of an operation.
//
// Records that carry an outcome are delivered one at a time, in order. The others (attempts, timers set, scopes) are
// found by the operation that they belong to. Lookups cost an array index: a task finds its Trail once.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/journal/record.hpp"

namespace perilune::journal {

// What the journal holds of one task's operations. Indices point into Cursor::at(); 0 = none (they are index + 1).
class Trail {
 public:
  struct Op {
    uint32_t outcome;        // its outcome record
    uint32_t first, last;    // chain of its other records, oldest first
  };
  Op op(uint32_t number) const { return number < ops_.size() ? ops_[number] : Op{0, 0, 0}; }

 private:
  friend class Cursor;
  std::vector<Op> ops_;          // by operation number; 0 = the task itself
};

class Cursor {
 public:
  Cursor() = default;
  // `records` from seq 1 (or from a snapshot's), in order.
  explicit Cursor(std::vector<Record> records);

  // An outcome is still undelivered.
  bool replaying() const { return next_ < order_.size(); }
  // The next outcome to deliver; only while replaying().
  const Record& next() const { return records_[order_[next_]]; }
  void advance() { ++next_; }
  // Passes the outcomes up to this seq by: a snapshot holds what they led to.
  void skip_to(uint64_t seq);

  // The trail of a task, empty when nothing is recorded. Stays valid as long as the cursor.
  const Trail& trail(const std::string& task) const;
  const Record& at(uint32_t index_plus_one) const { return records_[index_plus_one - 1]; }
  // The chain of other records: the one after `index_plus_one`, or 0.
  uint32_t after(uint32_t index_plus_one) const { return chain_[index_plus_one - 1]; }
  // The newest other record of that kind in an operation's chain, or null.
  const Record* find(Trail::Op op, Kind kind) const;

  const std::vector<Record>& records() const { return records_; }
  uint64_t last_seq() const { return records_.empty() ? 0 : records_.back().seq; }

 private:
  std::vector<Record> records_;
  std::vector<uint32_t> order_;    // indices of the outcome records
  std::vector<uint32_t> chain_;
  size_t next_ = 0;
  std::unordered_map<std::string, Trail> trails_;
};

}  // namespace perilune::journal
