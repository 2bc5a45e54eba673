// What the tests of stores stand on: a loop that is pumped by hand, a directory that goes away, stores of both kinds
// under one face, and calls that wait for their answer.
// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <stdlib.h>

#include "runtime/store/memory_store.hpp"
#include "runtime/store/sqlite_store.hpp"

namespace perilune::store::test {

// Runs posted functions when pumped; its timers fire when nothing is posted, in virtual time.
class PumpedLoop final : public loop::Loop {
 public:
  const Clock& clock() const override { return clock_; }
  VirtualClock& virtual_clock() { return clock_; }
  loop::TimerId start_timer(int64_t delay_us, Fn fn) override {
    std::lock_guard lock(mutex_);
    timers_.emplace(std::make_pair(clock_.wall_us() + delay_us, ++last_timer_), std::move(fn));
    return last_timer_;
  }
  void stop_timer(loop::TimerId) override {}
  void post(Fn fn) override {
    {
      std::lock_guard lock(mutex_);
      posted_.push_back(std::move(fn));
      ++posts_;
    }
    arrived_.notify_one();
  }
  void set_turn(Fn) override {}
  void ask_turn() override {}
  void run() override {}
  void stop() override {}
  uv_loop_s* uv() override { return nullptr; }

  int posts() const { return posts_; }

  // Runs what is there, without waiting. False when there was nothing.
  bool pump() {
    Fn fn;
    {
      std::lock_guard lock(mutex_);
      if (!posted_.empty()) {
        fn = std::move(posted_.front());
        posted_.pop_front();
      } else if (!timers_.empty()) {
        auto next = timers_.begin();
        clock_.advance_us(next->first.first - clock_.wall_us());
        fn = std::move(next->second);
        timers_.erase(next);
      } else {
        return false;
      }
    }
    fn();
    return true;
  }

  template <class Condition>
  void pump_until(Condition&& over) {
    while (!over()) {
      if (pump()) continue;
      std::unique_lock lock(mutex_);
      // The limit is there for a store that never answers, so that the test ends.
      if (!arrived_.wait_for(lock, std::chrono::seconds(60), [&] { return !posted_.empty(); }))
        throw std::runtime_error("the store does not answer");
    }
  }

 private:
  VirtualClock clock_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Fn> posted_;
  std::map<std::pair<int64_t, loop::TimerId>, Fn> timers_;
  loop::TimerId last_timer_ = 0;
  int posts_ = 0;
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "perilune-store-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// The calls of a store, each of them waiting for its answer.
class Calls {
 public:
  Calls(Store& store, PumpedLoop& loop) : store_(store), loop_(loop) {}

  Result<Created> create(NewRun run) {
    return wait<Created>([&](auto done) { store_.create(std::move(run), loop_, done); });
  }
  Result<RunRow> claim(const std::string& id) {
    return wait<RunRow>([&](auto done) { store_.claim(id, loop_, done); });
  }
  Result<void> append(Append append) {
    return wait<void>([&](auto done) { store_.append(std::move(append), loop_, done); });
  }
  Result<void> put_bundle(const std::string& hash, const std::string& content) {
    return wait<void>([&](auto done) { store_.put_bundle(hash, content, loop_, done); });
  }

 private:
  template <class T, class Call>
  Result<T> wait(Call&& call) {
    std::optional<Result<T>> answer;
    call([&](Result<T> result) { answer.emplace(std::move(result)); });
    store_.flush();
    loop_.pump_until([&] { return answer.has_value(); });
    return std::move(*answer);
  }

  Store& store_;
  PumpedLoop& loop_;
};

inline journal::Record record(uint64_t seq, journal::Kind kind = journal::Kind::step_done) {
  journal::Record made;
  made.seq = seq;
  made.kind = kind;
  made.op = static_cast<uint32_t>(seq);
  made.task = "0";
  made.name = "step " + std::to_string(seq);
  made.fingerprint = 0xfedcba9876543210u + seq;
  made.at_us = 1'700'000'000'000'000 + static_cast<int64_t>(seq);
  made.data = "{\"result\":" + std::to_string(seq) + "}";
  return made;
}

inline NewRun new_run(const std::string& id) {
  NewRun run;
  run.row.id = id;
  run.row.workflow = "order";
  run.row.version = 3;
  run.row.bundle = "b1";
  run.row.session = "s1";
  run.row.parent = "p1";
  run.row.input = "{\"n\":10}";
  run.row.status = Status::running;
  run.row.created_us = 1000;
  run.row.updated_us = 1000;
  run.records = {record(1, journal::Kind::run_started)};
  return run;
}

inline Append append_to(const RunRow& row, std::vector<journal::Record> records) {
  Append append;
  append.run = row.no;
  append.epoch = row.epoch;
  append.records = std::move(records);
  return append;
}

// Stores of one kind over content that outlives them.
class MemoryPlace {
 public:
  std::unique_ptr<Store> open() {
    MemoryOptions options;
    options.disk = disk_;
    return make_memory_store(options);
  }

 private:
  std::shared_ptr<MemoryDisk> disk_ = make_memory_disk();
};

class SqlitePlace {
 public:
  std::unique_ptr<Store> open() {
    Result<std::unique_ptr<Store>> store = open_sqlite({path()});
    if (!store) throw std::runtime_error(one_line(store.error()));
    return std::move(*store);
  }
  std::string path() const { return directory_.file("perilune.db"); }
  const TemporaryDirectory& directory() const { return directory_; }

 private:
  TemporaryDirectory directory_;
};

// A store of one kind, open, with the loop that asks it.
template <class Place>
struct Bench {
  Place place;
  PumpedLoop loop;
  std::unique_ptr<Store> store = place.open();
  ~Bench() {
    if (store) store->close();
  }

  Calls calls() { return Calls(*store, loop); }
  RunRow create(const std::string& id) { return calls().create(new_run(id)).value().row; }
  RunRow row(const std::string& id) { return store->reader()->run(id).value().value(); }
  std::vector<journal::Record> records(const RunRow& row) { return store->reader()->records(row.no, 1, 0).value(); }
  void reopen() {
    store->close();
    store.reset();
    store = place.open();
  }
};

inline std::vector<uint64_t> seqs(const std::vector<journal::Record>& records) {
  std::vector<uint64_t> found;
  for (const journal::Record& record : records) found.push_back(record.seq);
  return found;
}

inline std::vector<std::string> ids(const Result<std::vector<RunRow>>& rows) {
  std::vector<std::string> found;
  for (const RunRow& row : rows.value()) found.push_back(row.id);
  return found;
}

using Ids = std::vector<std::string>;
using Seqs = std::vector<uint64_t>;

}  // namespace perilune::store::test

// A test case that is run against every store; TestType is the Place.
#define STORE_CASE(title) TEMPLATE_TEST_CASE(title, "[store]", MemoryPlace, SqlitePlace)
