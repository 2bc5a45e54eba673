// What only the memory store does: commits in virtual time, and the death of the "process" at a chosen record.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/store/store_fixture.hpp"

using namespace perilune;
using namespace perilune::store;
using namespace perilune::store::test;

TEST_CASE("a commit takes the virtual time it was given, asked once a batch", "[store]") {
  PumpedLoop loop;
  int asked = 0;
  MemoryOptions options;
  options.commit_delay_us = [&] {
    ++asked;
    return 250;
  };
  auto store = make_memory_store(options);
  int64_t start_us = loop.clock().wall_us();
  int answered = 0;
  for (const char* id : {"a", "b", "c"})
    store->create(new_run(id), loop, [&](Result<Created> created) { answered += created.ok(); });
  CHECK_FALSE(loop.pump());  // nothing commits without a flush
  store->flush();
  loop.pump_until([&] { return answered == 3; });
  CHECK(asked == 1);
  CHECK(loop.clock().wall_us() == start_us + 250);
}

TEST_CASE("batches commit in order, however their delays fall", "[store]") {
  PumpedLoop loop;
  std::vector<int64_t> delays = {1000, 1, 500, 1};
  MemoryOptions options;
  options.commit_delay_us = [&] {
    int64_t delay_us = delays.front();
    delays.erase(delays.begin());
    return delay_us;
  };
  auto store = make_memory_store(options);
  RunRow row = Calls(*store, loop).create(new_run("a")).value().row;
  std::vector<uint64_t> answers;
  for (uint64_t seq = 2; seq <= 4; ++seq) {
    store->append(append_to(row, {record(seq)}), loop, [&answers, seq](Result<void> result) {
      REQUIRE(result.ok());
      answers.push_back(seq);
    });
    store->flush();
  }
  loop.pump_until([&] { return answers.size() == 3; });
  CHECK(answers == std::vector<uint64_t>{2, 3, 4});
}

TEST_CASE("a store that dies at a record loses it and all that follows, and never answers", "[store]") {
  PumpedLoop loop;
  auto disk = make_memory_disk();
  MemoryOptions options;
  options.disk = disk;
  options.allow = [](const std::string& run, const journal::Record& record) { return run != "b" || record.seq != 3; };
  auto store = make_memory_store(options);
  Calls calls(*store, loop);
  RunRow a = calls.create(new_run("a")).value().row;
  RunRow b = calls.create(new_run("b")).value().row;
  int answered = 0;
  auto count = [&](Result<void>) { ++answered; };
  store->append(append_to(a, {record(2)}), loop, count);
  store->append(append_to(b, {record(2), record(3)}), loop, count);
  store->append(append_to(a, {record(3)}), loop, count);
  store->flush();
  while (loop.pump()) continue;
  store->append(append_to(a, {record(3)}), loop, count);
  store->flush();
  store->close();
  while (loop.pump()) continue;
  CHECK(answered == 0);

  options.allow = nullptr;
  auto reader = make_memory_store(options)->reader();
  CHECK(reader->run("a").value()->last_seq == 2);
  CHECK(reader->run("b").value()->last_seq == 1);
}

TEST_CASE("a store that goes away without a close loses what is not committed", "[store]") {
  PumpedLoop loop;
  auto disk = make_memory_disk();
  MemoryOptions options;
  options.disk = disk;
  options.commit_delay_us = [] { return 10; };
  auto store = make_memory_store(options);
  bool answered = false;
  store->create(new_run("a"), loop, [&](Result<Created>) { answered = true; });
  store->flush();
  store.reset();
  while (loop.pump()) continue;
  CHECK_FALSE(answered);
  CHECK_FALSE(make_memory_store(options)->reader()->run("a").value().has_value());
}
