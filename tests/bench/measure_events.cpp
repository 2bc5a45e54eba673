// E: the event bus. A million events to a hundred observers, of which one is stopped until all the others have had them:
// what an event costs from the commit to the last observer, and what memory it takes beside what was there before. The
// commits come no faster than the others take them, as they do where runs and observers share a loop.
// SPDX-License-Identifier: MIT
#include <sys/resource.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "runtime/hooks/event_bus.hpp"
#include "runtime/loop/uv_loop.hpp"
#include "tests/bench/workloads.hpp"

namespace perilune::bench {
namespace {

constexpr size_t k_observers = 100;
constexpr int64_t k_commit = 20;   // records
constexpr int64_t k_ahead = 2000;  // so far the commits are ahead of the last observer

journal::RunRecord made(int64_t position) {
  journal::RunRecord one;
  one.run = "0197aaaa-0000-7000-8000-000000000000";
  one.workflow = "order";
  one.record.kind = journal::Kind::step_done;
  one.record.seq = static_cast<uint64_t>(position);
  one.record.task = "0";
  one.record.name = "charge";
  one.record.data = "{\"started\":1795202465137877,\"attempt\":1,\"value\":{\"id\":17}}";
  one.position = position;
  return one;
}

// A store of `count` records that are made when they are read.
class MadeRecords final : public hooks::EventSource {
 public:
  explicit MadeRecords(int64_t count) : count_(count) {}
  Result<journal::RecordPage> records_after(const journal::RecordQuery& query) override {
    journal::RecordPage page;
    page.reached = std::min(query.after + query.limit, count_);
    for (int64_t position = query.after + 1; position <= page.reached; ++position) page.records.push_back(made(position));
    page.more = page.reached < count_;
    return page;
  }
  Result<int64_t> last_position() override { return int64_t{0}; }

 private:
  int64_t count_;
};

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * 4096;
}

struct Observer {
  int64_t next = 1;
  bool held = false;
};

struct Costs {
  double event_s;
  double megabytes;
};

Costs emit(int64_t count) {
  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  hooks::EventBus::Options options;
  options.open = [count] { return std::make_unique<MadeRecords>(count); };
  hooks::EventBus bus(std::move(options));
  std::vector<Observer> observers(k_observers);
  size_t there = 0;
  int64_t before = resident_bytes(), most = before;
  std::atomic<int64_t> taken{0};      // by the observer that comes last in each round
  double live_s = 0, began_s = 0;
  hooks::EventBus::Id stopped = 0;
  for (size_t i = 0; i < k_observers; ++i) {
    hooks::Observation wish;
    wish.home = loop.get();
    wish.after = 0;
    wish.take = [&, i](const std::vector<hooks::Notice>& events) {
      Observer& me = observers[i];
      for (const hooks::Notice& event : events)
        if (event.record->position != me.next++) fail("an event came twice, too late or not at all");
      if (me.next > count && ++there == k_observers - 1) {
        live_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - began_s;
        bus.go_on(stopped);
      }
      if (there == k_observers) loop->stop();
      if (i == k_observers - 1) taken.store(me.next - 1);
      if (i == 1 && me.next % 100 < k_commit) most = std::max(most, resident_bytes());
      return i == 0 && !std::exchange(me.held, true) ? hooks::Taken::hold : hooks::Taken::more;
    };
    Result<hooks::EventBus::Id> id = bus.observe(std::move(wish));
    if (!id.ok()) fail(id.error().message);
    if (i == 0) stopped = *id;
  }
  began_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::thread committer([&] {
    for (int64_t at = 1; at <= count;) {
      std::vector<journal::RunRecord> commit;
      for (int64_t last = std::min(at + k_commit, count + 1); at < last; ++at) commit.push_back(made(at));
      while (at - taken.load() > k_ahead) std::this_thread::yield();
      bus.publish(std::move(commit));
    }
  });
  loop->run();
  committer.join();
  return {live_s / static_cast<double>(count), static_cast<double>(most - before) / 1e6};
}

}  // namespace

void measure_events(const Sizes& sizes, Report& report) {
  int64_t count = sizes.scaled(1'000'000, 20'000);
  std::vector<double> event_us, megabytes;
  for (int round = 0; round < std::min(sizes.rounds, 3); ++round) {
    Costs costs = emit(count);
    event_us.push_back(costs.event_s * 1e6);
    megabytes.push_back(costs.megabytes);
  }
  using Of = Goal::Of;
  using Side = Goal::Side;
  report.add({"E", "event to 100 observers, one stopped: CPU", median(event_us), "us", "", 0, Goal{Of::value, Side::at_most, 10, 0}});
  report.add({"E", "memory for 1,000,000 events", median(megabytes), "MB", "", 0, Goal{Of::value, Side::at_most, 64, 0}});
}

}  // namespace perilune::bench
