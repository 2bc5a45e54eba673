// See rewind_point.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/engine/rewind_point.hpp"

#include <algorithm>
#include <set>

#include "runtime/engine/recovery.hpp"
#include "runtime/flow/loop.hpp"
#include "runtime/journal/payload.hpp"

namespace perilune::engine {

using journal::Kind;
using journal::Record;

namespace {

bool same_operation(const Record& a, const Record& b) { return a.op != 0 && a.op == b.op && a.task == b.task; }

bool is_failure(const Record& record) {
  if (record.op == 0 || record.kind == Kind::op_cancelled || !carries_outcome(record.kind)) return false;
  return !journal::error_of(record.data).empty();
}

bool tells(const Record& record, const Error& error) {
  Error own = error_from_json_text(journal::error_of(record.data));
  return own.code == error.code && own.message == error.message && own.step == error.step;
}

const Record* newest_that_tells(const std::vector<Record>& living, const Error& error) {
  for (auto record = living.rbegin(); record != living.rend(); ++record)
    if (is_failure(*record) && tells(*record, error)) return &*record;
  return nullptr;
}

// The step whose error ended the run: the error itself, its causes, or what failed beside it; else the newest failure.
const Record* failure_of(const std::vector<Record>& living, const Error& error) {
  const Record* earliest = nullptr;
  auto consider = [&](const Error& candidate) {
    const Record* found = newest_that_tells(living, candidate);
    if (found != nullptr && (earliest == nullptr || found->seq < earliest->seq)) earliest = found;
  };
  for (const Error* at = &error; at != nullptr; at = at->cause.get()) {
    consider(*at);
    for (const Error& beside : at->suppressed) consider(beside);
  }
  if (earliest != nullptr) return earliest;
  auto newest = std::find_if(living.rbegin(), living.rend(), is_failure);
  return newest == living.rend() ? nullptr : &*newest;
}

// Before the first thing that was undone among what a rewind to `keep` drops, and not within what a loop has let go, or
// within the section of a lock that was given back.
uint64_t redone_from(const Finding& run, uint64_t keep, bool& undone) {
  for (uint64_t before = 0; before != keep;) {
    before = keep;
    for (const Record& record : run.living) {
      if (record.kind != Kind::compensation_done || record.seq <= keep) continue;
      undone = true;
      uint64_t since = static_cast<uint64_t>(std::max<int64_t>(1, journal::number_of(record.data, "since")));
      keep = std::min(keep, since - 1);
    }
    if (uint64_t gap = first_gap(run.living, run.journal, keep); gap != 0) keep = gap - 1;
    if (const Record* granted = lock_lost(run, keep)) keep = granted->seq - 1;
  }
  return std::max<uint64_t>(1, keep);
}

std::string retry_text(const std::vector<Record>& living, const Record* failed, const RetryPoint& point) {
  std::string step = failed == nullptr ? std::string() : "step '" + failed->name + "'";
  bool nothing_stays = std::none_of(living.begin(), living.end(), [&](const Record& record) {
    return record.seq <= point.keep && record.op != 0 && carries_outcome(record.kind);
  });
  if (nothing_stays && point.undone) return "starts again from the beginning: what it did was undone";
  if (point.undone) return "goes on behind record " + std::to_string(point.keep) + ": what it did since was undone";
  if (failed != nullptr && point.keep + 1 < failed->seq)
    return "goes on behind record " + std::to_string(point.keep) + ", where its loop, or the section of its lock, begins";
  if (failed != nullptr && failed->kind == Kind::child_done)
    return "waits again for its run of '" + failed->name + "': retry that one as well";
  if (failed != nullptr) return "tries " + step + " again with fresh attempts (record " + std::to_string(failed->seq) + ")";
  return "goes on from its last record; no step has failed, so an error of the script's own will come again";
}

}  // namespace

bool undoes(const Record& record) { return journal::number_of(record.data, "since") > 0; }

const Record* paused_by(const std::vector<Record>& living) {
  for (auto record = living.rbegin(); record != living.rend(); ++record) {
    if (record->kind != Kind::attempt_failed || journal::number_of(record->data, "retry_at") != 0) continue;
    bool ended = std::any_of(living.rbegin(), record, [&](const Record& later) {
      return same_operation(later, *record) && carries_outcome(later.kind);
    });
    if (!ended) return &*record;
  }
  return nullptr;
}

const Record* newest_checkpoint(const std::vector<Record>& living) {
  auto found = std::find_if(living.rbegin(), living.rend(), [](const Record& r) { return r.kind == Kind::checkpoint; });
  return found == living.rend() ? nullptr : &*found;
}

Result<const Record*> checkpoint_named(const std::vector<Record>& living, const std::string& name) {
  std::set<std::string> names;
  for (auto record = living.rbegin(); record != living.rend(); ++record) {
    if (record->kind != Kind::checkpoint) continue;
    if (record->name == name) return &*record;
    names.insert(record->name);
  }
  std::string known;
  for (const std::string& other : names) known += (known.empty() ? "" : ", ") + ("'" + other + "'");
  return Error(code::k_not_found, "the run has not come to a checkpoint '" + name + "'" +
                                      (known.empty() ? ": it has none" : ": it has " + known));
}

const Record* undone_before(const std::vector<Record>& living, const Record& to) {
  auto found = std::find_if(living.begin(), living.end(), [&](const Record& record) {
    return record.kind == Kind::compensation_done && record.seq > to.seq &&
           journal::number_of(record.data, "since") < static_cast<int64_t>(to.seq);
  });
  return found == living.end() ? nullptr : &*found;
}

uint64_t first_gap(const std::vector<Record>& living, const std::vector<Record>& journal, uint64_t seq) {
  struct Range {
    uint64_t first, last;
  };
  std::vector<Range> replaced;   // by snapshots that stay
  for (const Record& record : living) {
    if (record.seq > seq || (record.kind != Kind::loop_snapshot && record.kind != Kind::loop_done)) continue;
    if (auto snapshot = flow::read_snapshot(record.data)) replaced.push_back({snapshot->base_position + 1, record.seq});
  }
  uint64_t expected = 1;
  for (const Record& record : journal) {
    for (uint64_t at = expected; at < record.seq && at <= seq; ++at) {
      auto within = std::find_if(replaced.begin(), replaced.end(),
                                 [at](const Range& range) { return range.first <= at && at <= range.last; });
      if (within == replaced.end()) return at;
      at = within->last;
    }
    if (record.seq > seq) break;
    expected = record.seq + 1;
  }
  return 0;
}

namespace {
// Granted up to the record `seq` and not given back by then, the oldest first.
std::vector<const Record*> locks_held(const std::vector<Record>& living, uint64_t seq) {
  std::vector<const Record*> held;
  for (const Record& record : living) {
    if (record.seq > seq) break;
    if (record.kind == Kind::lock_granted) held.push_back(&record);
    if (record.kind == Kind::lock_released)
      std::erase_if(held, [&](const Record* granted) { return same_operation(*granted, record); });
  }
  return held;
}
}  // namespace

const Record* lock_held(const std::vector<Record>& living, uint64_t seq) {
  std::vector<const Record*> held = locks_held(living, seq);
  return held.empty() ? nullptr : held.front();
}

const Record* lock_lost(const Finding& run, uint64_t seq) {
  for (const Record* granted : locks_held(run.living, seq)) {
    bool given_back = std::any_of(run.living.begin(), run.living.end(), [&](const Record& record) {
      return record.seq > seq && record.kind == Kind::lock_released && same_operation(record, *granted);
    });
    if (given_back || store::is_final(run.row.status)) return granted;   // a run that ends gives all of them back
  }
  return nullptr;
}

uint64_t end_of(const std::vector<Record>& living) {
  for (auto record = living.rbegin(); record != living.rend(); ++record)
    if (record->kind == Kind::run_done) return record->seq;
  return living.empty() ? 1 : living.back().seq + 1;
}

RetryPoint retry_point(const Finding& run) {
  Error error = error_from_json_text(run.row.error);
  const Record* failed = nullptr;
  uint64_t end = end_of(run.living);
  auto requested = std::find_if(run.living.begin(), run.living.end(),
                                [](const Record& record) { return record.kind == Kind::cancel_requested; });
  bool timed_out = requested != run.living.end() && tells(*requested, error);
  if (timed_out) end = requested->seq;   // the run as a whole took too long: no step is to blame
  else if (error.code != code::k_budget && error.code != code::k_memory && error.code != code::k_deadlock)
    failed = failure_of(run.living, error);
  RetryPoint point;
  point.keep = redone_from(run, (failed != nullptr ? failed->seq : end) - 1, point.undone);
  if (failed != nullptr) {
    point.task = failed->task;
    point.op = failed->op;
  }
  point.does = timed_out && !point.undone ? "goes on from record " + std::to_string(point.keep) + ", with the whole " + error.code + " again"
                                          : retry_text(run.living, failed, point);
  return point;
}

}  // namespace perilune::engine
