// The rules that every store keeps in the same words: when a write is refused, and what a patch does to a run's row.
// Uses store.hpp.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "runtime/store/store.hpp"

namespace perilune::store {

// How far a run's journal stands, and who may write it.
struct Position {
  uint64_t epoch = 0;
  uint64_t last_seq = 0;
  uint64_t seal = 0;         // of the last record, or where a first one hangs (journal/chain.hpp); stores without seals: 0
};

// Why the Append may not be written: "fenced" (another epoch) or "conflict" (its seqs do not follow). Nothing = it may.
std::optional<Error> refuse_append(const Append& append, const Position& position);
// "conflict" when the records of a new run are not numbered from 1.
std::optional<Error> refuse_create(const NewRun& run);
Error no_such_run(const std::string& id);
Error no_such_run(int64_t no);

// Of a journal that does not end where its run does.
std::optional<journal::Flaw> flaw_of_end(const RunRow& row, const std::vector<journal::Record>& records);

bool is_empty(const RunPatch& patch);
// `later` wins where both say something.
void merge(RunPatch& patch, RunPatch&& later);

}  // namespace perilune::store
