// What a run hands to the store: records, and what its row should say. See execution.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/execution.hpp"

#include <algorithm>

namespace perilune::flow {

using journal::Kind;
using journal::Record;
using store::Status;

void Execution::append(Record record, Durable* op, std::function<void()> then, bool soon) {
  if (stopped_ || over_ || options_.read_only) return;
  record.seq = ++last_seq_;
  record.generation = generation_;
  record.at_us = loop().clock().wall_us();
  pending_.push_back(record);
  tail_.push_back({std::move(record), op, std::move(then)});
  if (soon) {
    flush_wanted_ = true;
    options_.listener->ask_turn();
  }
}

// What the row should say now and does not yet.
store::RunPatch Execution::status_patch() {
  store::RunPatch patch;
  if (deciding_) {
    patch.status = deciding_->status;
    patch.wake_us = 0;
    patch.error = deciding_->error ? to_json_text(*deciding_->error) : std::string();   // an earlier life's may stand there
    if (!deciding_->error) patch.output = deciding_->output;
    return patch;
  }
  bool waits = waits_only();
  Status status = waits ? Status::waiting : Status::running;
  int64_t wake_us = waits ? next_wake_us() : 0;
  if (status != shown_ || wake_us != shown_wake_us_) {
    patch.status = shown_ = status;
    patch.wake_us = shown_wake_us_ = wake_us;
  }
  return patch;
}

void Execution::flush() {
  if (options_.read_only) return;
  bool rests = !replaying_ && !over_ && waits_only();
  if (rests) publish_state();
  // A run that comes to wait for a signal alone has no record to say so.
  bool came_to_wait = pending_.empty() && tail_.empty() && in_flight_ == 0 && shown_ != Status::waiting && rests;
  // Notes that would ride with the next commit do not wait as long as the run does.
  bool left_notes = !pending_.empty() && rests;
  if (!came_to_wait && !left_notes && (!flush_wanted_ || pending_.empty())) return;
  flush_wanted_ = false;
  publish_state();
  store::Append batch;
  batch.run = options_.row.no;
  batch.epoch = options_.row.epoch;
  batch.records = std::move(pending_);
  pending_.clear();
  batch.forgotten = std::move(let_go_);
  let_go_.clear();
  batch.patch = status_patch();
  uint64_t seq = batch.records.empty() ? committed_seq_ : batch.records.back().seq;
  ++in_flight_;
  options_.store->append(std::move(batch), loop(), [this, seq](Result<void> result) {
    --in_flight_;
    if (result.ok()) committed(seq);
    else refused(result.error());
  });
}

// The listener is told when no other append is under way, so that it may destroy the execution.
void Execution::refused(const Error& error) {
  stopped_ = true;
  scheduler_.stop();
  if (refusal_ == nullptr) refusal_ = std::make_unique<Error>(error);
  if (in_flight_ == 0) options_.listener->store_failed(*refusal_);
}

void Execution::committed(uint64_t seq) {
  committed_seq_ = std::max(committed_seq_, seq);
  options_.listener->ask_turn();
}

}  // namespace perilune::flow
