// The event bus: order, places, holding, catching up from the store, bounds, totals at joins.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/event_bus.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "runtime/hooks/recent_records.hpp"
#include "runtime/loop/sim_loop.hpp"
#include "runtime/loop/uv_loop.hpp"

using namespace perilune;
using namespace perilune::hooks;
using journal::Kind;
using journal::RecordPage;
using journal::RunRecord;

namespace {

// A store that holds what was committed, and counts how it is asked.
struct Disk {
  std::mutex mutex;
  std::vector<RunRecord> records;
  int pages = 0;
  size_t page_max = 0;
  bool broken = false;
};

class DiskSource final : public EventSource {
 public:
  explicit DiskSource(Disk& disk) : disk_(disk) {}
  Result<RecordPage> records_after(const journal::RecordQuery& query) override {
    std::lock_guard lock(disk_.mutex);
    if (disk_.broken) return Error(code::k_storage, "no disk");
    RecordPage page;
    page.reached = query.after;
    int64_t seen = 0;
    for (const RunRecord& one : disk_.records) {
      if (one.position <= query.after || page.more) continue;
      page.reached = one.position;
      page.more = ++seen == query.limit;
      if (query.filter.passes(one.run, one.workflow, one.record.kind)) page.records.push_back(one);
    }
    ++disk_.pages;
    disk_.page_max = std::max(disk_.page_max, page.records.size());
    return page;
  }
  Result<int64_t> last_position() override {
    std::lock_guard lock(disk_.mutex);
    if (disk_.broken) return Error(code::k_storage, "no disk");
    return disk_.records.empty() ? 0 : disk_.records.back().position;
  }

 private:
  Disk& disk_;
};

RunRecord made(int64_t position, const std::string& run = "a", Kind kind = Kind::step_done) {
  RunRecord record;
  record.run = run;
  record.workflow = "order";
  record.record.kind = kind;
  record.record.seq = static_cast<uint64_t>(position);
  record.position = position;
  return record;
}

// A bus in simulated time.
struct World {
  Disk disk;
  loop::SimLoop loop;
  std::unique_ptr<EventBus> bus;

  explicit World(size_t recent_max = 100, size_t batch_max = 10, size_t bytes_max = 1 << 20) {
    EventBus::Options options;
    options.open = [this] { return std::make_unique<DiskSource>(disk); };
    options.background = [this](std::function<void()> work) { loop.post(std::move(work)); };
    options.recent_records_max = recent_max;
    options.recent_bytes_max = bytes_max;
    options.batch_max = batch_max;
    bus = std::make_unique<EventBus>(std::move(options));
  }
  void settle() {
    while (loop.step()) {
    }
  }
  void commit(std::vector<RunRecord> records, bool publish = true) {
    disk.records.insert(disk.records.end(), records.begin(), records.end());
    if (publish) bus->publish(std::move(records));
  }
  void commit(int64_t first, int64_t last, bool publish = true) {
    for (int64_t position = first; position <= last; ++position) commit({made(position)}, publish);
  }
};

// Notes the positions that it is given; holds when `hold_at` is among them.
struct Noting {
  std::vector<int64_t> positions;
  int64_t hold_at = -1;
  size_t calls = 0, batch_max = 0;
  std::vector<std::vector<BranchTotals>> totals;
  std::vector<std::string> failures;

  Observation wish(loop::Loop& loop, std::optional<int64_t> after) {
    Observation observation;
    observation.after = after;
    observation.home = &loop;
    observation.take = [this](const std::vector<Notice>& events) {
      ++calls;
      batch_max = std::max(batch_max, events.size());
      bool hold = false;
      for (const Notice& event : events) {
        positions.push_back(event.record->position);
        hold = hold || event.record->position == hold_at;
        if (event.branches != nullptr) totals.push_back(*event.branches);
      }
      return hold ? Taken::hold : Taken::more;
    };
    observation.failed = [this](const Error& error) { failures.push_back(error.code); };
    return observation;
  }
};

std::vector<int64_t> range(int64_t first, int64_t last) {
  std::vector<int64_t> all;
  for (int64_t at = first; at <= last; ++at) all.push_back(at);
  return all;
}

}  // namespace

TEST_CASE("an observer gets what is committed from now on, or from its place on", "[bus]") {
  World world;
  world.commit(1, 5, false);
  Noting from_now, from_start, from_within;
  REQUIRE(world.bus->observe(from_now.wish(world.loop, std::nullopt)).ok());
  REQUIRE(world.bus->observe(from_start.wish(world.loop, 0)).ok());
  REQUIRE(world.bus->observe(from_within.wish(world.loop, 3)).ok());
  world.settle();
  world.commit(6, 8);
  world.settle();
  CHECK(from_now.positions == range(6, 8));
  CHECK(from_start.positions == range(1, 8));
  CHECK(from_within.positions == range(4, 8));
}

TEST_CASE("what is committed while an observer reads the store comes once and in order", "[bus]") {
  World world(20, 4);
  world.commit(1, 30, false);
  Noting observer;
  REQUIRE(world.bus->observe(observer.wish(world.loop, 0)).ok());
  for (int64_t next = 31; next <= 120; ++next) {   // a commit between any two steps of the loop
    world.loop.step();
    world.commit(next, next);
  }
  world.settle();
  CHECK(observer.positions == range(1, 120));
  CHECK(observer.batch_max <= 4);
}

TEST_CASE("an observer that holds keeps its place, and catches up from the store", "[bus]") {
  World world(10, 7);
  Noting held, other;
  held.hold_at = 3;
  EventBus::Id id = world.bus->observe(held.wish(world.loop, 0)).value();
  REQUIRE(world.bus->observe(other.wish(world.loop, 0)).ok());
  world.settle();
  for (int64_t next = 1; next <= 500; ++next) {
    world.commit(next, next);
    world.settle();
  }
  CHECK(other.positions == range(1, 500));
  CHECK(held.positions == range(1, 3));
  CHECK(world.bus->place(id) == 3);
  int pages = world.disk.pages;
  world.bus->go_on(id);
  world.settle();
  CHECK(held.positions == range(1, 500));
  CHECK(world.disk.pages - pages > 60);
  CHECK(world.disk.page_max <= 7);
  world.commit(501, 502);
  world.settle();
  CHECK(held.positions == range(1, 502));
}

TEST_CASE("go_on before the observer has said that it holds is not lost", "[bus]") {
  World world;
  Noting observer;
  EventBus::Id id = 0;
  Observation wish = observer.wish(world.loop, 0);
  wish.take = [&, take = wish.take](const std::vector<Notice>& events) {
    take(events);
    world.bus->go_on(id);
    return Taken::hold;
  };
  id = world.bus->observe(std::move(wish)).value();
  world.commit(1, 3);
  world.settle();
  world.commit(4, 6);
  world.settle();
  CHECK(observer.positions == range(1, 6));
}

TEST_CASE("filters by run, workflow and kind; a place goes on over what they drop", "[bus]") {
  World world(4, 3);
  Noting of_b, checkpoints, nothing;
  auto observe = [&](Noting& noting, journal::RecordFilter filter) {
    Observation wish = noting.wish(world.loop, 0);
    wish.filter = std::move(filter);
    return world.bus->observe(std::move(wish)).value();
  };
  world.commit({made(1, "a"), made(2, "b")}, false);   // before the bus knew of anything
  observe(of_b, {.run = "b"});
  observe(checkpoints, {.kinds = {Kind::checkpoint}});
  EventBus::Id id = observe(nothing, {.workflow = "mail"});
  world.settle();
  world.commit({made(3, "a"), made(4, "b"), made(5, "a", Kind::checkpoint)});
  world.commit({made(6, "a"), made(7, "a"), made(8, "a"), made(9, "b", Kind::checkpoint)});
  world.settle();
  CHECK(of_b.positions == std::vector<int64_t>{2, 4, 9});
  CHECK(checkpoints.positions == std::vector<int64_t>{5, 9});
  CHECK(nothing.calls == 0);
  CHECK(world.bus->place(id) == 9);
}

TEST_CASE("observers may come and go while they are called", "[bus]") {
  World world;
  Noting first, second;
  EventBus::Id id = 0;
  Observation wish = first.wish(world.loop, 0);
  wish.take = [&, take = wish.take](const std::vector<Notice>& events) {
    take(events);
    REQUIRE(world.bus->observe(second.wish(world.loop, 0)).ok());
    world.bus->leave(id);
    return Taken::more;
  };
  id = world.bus->observe(std::move(wish)).value();
  world.commit({made(1), made(2)});
  world.settle();
  world.commit(3, 4);
  world.settle();
  CHECK(first.positions == range(1, 2));
  CHECK_FALSE(world.bus->place(id).has_value());
  CHECK(second.positions == range(1, 4));
  world.bus->go_on(id);   // nobody's any more
  world.bus->leave(id);
}

TEST_CASE("a store that cannot be read ends the observations that need it, and no others", "[bus]") {
  World world(5, 3);
  Noting late, live;
  REQUIRE(world.bus->observe(live.wish(world.loop, std::nullopt)).ok());
  world.commit(1, 20);
  world.settle();
  world.disk.broken = true;
  EventBus::Id id = world.bus->observe(late.wish(world.loop, 0)).value();
  world.settle();
  world.commit(21, 22);
  world.settle();
  CHECK(late.failures == std::vector<std::string>{code::k_storage});
  CHECK_FALSE(world.bus->place(id).has_value());
  CHECK(live.positions == range(1, 22));
  CHECK(live.failures.empty());
  Observation wish = late.wish(world.loop, std::nullopt);
  CHECK(world.bus->observe(std::move(wish)).error().code == code::k_storage);
}

TEST_CASE("nobody is called after the bus is gone", "[bus]") {
  World world;
  Noting observer;
  REQUIRE(world.bus->observe(observer.wish(world.loop, 0)).ok());
  auto publish = world.bus->publisher();
  world.commit(1, 3);
  world.bus = nullptr;
  publish({made(4)});
  world.settle();
  CHECK(observer.calls == 0);
}

TEST_CASE("recent records are bounded by their number and by their size", "[bus]") {
  RecentRecords recent(10, 100'000);
  CHECK_FALSE(recent.from().has_value());
  auto commit = [](int64_t position, size_t bytes) {
    RunRecord record = made(position);
    record.record.data = std::string(bytes, 'x');
    return std::make_shared<const Commit>(Commit{record});
  };
  for (int64_t position = 5; position <= 30; ++position) recent.add(commit(position, 10));
  CHECK(recent.records() == 10);
  CHECK(recent.from() == 20);
  CHECK(recent.after(25, 3).size() == 3);
  CHECK(recent.after(25, 3).front()->front().position == 26);
  CHECK(recent.after(30, 3).empty());
  recent.add(commit(31, 99'000));
  CHECK(recent.records() < 10);
  CHECK(recent.bytes() <= 100'000);
  recent.add(commit(32, 200'000));   // more than all there is room for
  CHECK(recent.records() == 0);
  CHECK(recent.bytes() == 0);
  CHECK(recent.from() == 32);
  CHECK(recent.last() == 32);
}

namespace {

RunRecord of_task(int64_t position, const std::string& task, Kind kind, uint32_t op = 0, const std::string& data = "",
                  const std::string& run = "a") {
  RunRecord record = made(position, run, kind);
  record.record.task = task;
  record.record.op = op;
  record.record.name = "\"n" + task + "\"";
  record.record.data = data;
  record.record.at_us = position * 100;
  return record;
}

}  // namespace

TEST_CASE("an observer that gathers gets the branches of a scope as totals at its join", "[bus]") {
  World world(100, 3);   // batches end within the scope
  Noting gathering;
  Observation wish = gathering.wish(world.loop, 0);
  wish.gather = true;
  REQUIRE(world.bus->observe(std::move(wish)).ok());
  world.commit({of_task(1, "", Kind::run_started), of_task(2, "0", Kind::scope_opened, 1),
                of_task(3, "0.1", Kind::branch_started, 0, R"({"scope":1})"),
                of_task(4, "0.2", Kind::branch_started, 0, R"({"scope":1})"),
                of_task(5, "0.7", Kind::step_done, 1),        // a task beside the scope
                of_task(6, "0", Kind::step_done, 4, "", "b"), // another run
                of_task(7, "0.1", Kind::attempt_failed, 1), of_task(8, "0.1", Kind::step_done, 1),
                of_task(9, "0.2", Kind::scope_opened, 1), of_task(10, "0.2.1", Kind::branch_started, 0, R"({"scope":1})"),
                of_task(11, "0.2.1", Kind::step_failed, 1), of_task(12, "0.2", Kind::branch_joined, 1),
                of_task(13, "0.2", Kind::branch_done), of_task(14, "0.1", Kind::branch_done)});
  world.commit({of_task(15, "0", Kind::branch_joined, 1), of_task(16, "0.1", Kind::step_done, 2)});
  world.settle();
  CHECK(gathering.positions == std::vector<int64_t>{1, 2, 5, 6, 15, 16});
  REQUIRE(gathering.totals.size() == 1);
  REQUIRE(gathering.totals[0].size() == 2);
  const BranchTotals& one = gathering.totals[0][0];
  const BranchTotals& two = gathering.totals[0][1];
  CHECK(one.task == "0.1");
  CHECK(one.name == "\"n0.1\"");
  CHECK(one.records == 4);
  CHECK(one.steps_done == 1);
  CHECK(one.attempts_failed == 1);
  CHECK(one.began_us == 300);
  CHECK(one.ended_us == 1400);
  CHECK(two.task == "0.2");
  CHECK(two.records == 6);
  CHECK(two.steps_failed == 1);
  CHECK(two.ended_us == 1300);
}

TEST_CASE("a run that ends inside a scope leaves nothing gathered behind", "[bus]") {
  BranchGatherer gatherer;
  std::vector<BranchTotals> totals;
  CHECK(gatherer.passes(of_task(1, "0", Kind::scope_opened, 1), totals));
  CHECK_FALSE(gatherer.passes(of_task(2, "0.1", Kind::branch_started, 0, R"({"scope":1})"), totals));
  CHECK(gatherer.passes(of_task(3, "", Kind::run_done), totals));
  CHECK(gatherer.passes(of_task(4, "0.1", Kind::step_done, 1), totals));
  CHECK(totals.empty());
}

// PERILUNE_BUS_EVENTS says how many: a slice here, a million in scripts/check-all. Real loop, real threads.
TEST_CASE("a hundred observers, one of them stopped: each gets every record once and in order", "[bus]") {
  const char* asked = std::getenv("PERILUNE_BUS_EVENTS");
  const int64_t count = asked == nullptr ? 20'000 : std::strtoll(asked, nullptr, 10);
  Disk disk;
  for (int64_t position = 1; position <= count; ++position) disk.records.push_back(made(position));
  class Vector final : public EventSource {   // by position, for so many
   public:
    explicit Vector(Disk& disk) : disk_(disk) {}
    Result<RecordPage> records_after(const journal::RecordQuery& query) override {
      RecordPage page;
      size_t last = std::min(disk_.records.size(), static_cast<size_t>(query.after + query.limit));
      page.records.assign(disk_.records.begin() + query.after, disk_.records.begin() + static_cast<std::ptrdiff_t>(last));
      page.reached = static_cast<int64_t>(last);
      page.more = last < disk_.records.size();
      disk_.page_max = std::max(disk_.page_max, page.records.size());
      ++disk_.pages;
      return page;
    }
    Result<int64_t> last_position() override { return int64_t{0}; }

   private:
    Disk& disk_;
  };
  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  EventBus::Options options;
  options.open = [&] { return std::make_unique<Vector>(disk); };
  EventBus bus(std::move(options));
  struct Counting {
    int64_t next = 1;
    bool in_order = true, held = false;
  };
  std::vector<Counting> observers(100);
  size_t there = 0;
  EventBus::Id stopped = 0;
  for (size_t i = 0; i < observers.size(); ++i) {
    Observation wish;
    wish.home = loop.get();
    wish.after = 0;
    wish.take = [&, i](const std::vector<Notice>& events) {
      Counting& me = observers[i];
      for (const Notice& event : events) me.in_order = me.in_order && event.record->position == me.next++;
      if (me.next == count + 1 && ++there == observers.size() - 1) bus.go_on(stopped);   // all the others
      if (there == observers.size()) loop->stop();
      return i == 0 && !std::exchange(me.held, true) ? Taken::hold : Taken::more;
    };
    EventBus::Id id = bus.observe(std::move(wish)).value();
    if (i == 0) stopped = id;
  }
  std::thread committer([&] {
    for (int64_t at = 0; at < count;) {
      int64_t last = std::min(at + 50, count);
      bus.publish({disk.records.begin() + at, disk.records.begin() + last});
      at = last;
    }
  });
  loop->run();
  committer.join();
  for (const Counting& one : observers) {
    CHECK(one.in_order);
    CHECK(one.next == count + 1);
  }
  CHECK(disk.pages > 0);
  CHECK(disk.page_max <= 512);
}
