// Order and bookkeeping of the timer heap.
// SPDX-License-Identifier: MIT
#include "runtime/loop/timer_queue.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <memory>
#include <vector>

using perilune::loop::due_after;
using perilune::loop::TimerQueue;

namespace {

void fire_all(TimerQueue& queue, int64_t now_us) {
  const uint64_t limit = queue.next_id();
  while (auto fn = queue.take_due(now_us, limit)) fn();
}

}  // namespace

TEST_CASE("timer queue: fires by due time, then in the order of starting") {
  TimerQueue queue;
  std::vector<int> fired;
  queue.start(20, [&] { fired.push_back(3); });
  queue.start(10, [&] { fired.push_back(1); });
  queue.start(20, [&] { fired.push_back(4); });
  queue.start(15, [&] { fired.push_back(2); });
  queue.start(30, [&] { fired.push_back(5); });
  fire_all(queue, 20);
  CHECK(fired == std::vector<int>{1, 2, 3, 4});
  CHECK(queue.next_due_us() == 30);
  CHECK(queue.size() == 1);
}

TEST_CASE("timer queue: a timer started in a round waits for the next round") {
  TimerQueue queue;
  int fired = 0;
  queue.start(10, [&] {
    fired++;
    queue.start(10, [&] { fired++; });
  });
  fire_all(queue, 10);
  CHECK(fired == 1);
  fire_all(queue, 10);
  CHECK(fired == 2);
}

TEST_CASE("timer queue: a stopped timer frees its function at once and is passed over") {
  TimerQueue queue;
  auto held = std::make_shared<int>(1);
  const uint64_t id = queue.start(10, [held] { FAIL("stopped"); });
  queue.start(20, [] {});
  CHECK(held.use_count() == 2);
  queue.stop(id);
  CHECK(held.use_count() == 1);
  CHECK(queue.next_due_us() == 20);
  queue.stop(id);
  queue.stop(12345);
  CHECK(queue.size() == 1);
}

TEST_CASE("timer queue: many stopped timers are swept and the order stays") {
  TimerQueue queue;
  std::vector<int> fired;
  std::vector<uint64_t> doomed;
  for (int i = 0; i < 10'000; i++) {
    const int due = (i * 7919) % 10'000;
    const uint64_t id = queue.start(due, [&fired, due] { fired.push_back(due); });
    if (i % 100 != 0) doomed.push_back(id);
  }
  for (const uint64_t id : doomed) queue.stop(id);
  CHECK(queue.size() == 100);
  fire_all(queue, 10'000);
  REQUIRE(fired.size() == 100);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
  CHECK(!queue.next_due_us());
}

TEST_CASE("timer queue: due times stay in range") {
  constexpr int64_t k_max = std::numeric_limits<int64_t>::max();
  CHECK(due_after(100, -5) == 100);
  CHECK(due_after(100, 5) == 105);
  CHECK(due_after(100, k_max) == k_max);
}
