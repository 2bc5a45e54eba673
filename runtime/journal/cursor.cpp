// Indexing of a journal for replay.
// SPDX-License-Identifier: MIT
#include "runtime/journal/cursor.hpp"

namespace perilune::journal {

Cursor::Cursor(std::vector<Record> records) : records_(std::move(records)), chain_(records_.size(), 0) {
  order_.reserve(records_.size());
  const std::string* last_task = nullptr;   // records of one task often come in a row
  Trail* trail = nullptr;
  for (uint32_t i = 0; i < records_.size(); ++i) {
    const Record& record = records_[i];
    if (last_task == nullptr || *last_task != record.task) {
      trail = &trails_[record.task];
      last_task = &record.task;
    }
    if (trail->ops_.size() <= record.op) trail->ops_.resize(record.op + 1);
    Trail::Op& op = trail->ops_[record.op];
    if (carries_outcome(record.kind)) {
      order_.push_back(i);
      op.outcome = i + 1;
    } else {
      if (op.last != 0) chain_[op.last - 1] = i + 1;
      else op.first = i + 1;
      op.last = i + 1;
    }
  }
}

void Cursor::skip_to(uint64_t seq) {
  while (replaying() && next().seq <= seq) advance();
}

const Trail& Cursor::trail(const std::string& task) const {
  static const Trail empty;
  auto found = trails_.find(task);
  return found == trails_.end() ? empty : found->second;
}

const Record* Cursor::find(Trail::Op op, Kind kind) const {
  const Record* found = nullptr;
  for (uint32_t i = op.first; i != 0; i = after(i))
    if (at(i).kind == kind) found = &at(i);
  return found;
}

}  // namespace perilune::journal
