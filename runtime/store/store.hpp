// Where journals live. Store is the writing face: asynchronous, in order, group-committed; StoreReader the reading face.
//
// Promises of every store:
//  - what was reported as committed is on disk (as far as the store has a disk) and is never reported before;
//  - operations commit in the order in which they were submitted; an Append is all or nothing;
//  - every record has a position in the order of all commits (run_record.hpp), which no other record ever gets;
//  - seq of a run is written gap-free: an Append whose first seq is not last_seq + 1 is refused as "conflict"; only what an
//    Append names as forgotten goes again;
//  - an Append under a stale epoch is refused as "fenced" and changes nothing;
//  - a failed fsync is never retried: the process ends with exit code 74.
// Uses journal (records) and loop (completions are posted to the loop that asked).
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/journal/chain.hpp"
#include "runtime/journal/run_record.hpp"
#include "runtime/loop/loop.hpp"

namespace perilune::store {

enum class Status : uint8_t { queued, running, waiting, paused, completed, failed, cancelled, diverged, quarantined };
std::string_view status_name(Status status);
std::optional<Status> status_from_name(std::string_view name);
bool is_final(Status status);  // completed, failed, cancelled

// A run's row: what is known of it without reading its journal.
struct RunRow {
  int64_t no = 0;            // the store's own number of the run: short key of its records
  std::string id;
  std::string workflow;
  int64_t version = 0;       // of the workflow
  std::string bundle;        // SHA-256 (hex) of the code it is pinned to
  std::string session;
  std::string parent;        // id of the parent run, or empty
  std::string input;         // JSON text
  Status status = Status::queued;
  uint64_t epoch = 0;        // +1 at each claim
  uint64_t last_seq = 0;
  int64_t created_us = 0;
  int64_t updated_us = 0;
  int64_t wake_us = 0;       // when it is to be looked at again, or 0
  std::string output;        // JSON text, or empty
  std::string error;         // JSON text of an Error, or empty
};

// What an Append changes in the run's row beside its records.
struct RunPatch {
  std::optional<Status> status;
  std::optional<int64_t> wake_us;
  std::optional<std::string> output;
  std::optional<std::string> error;
};

// Records of a run's tasks (those of the run itself stay) that go, both ends included: a loop's, before its newest
// snapshot. The journal's numbers have a gap then; its newest record never goes.
struct Forgotten {
  uint64_t first = 0;
  uint64_t last = 0;
};

struct Append {
  int64_t run = 0;           // RunRow::no
  uint64_t epoch = 0;
  std::vector<journal::Record> records;  // consecutive seqs; may be empty when only the patch matters
  RunPatch patch;
  std::vector<Forgotten> forgotten;      // go in the same commit, once the records are there
};

struct NewRun {
  RunRow row;                // no, epoch, last_seq are set by the store (epoch 1: the creator owns it)
  std::vector<journal::Record> records;  // run_started and what comes with it, seq from 1
  bool copied = false;       // from a run whose loops have let go of records: the numbers only rise
};

struct Created {
  RunRow row;
  bool existed = false;      // a run with this id stood already (then `row` is that run, untouched)
};

struct Filter {
  std::vector<Status> statuses;  // empty = all
  std::string workflow;          // empty = all
  std::string session;
  int64_t since_us = 0;          // created at or after
  int64_t limit = 0;             // 0 = no limit; newest first
};

using journal::RunRecord;

struct Journal {
  std::vector<journal::Record> records;
  std::optional<journal::Flaw> flaw;
};
// The records of a journal without a flaw, else "damaged", with the run, the record and what can be done.
Result<std::vector<journal::Record>> sound_records(const RunRow& row, Result<Journal> journal);

class StoreReader {
 public:
  virtual ~StoreReader() = default;
  virtual Result<std::optional<RunRow>> run(const std::string& id) = 0;
  // Runs whose id starts with `prefix`, at most `limit`.
  virtual Result<std::vector<RunRow>> runs_by_prefix(const std::string& prefix, int64_t limit) = 0;
  virtual Result<std::vector<RunRow>> list(const Filter& filter) = 0;
  // Records with seq >= from_seq in order; limit 0 = all.
  virtual Result<std::vector<journal::Record>> records(int64_t run_no, uint64_t from_seq, int64_t limit) = 0;
  // All of a run's journal, and what is wrong with it, if anything is: whoever goes on from it asks, as journal::Cursor trusts
  // what it is given. A record that can't be read is a flaw, too, and is not among the records.
  virtual Result<Journal> journal(const RunRow& row) = 0;
  // Of all runs, the newest first. It looks at every record of the store.
  virtual Result<std::vector<RunRecord>> records_of_kinds(const std::vector<journal::Kind>& kinds, int64_t since_us) = 0;
  // What was committed after a position, in the order of commit: of all runs, or of one.
  virtual Result<journal::RecordPage> records_after(const journal::RecordQuery& query) = 0;
  // The position of the newest record that stands, 0 where there is none.
  virtual Result<int64_t> last_position() = 0;
  virtual Result<std::optional<std::string>> bundle(const std::string& hash) = 0;
};

class Store {
 public:
  template <class T>
  using Done = std::function<void(Result<T>)>;
  virtual ~Store() = default;

  // Each call queues and returns; `done` is posted to `home` after the commit (or the refusal). Thread-safe.
  virtual void create(NewRun run, loop::Loop& home, Done<Created> done) = 0;
  virtual void append(Append append, loop::Loop& home, Done<void> done) = 0;
  // Takes the right to write the run's journal: epoch + 1. The row as it is after the claim.
  virtual void claim(const std::string& id, loop::Loop& home, Done<RunRow> done) = 0;
  // Code by hash; a hash that stands already is left as it is.
  virtual void put_bundle(std::string hash, std::string content, loop::Loop& home, Done<void> done) = 0;
  // Lets the committer take what was queued since the last flush: called once a loop turn, so that a turn's appends share
  // one transaction. Without it nothing commits.
  virtual void flush() = 0;

  // A reader of its own (a connection, for SQLite); one thread at a time may use it. It sees what is committed.
  virtual std::unique_ptr<StoreReader> reader() = 0;

  // Is told the records of each commit from now on, in order: after they are on disk, before anybody who submitted them is
  // answered, on whatever thread commits; it must be quick. Null = nobody; who was told before may be for one commit more.
  // Costs nothing while it is null. Thread-safe.
  using Tap = std::function<void(std::vector<RunRecord>)>;
  virtual void set_tap(Tap tap) = 0;

  // Waits until all that was submitted is committed and releases the store. No call may follow.
  virtual void close() = 0;
};

}  // namespace perilune::store
