// Blocking work on the pool: results, errors, cancelling before and after the beginning, owners that go away.
// SPDX-License-Identifier: MIT
#include "runtime/effects/offload.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

#include "runtime/loop/sim_loop.hpp"
#include "runtime/loop/uv_loop.hpp"

using namespace perilune;
using namespace perilune::effects;

namespace {

struct OffloadBench {
  std::unique_ptr<loop::Loop> loop = loop::make_uv_loop();
  std::unique_ptr<Offload> offload = make_offload(*loop);
};

// Keeps every thread of the pool busy until opened: what is queued behind it has not begun.
class Gate {
 public:
  static constexpr int k_threads = 128;  // more than any pool of a test has

  void close(Offload& offload) {
    for (int i = 0; i < k_threads; i++) {
      effects_.push_back(offload.run(
          [opened = opened_] {
            opened.wait();
            return Result<std::string>(std::string());
          },
          [](Result<std::string>) {}));
    }
  }
  void open() { open_.set_value(); }

 private:
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
  std::vector<std::unique_ptr<Effect>> effects_;
};

}  // namespace

TEST_CASE("offload: work runs on another thread, done on the loop's and not inside the call") {
  OffloadBench bench;
  const auto here = std::this_thread::get_id();
  std::thread::id there;
  std::string told;
  auto effect = bench.offload->run(
      [&] {
        there = std::this_thread::get_id();
        return Result<std::string>(std::string("done"));
      },
      [&](Result<std::string> result) {
        CHECK(std::this_thread::get_id() == here);
        told = *result;
        bench.loop->stop();
      });
  CHECK(told.empty());
  bench.loop->run();
  CHECK(told == "done");
  CHECK(there != here);
}

TEST_CASE("offload: errors come back, and what is thrown becomes one") {
  OffloadBench bench;
  std::vector<std::string> told;
  auto note = [&](Result<std::string> result) {
    told.push_back(result.error().code + ": " + result.error().message);
    if (told.size() == 2) bench.loop->stop();
  };
  auto failing = bench.offload->run([] { return Result<std::string>(Error("io", "broken")); }, note);
  auto throwing = bench.offload->run([]() -> Result<std::string> { throw std::runtime_error("oh"); }, note);
  bench.loop->run();
  std::sort(told.begin(), told.end());
  CHECK(told == std::vector<std::string>{"internal: blocking work threw: oh", "io: broken"});
}

TEST_CASE("offload: work that has not begun can be cancelled and never begins") {
  OffloadBench bench;
  Gate gate;
  gate.close(*bench.offload);
  std::atomic<bool> began{false};
  std::string told;
  auto effect = bench.offload->run(
      [&] {
        began = true;
        return Result<std::string>(std::string());
      },
      [&](Result<std::string> result) {
        told = result.ok() ? "ok" : result.error().code;
        bench.loop->stop();
      });
  effect->cancel();
  effect->cancel();
  CHECK(told.empty());
  bench.loop->run();
  CHECK(told == code::k_cancelled);
  gate.open();
  CHECK(!began);
}

TEST_CASE("offload: work that has begun runs to its end in spite of cancel") {
  OffloadBench bench;
  std::promise<void> began, go_on;
  std::string told;
  auto effect = bench.offload->run(
      [&] {
        began.set_value();
        go_on.get_future().wait();
        return Result<std::string>(std::string("finished"));
      },
      [&](Result<std::string> result) {
        told = *result;
        bench.loop->stop();
      });
  began.get_future().wait();
  effect->cancel();
  go_on.set_value();
  bench.loop->run();
  CHECK(told == "finished");
  effect->cancel();
}

TEST_CASE("offload: a destroyed effect never tells, also when its offload and loop go too") {
  std::promise<void> began, go_on;
  auto held = std::make_shared<int>(0);
  {
    OffloadBench bench;
    auto detached = bench.offload->run(
        [&, held] {
          began.set_value();
          go_on.get_future().wait();
          return Result<std::string>(std::string());
        },
        [held](Result<std::string>) { FAIL("detached"); });
    began.get_future().wait();
    detached.reset();
    auto orphan = bench.offload->run([held] { return Result<std::string>(std::string()); },
                                     [held](Result<std::string>) { FAIL("the offload is gone"); });
    go_on.set_value();
    bench.offload.reset();
    orphan->cancel();
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("offload: a thousand pieces of work are all told, and effects may die in their callbacks") {
  OffloadBench bench;
  std::vector<std::unique_ptr<Effect>> effects(1'000);
  int64_t sum = 0;
  int waiting = 1'000;
  for (int i = 0; i < 1'000; i++) {
    effects[i] = bench.offload->run([i] { return Result<std::string>(std::to_string(i)); },
                                    [&, i](Result<std::string> result) {
                                      sum += std::stoi(*result);
                                      effects[i].reset();
                                      if (--waiting == 0) bench.loop->stop();
                                    });
  }
  bench.loop->run();
  CHECK(sum == 499'500);
}

TEST_CASE("offload: on a simulated loop the work runs at once and is told later") {
  loop::SimLoop loop;
  auto offload = make_offload(loop);
  bool worked = false;
  std::string told;
  auto effect = offload->run(
      [&] {
        worked = true;
        return Result<std::string>(std::string("x"));
      },
      [&](Result<std::string> result) { told = *result; });
  CHECK(worked);
  CHECK(told.empty());
  loop.run();
  CHECK(told == "x");
  auto dropped =
      offload->run([] { return Result<std::string>(std::string()); }, [](Result<std::string>) { FAIL("dropped"); });
  dropped.reset();
  loop.run();
}
