// See rules.hpp.
// SPDX-License-Identifier: MIT
#include "runtime/store/rules.hpp"

#include <utility>

namespace perilune::store {
namespace {

std::optional<Error> refuse_gap(const std::vector<journal::Record>& records, uint64_t last_seq,
                                const std::string& run) {
  for (const auto& record : records) {
    if (record.seq != last_seq + 1) {
      return Error(code::k_conflict, "record " + std::to_string(record.seq) + " of run " + run +
                                         " does not follow record " + std::to_string(last_seq));
    }
    last_seq = record.seq;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Error> refuse_append(const Append& append, const Position& position) {
  if (append.epoch != position.epoch) {
    return Error(code::k_fenced, "run number " + std::to_string(append.run) + " is owned under epoch " +
                                     std::to_string(position.epoch) + "; this write came under epoch " +
                                     std::to_string(append.epoch));
  }
  return refuse_gap(append.records, position.last_seq, "number " + std::to_string(append.run));
}

std::optional<Error> refuse_create(const NewRun& run) {
  if (run.records.empty() || !run.copied) return refuse_gap(run.records, 0, "'" + run.row.id + "'");
  uint64_t last_seq = 0;
  for (const auto& record : run.records) {
    if (record.seq > last_seq) {
      last_seq = record.seq;
      continue;
    }
    return Error(code::k_conflict, "record " + std::to_string(record.seq) + " of run '" + run.row.id +
                                       "' comes behind record " + std::to_string(last_seq));
  }
  return std::nullopt;
}

Error no_such_run(const std::string& id) { return Error(code::k_not_found, "there is no run '" + id + "'"); }

Error no_such_run(int64_t no) { return Error(code::k_not_found, "there is no run number " + std::to_string(no)); }

std::optional<journal::Flaw> flaw_of_end(const RunRow& row, const std::vector<journal::Record>& records) {
  uint64_t last = records.empty() ? 0 : records.back().seq;
  if (last >= row.last_seq) return std::nullopt;   // it may have grown since the row was read
  return journal::Flaw{last + 1, "the records end at " + std::to_string(last) + ", not at " + std::to_string(row.last_seq)};
}

Result<std::vector<journal::Record>> sound_records(const RunRow& row, Result<Journal> journal) {
  if (!journal.ok()) return journal.error();
  if (!journal->flaw) return std::move(journal->records);
  const journal::Flaw& flaw = *journal->flaw;
  return Error(code::k_damaged, "the journal of run '" + row.id + "' is damaged: " + flaw.what +
                                    (flaw.seq > 1 ? "; it is good up to record " + std::to_string(flaw.seq - 1) : ""));
}

bool is_empty(const RunPatch& patch) { return !patch.status && !patch.wake_us && !patch.output && !patch.error; }

void merge(RunPatch& patch, RunPatch&& later) {
  if (later.status) patch.status = later.status;
  if (later.wake_us) patch.wake_us = later.wake_us;
  if (later.output) patch.output = std::move(later.output);
  if (later.error) patch.error = std::move(later.error);
}

}  // namespace perilune::store
