// Commits of plain SQLite: from one thread, and handed over to a second one as a worker and a committer do.
// SPDX-License-Identifier: MIT
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tests/bench/bare_database.hpp"
#include "tests/bench/raw_limits.hpp"

namespace perilune::bench {
namespace {

constexpr int k_step_done = 11;
constexpr int k_checkpoint_pages = 1000;
constexpr int k_loaded_checkpoint_pages = 16000;

void commit_rows(BareDatabase& db, int64_t& seq, int rows) {
  db.begin();
  for (int i = 0; i < rows; ++i) {
    ++seq;
    db.insert_record(1, seq, k_step_done, step_data(seq));
  }
  db.commit();
}

// One place that is full or empty; both sides sleep when it is not their turn.
class Handover {
 public:
  void put(int64_t value) {
    {
      std::lock_guard lock(mutex_);
      value_ = value;
      full_ = true;
    }
    changed_.notify_one();
  }
  int64_t take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return full_; });
    full_ = false;
    return value_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool full_ = false;
  int64_t value_ = 0;
};

}  // namespace

double commit_s(const std::string& directory, int warm_up, int times, int rows) {
  ScratchDirectory scratch(directory);
  BareDatabase db(scratch.file("bare.db"), rows > 1 ? k_loaded_checkpoint_pages : k_checkpoint_pages);
  int64_t seq = 0;
  for (int i = 0; i < warm_up; ++i) commit_rows(db, seq, rows);
  double began_s = seconds();
  for (int i = 0; i < times; ++i) commit_rows(db, seq, rows);
  return (seconds() - began_s) / times;
}

double handed_over_commit_s(const std::string& directory, int warm_up, int times) {
  ScratchDirectory scratch(directory);
  BareDatabase db(scratch.file("bare.db"), k_checkpoint_pages);
  Handover asked, done;
  std::thread committer([&] {
    int64_t seq = 0;
    while (asked.take() > 0) {
      commit_rows(db, seq, 1);
      done.put(seq);
    }
  });
  auto round_trip = [&] {
    asked.put(1);
    done.take();
  };
  for (int i = 0; i < warm_up; ++i) round_trip();
  double began_s = seconds();
  for (int i = 0; i < times; ++i) round_trip();
  double took_s = seconds() - began_s;
  asked.put(0);
  committer.join();
  return took_s / times;
}

double read_s(const std::string& directory, int rows) {
  ScratchDirectory scratch(directory);
  BareDatabase db(scratch.file("bare.db"), k_loaded_checkpoint_pages);
  int64_t seq = 0;
  commit_rows(db, seq, rows);
  double began_s = seconds();
  if (db.read_run(1) == 0) fail("the records are not there");
  return seconds() - began_s;
}

}  // namespace perilune::bench
