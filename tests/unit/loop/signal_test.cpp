// Signals as the loop hears them.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>
#include <csignal>

#include "runtime/loop/sim_loop.hpp"
#include "runtime/loop/uv_loop.hpp"

using namespace perilune::loop;

TEST_CASE("a watched signal calls its function on the loop, each time", "[loop]") {
  auto loop = make_uv_loop();
  int heard = 0;
  loop->on_signal(SIGUSR1, [&] {
    if (++heard == 2)
      loop->stop();
    else
      std::raise(SIGUSR1);
  });
  std::raise(SIGUSR1);
  loop->run();
  CHECK(heard == 2);
}

TEST_CASE("a signal that is watched no more has its default action back", "[loop]") {
  auto loop = make_uv_loop();
  loop->on_signal(SIGUSR2, [] {});
  loop->on_signal(SIGUSR2, [&] {
    loop->on_signal(SIGUSR2, {});
    loop->stop();
  });
  std::raise(SIGUSR2);
  loop->run();
  struct sigaction action = {};
  REQUIRE(sigaction(SIGUSR2, nullptr, &action) == 0);
  CHECK(action.sa_handler == SIG_DFL);
  loop->on_signal(SIGUSR2, {});  // not watched: ignored
}

TEST_CASE("simulated time hears no signals", "[loop]") {
  SimLoop loop;
  loop.on_signal(SIGUSR1, [] { FAIL("called"); });
  CHECK_FALSE(loop.step());
}
