// See recent_records.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/recent_records.hpp"

#include <algorithm>

namespace perilune::hooks {

size_t bytes_of(const journal::RunRecord& record) {
  return sizeof(record) + record.run.size() + record.workflow.size() + record.record.task.size() +
         record.record.name.size() + record.record.data.size();
}

void RecentRecords::add(std::shared_ptr<const Commit> commit) {
  size_t bytes = 0;
  for (const journal::RunRecord& record : *commit) bytes += bytes_of(record);
  if (!from_) from_ = commit->front().position - 1;
  last_ = commit->back().position;
  records_ += commit->size();
  bytes_ += bytes;
  pieces_.push_back({std::move(commit), bytes});
  while (records_ > records_max_ || bytes_ > bytes_max_) {   // one piece alone may be too much
    const Piece& oldest = pieces_.front();
    from_ = oldest.commit->back().position;
    records_ -= oldest.commit->size();
    bytes_ -= oldest.bytes;
    pieces_.pop_front();
  }
}

std::vector<std::shared_ptr<const Commit>> RecentRecords::after(int64_t position, size_t records) const {
  auto ends_before = [](const Piece& piece, int64_t place) { return piece.commit->back().position <= place; };
  std::vector<std::shared_ptr<const Commit>> commits;
  size_t held = 0;
  for (auto at = std::lower_bound(pieces_.begin(), pieces_.end(), position, ends_before);
       at != pieces_.end() && held < records; ++at) {
    // Of the first one some may have been taken.
    const Commit& commit = *at->commit;
    held += static_cast<size_t>(std::min(commit.back().position - position, static_cast<int64_t>(commit.size())));
    commits.push_back(at->commit);
  }
  return commits;
}

}  // namespace perilune::hooks
