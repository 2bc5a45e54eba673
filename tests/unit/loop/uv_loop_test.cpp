// The libuv loop: order within a pass, timers that are never early, hand-over from threads. Leftover handles are caught
// by the loop's own destructor.
// SPDX-License-Identifier: MIT
#include "runtime/loop/uv_loop.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

using perilune::loop::make_uv_loop;
using perilune::loop::TimerId;

TEST_CASE("uv loop: timers fire by due time, then in the order of starting, and never early") {
  auto loop = make_uv_loop();
  std::vector<int> fired;
  auto start = [&](int64_t delay_us, int name) {
    const int64_t due_us = loop->clock().mono_us() + delay_us;
    loop->start_timer(delay_us, [&, due_us, name] {
      CHECK(loop->clock().mono_us() >= due_us);
      fired.push_back(name);
      if (name == 4) loop->stop();
    });
  };
  start(9'000, 4);
  start(1'500, 1);
  start(5'000, 2);
  start(5'000, 3);
  start(-7, 0);
  loop->run();
  CHECK(fired == std::vector<int>{0, 1, 2, 3, 4});
}

TEST_CASE("uv loop: ten thousand timers fire once each, and those that were stopped do not") {
  auto loop = make_uv_loop();
  std::vector<int64_t> fired;
  std::vector<TimerId> doomed;
  for (int i = 0; i < 10'000; i++) {
    const int64_t delay_us = (i * 7919) % 10'000;
    const TimerId id = loop->start_timer(delay_us, [&] { fired.push_back(loop->clock().mono_us()); });
    if (i % 2 == 0) doomed.push_back(id);
  }
  for (const TimerId id : doomed) loop->stop_timer(id);
  loop->start_timer(20'000, [&] { loop->stop(); });
  loop->run();
  CHECK(fired.size() == 5'000);
  CHECK(std::is_sorted(fired.begin(), fired.end()));
}

TEST_CASE("uv loop: a timer may stop another that is due in the same round") {
  auto loop = make_uv_loop();
  TimerId second = 0;
  loop->start_timer(0, [&] { loop->stop_timer(second); });
  second = loop->start_timer(0, [] { FAIL("stopped"); });
  loop->start_timer(3'000, [&] { loop->stop(); });
  loop->run();
}

TEST_CASE("uv loop: timers that start timers of no delay do not starve the turn") {
  auto loop = make_uv_loop();
  int rounds = 0;
  std::function<void()> again = [&] {
    rounds++;
    loop->start_timer(0, again);
    loop->ask_turn();
  };
  loop->set_turn([&] {
    if (rounds >= 5) loop->stop();
  });
  loop->start_timer(0, again);
  loop->run();
  CHECK(rounds >= 5);
}

TEST_CASE("uv loop: posted functions run in order and before the turn they ask for") {
  auto loop = make_uv_loop();
  std::string order;
  loop->set_turn([&] {
    order += 'T';
    loop->stop();
  });
  loop->post([&] {
    order += 'a';
    loop->ask_turn();
  });
  loop->post([&] { order += 'b'; });
  loop->post([&] { order += 'c'; });
  loop->run();
  CHECK(order == "abcT");
}

TEST_CASE("uv loop: a turn that asks for another gets it at once, once a pass") {
  auto loop = make_uv_loop();
  int turns = 0;
  loop->set_turn([&] {
    loop->ask_turn();
    loop->ask_turn();
    if (++turns == 1'000) loop->stop();
  });
  loop->ask_turn();
  loop->run();
  CHECK(turns == 1'000);
}

TEST_CASE("uv loop: other threads may post, each in its own order, and stop") {
  auto loop = make_uv_loop();
  std::vector<int> last(4, -1);
  int sum = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2'500; i++) {
        loop->post([&, t, i] {
          sum += last[t] == i - 1 ? 1 : 100'000;
          last[t] = i;
          if (sum == 10'000) std::thread([&] { loop->stop(); }).join();
        });
      }
    });
  }
  loop->run();
  for (auto& thread : threads) thread.join();
  CHECK(sum == 10'000);
}

TEST_CASE("uv loop: stop before run makes the next run return at once, and only that one") {
  auto loop = make_uv_loop();
  int ran = 0;
  loop->stop();
  loop->post([&] {
    ran++;
    loop->stop();
  });
  loop->run();
  CHECK(ran == 0);
  loop->run();
  CHECK(ran == 1);
}

TEST_CASE("uv loop: what was posted or timed and never ran is dropped with the loop") {
  auto held = std::make_shared<int>(0);
  {
    auto loop = make_uv_loop();
    loop->post([held] {});
    loop->start_timer(1'000'000'000, [held] {});
    loop->ask_turn();
    CHECK(held.use_count() == 3);
    CHECK(loop->uv() != nullptr);
  }
  CHECK(held.use_count() == 1);
}
