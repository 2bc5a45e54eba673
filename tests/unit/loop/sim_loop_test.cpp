// The simulated loop: what comes first, and where time stands.
// SPDX-License-Identifier: MIT
#include "runtime/loop/sim_loop.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

using perilune::loop::SimLoop;
using perilune::loop::TimerId;

TEST_CASE("sim loop: posted functions come first, then the turn, then the next timer") {
  SimLoop loop;
  std::string order;
  loop.set_turn([&] { order += 'T'; });
  loop.start_timer(0, [&] { order += 't'; });
  loop.ask_turn();
  loop.post([&] {
    order += 'a';
    loop.post([&] { order += 'c'; });
  });
  loop.post([&] { order += 'b'; });
  loop.run();
  CHECK(order == "abcTt");
}

TEST_CASE("sim loop: a turn is called once however often it was asked for, and again when it asks itself") {
  SimLoop loop;
  int turns = 0;
  loop.set_turn([&] {
    if (++turns < 3) loop.ask_turn();
  });
  loop.ask_turn();
  loop.ask_turn();
  CHECK(loop.step());
  CHECK(turns == 1);
  loop.run();
  CHECK(turns == 3);
  CHECK(!loop.step());
}

TEST_CASE("sim loop: time jumps to the next timer and nowhere else") {
  SimLoop loop(1'700'000'000'000'000);
  std::vector<int64_t> at;
  auto note = [&] { at.push_back(loop.clock().wall_us() - 1'700'000'000'000'000); };
  loop.start_timer(3'600'000'000, note);
  loop.start_timer(500, note);
  loop.start_timer(500, [&] {
    note();
    loop.start_timer(250, note);
  });
  loop.run();
  CHECK(at == std::vector<int64_t>{500, 500, 750, 3'600'000'000});
}

TEST_CASE("sim loop: one step fires one timer") {
  SimLoop loop;
  int fired = 0;
  loop.start_timer(5, [&] { fired++; });
  loop.start_timer(5, [&] { fired++; });
  CHECK(loop.step());
  CHECK(fired == 1);
  CHECK(loop.step());
  CHECK(fired == 2);
  CHECK(!loop.step());
}

TEST_CASE("sim loop: advance runs what is due and then stands exactly there") {
  SimLoop loop;
  const int64_t begin_us = loop.clock().mono_us();
  int fired = 0;
  loop.start_timer(100, [&] { fired++; });
  loop.start_timer(101, [&] { fired += 10; });
  loop.advance_us(100);
  CHECK(fired == 1);
  CHECK(loop.clock().mono_us() == begin_us + 100);
  loop.advance_us(50);
  CHECK(fired == 11);
  CHECK(loop.clock().mono_us() == begin_us + 150);
}

TEST_CASE("sim loop: a stopped timer does not fire and does not move time") {
  SimLoop loop;
  const int64_t begin_us = loop.clock().mono_us();
  const TimerId id = loop.start_timer(100, [] { FAIL("stopped"); });
  CHECK(id != 0);
  loop.stop_timer(id);
  loop.run();
  CHECK(loop.clock().mono_us() == begin_us);
}

TEST_CASE("sim loop: stop ends run and may come before it") {
  SimLoop loop;
  int ran = 0;
  loop.stop();
  loop.post([&] { ran++; });
  loop.run();
  CHECK(ran == 0);
  loop.start_timer(1, [&] {
    ran++;
    loop.stop();
  });
  loop.start_timer(2, [&] { ran += 100; });
  loop.run();
  CHECK(ran == 2);
  loop.run();
  CHECK(ran == 102);
}

TEST_CASE("sim loop: other threads may post") {
  SimLoop loop;
  int sum = 0;
  std::thread other([&] {
    for (int i = 0; i < 1'000; i++) loop.post([&sum] { sum++; });
  });
  other.join();
  loop.run();
  CHECK(sum == 1'000);
}

TEST_CASE("sim loop: captures that die with the loop may still call it") {
  struct Stopper {
    SimLoop* loop;
    TimerId id;
    ~Stopper() { loop->stop_timer(id); }
  };
  SimLoop loop;
  const TimerId id = loop.start_timer(10, [] {});
  loop.start_timer(20, [held = std::make_shared<Stopper>(&loop, id)] { (void)held; });
  CHECK(loop.uv() == nullptr);
}
