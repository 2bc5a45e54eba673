// The ends of a run: completed, failed, cancelled; and of a life of it: paused, diverged. See execution.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/flow/execution.hpp"

#include <algorithm>

#include "runtime/flow/root_scope.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::flow {

using journal::Kind;
using journal::Record;
using store::Status;

void Execution::request_cancel(Error reason, const std::string& by) {
  if (over_ || stopped_ || deciding_) return;
  Record record;
  record.kind = Kind::cancel_requested;
  record.task = "";
  record.name = by;
  record.data = journal::with_error({}, to_json_text(reason));
  append(std::move(record), nullptr, {}, true);
}

void Execution::abort(Error error, Status status) {
  if (over_ || stopped_ || deciding_) return;
  scheduler_.stop();
  for (Tail& tail : tail_) {   // nobody is left to be told
    tail.op = nullptr;
    tail.then = nullptr;
  }
  Ending ending;
  ending.status = status;
  ending.error = std::make_shared<const Error>(std::move(error));
  publish_state();   // unless it is a replay that ends here: it has not come to what is known
  replaying_ = false;
  record_end(std::move(ending));
}

void Execution::diverge(const std::string& what) {
  pending_.clear();   // the journal stays as it was found
  Ending ending;
  ending.status = Status::diverged;
  ending.error = std::make_shared<const Error>(code::k_diverged, what);
  end_life(std::move(ending));
}

void Execution::pause(Error error) {
  publish_state();
  Ending ending;
  ending.status = Status::paused;
  ending.error = std::make_shared<const Error>(std::move(error));
  end_life(std::move(ending));
}

void Execution::left_other(const std::string& run, bool stuck) {
  awaited_.erase(std::find(awaited_.begin(), awaited_.end(), run));
  if (stuck) --stuck_;
}

void Execution::other_stuck(Error error) {
  ++stuck_;
  if (stuck_error_ == nullptr) stuck_error_ = std::make_unique<Error>(std::move(error));
}

void Execution::leave_when_stuck() {
  if (stuck_ == 0 || stuck_ < awaited_.size() || !evictable() || !sleeping_.empty() || !receivers_.empty() || !questions_.empty()) return;
  Ending ending;
  ending.status = Status::waiting;
  ending.error = std::make_shared<const Error>(*stuck_error_);
  end_life(std::move(ending));
}

void Execution::pause_by(Record record) {
  if (over_ || stopped_ || deciding_) return;
  publish_state();
  append(std::move(record), nullptr, {}, false);
  Ending ending;
  ending.status = Status::paused;
  end_life(std::move(ending));
}

// The end of this life, not of the run: no task is resumed any more, the row says how it stands.
void Execution::end_life(Ending ending) {
  if (over_ || stopped_ || deciding_) return;
  scheduler_.stop();
  stopped_ = true;
  ending_ = std::move(ending);
  if (options_.read_only) {
    over_ = true;
    return options_.listener->ended(ending_);
  }
  store::Append batch;
  batch.run = options_.row.no;
  batch.epoch = options_.row.epoch;
  batch.records = std::move(pending_);
  batch.patch.status = ending_.status;
  batch.patch.wake_us = 0;
  batch.patch.error = ending_.error == nullptr ? std::string() : to_json_text(*ending_.error);
  uint64_t last = batch.records.empty() ? committed_seq_ : batch.records.back().seq;
  ++in_flight_;
  options_.store->append(std::move(batch), loop(), [this, last](Result<void> result) {
    --in_flight_;
    if (!result.ok()) return refused(result.error());
    over_ = true;
    for (const Tail& tail : tail_)   // nobody is left to be told but those that look on
      if (tail.record.seq <= last) options_.listener->committed(tail.record);
    options_.listener->ended(ending_);
  });
  options_.listener->ask_turn();
}

Result<void> Execution::complete(task::Task& task, std::string output) {
  if (completed_with_) {   // somebody was faster
    scheduler_.cancel(task, std::make_shared<const Error>(code::k_cancelled, "the run has been finished"));
    return {};
  }
  Result<std::string> checked = options_.listener->check_output(std::move(output));
  if (!checked.ok()) return checked.error();
  output_verdict(nullptr);   // what the script may still mend is none
  completed_with_ = std::move(*checked);
  completed_by_ = task.id;
  auto reason = std::make_shared<const Error>(code::k_cancelled, "the run has been finished");
  background().cancel_children(scheduler_, reason);
  scheduler_.cancel(task, reason);
  return {};
}

void Execution::fail(task::Task& task, Error error) {
  auto reason = std::make_shared<const Error>(std::move(error));
  background().cancel_children(scheduler_, reason);
  scheduler_.cancel(task, reason);
}

bool Execution::completes_through(const task::Task& task) const {
  if (!completed_with_ || completed_by_.compare(0, task.id.size(), task.id) != 0) return false;
  return completed_by_.size() == task.id.size() || completed_by_[task.id.size()] == '.';
}

void Execution::main_ended(task::Task& task) {
  Ending ending;
  if (completed_with_) {   // what else is there was cancelled by then
    ending_.output = *completed_with_;
    return;
  }
  if (!task.failed) {
    ending.output = std::move(output_);
  } else {
    ending.error = task.error;
  }
  if (ending.error != nullptr) {
    bool cancelled = task.ended_cancelled() && ending.error->code == code::k_cancelled;
    ending.status = cancelled ? Status::cancelled : Status::failed;
    root_->cancel_children(scheduler_, ending.error);
  }
  ending_ = std::move(ending);
}

namespace {
// Told to the run as a whole; the script may end without any of them.
bool ends_nothing(const Record& record) {
  return record.op == 0 && (record.kind == Kind::signal || record.kind == Kind::paused || record.kind == Kind::resumed ||
                            record.kind == Kind::rollback);
}
}  // namespace

void Execution::finish() {
  if (rolling_ || options_.read_only) return;   // it is undone, whatever its end was; or only looked at
  while (cursor_.replaying() && (ends_nothing(cursor_.next()) || is_settled(cursor_.next()))) cursor_.advance();
  if (cursor_.replaying()) {   // unconsumed signals are no divergence, everything else is
    const Record& left = cursor_.next();
    diverge("the script ended, but record " + std::to_string(left.seq) + " (" + std::string(kind_name(left.kind)) + " '" +
            left.name + "') was not asked for");
    return;
  }
  replaying_ = false;
  publish_state();
  record_end(std::move(ending_));
}

void Execution::record_end(Ending ending) {
  Record record;
  record.kind = Kind::run_done;
  record.name = std::string(store::status_name(ending.status));
  record.data = ending.error ? journal::with_error({}, to_json_text(*ending.error))
                             : journal::with_value({}, ending.output);
  deciding_ = std::move(ending);
  append(std::move(record), nullptr, {}, true);
}

}  // namespace perilune::flow
