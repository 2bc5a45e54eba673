// Child processes that are cancelled, detached or left behind: who dies, and what is told.
// SPDX-License-Identifier: MIT
#include <signal.h>

#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

#include "tests/unit/effects/process_bench.hpp"

using namespace perilune;
using namespace perilune::effects;

namespace {

// Runs `spec`, cancels it when it has said something, and gives what was told in the end.
Result<ProcessResult> cancel_when_it_speaks(ProcessBench& bench, ProcessSpec spec) {
  std::optional<Result<ProcessResult>> got;
  std::unique_ptr<Effect> effect;
  bool cancelled = false;
  spec.on_output = [&](bool, std::string_view) {
    if (!std::exchange(cancelled, true)) effect->cancel();
  };
  effect = bench.runner->run(std::move(spec), [&](Result<ProcessResult> result) {
    REQUIRE(!got);
    got = std::move(result);
    bench.loop->stop();
  });
  bench.loop->run();
  return std::move(*got);
}

}  // namespace

TEST_CASE("process cancel: SIGTERM ends it long before the grace is over") {
  ProcessBench bench;
  auto result =
      cancel_when_it_speaks(bench, {.argv = {"sh", "-c", "echo up; exec sleep 1000"}, .grace_us = 3'600'000'000});
  REQUIRE(!result.ok());
  CHECK(result.error().code == code::k_cancelled);
  CHECK(result.error().message.find("'sh'") != std::string::npos);
}

TEST_CASE("process cancel: a child that ignores SIGTERM is killed after the grace") {
  ProcessBench bench;
  const std::string stubborn = "trap '' TERM; echo up; while :; do sleep 1000; done";
  auto result = cancel_when_it_speaks(bench, {.argv = {"sh", "-c", stubborn}, .grace_us = 50'000});
  REQUIRE(!result.ok());
  CHECK(result.error().code == code::k_cancelled);
}

TEST_CASE("process cancel: a child that stopped itself is woken to hear of it") {
  ProcessBench bench;
  auto result = cancel_when_it_speaks(
      bench, {.argv = {"sh", "-c", "echo up; kill -STOP $$; sleep 1000"}, .grace_us = 3'600'000'000});
  REQUIRE(!result.ok());
  CHECK(result.error().code == code::k_cancelled);
}

TEST_CASE("process cancel: a grandchild that holds the pipes keeps the effect until it is cancelled") {
  ProcessBench bench;
  auto late = bench.run({.argv = {"sh", "-c", "(sleep 0.1; echo late) & exit 3"}});
  REQUIRE(late.ok());
  CHECK(late->out == "late\n");
  CHECK(late->code == 3);
  auto result = cancel_when_it_speaks(bench, {.argv = {"sh", "-c", "(echo up; sleep 1000) & exit 0"}});
  REQUIRE(!result.ok());
  CHECK(result.error().code == code::k_cancelled);
  const std::string stubborn = "trap '' TERM; (echo up; while :; do sleep 1000; done) & exit 0";
  auto killed = cancel_when_it_speaks(bench, {.argv = {"sh", "-c", stubborn}, .grace_us = 50'000});
  REQUIRE(!killed.ok());
  CHECK(killed.error().code == code::k_cancelled);
}

TEST_CASE("process cancel: pipes held by a process that left the group do not hold a cancelled effect") {
  ProcessBench bench;
  int escaped = 0;
  std::optional<std::string> told;
  std::unique_ptr<Effect> effect;
  ProcessSpec spec{.argv = {"setsid", "-f", "sh", "-c", "echo $$; exec sleep 1000"}, .grace_us = 20'000};
  spec.on_output = [&](bool, std::string_view chunk) {
    escaped = std::atoi(std::string(chunk).c_str());
    effect->cancel();
  };
  effect = bench.runner->run(std::move(spec), [&](Result<ProcessResult> result) {
    told = result.error().code;
    bench.loop->stop();
  });
  bench.loop->run();
  CHECK(told == code::k_cancelled);
  REQUIRE(escaped > 1);
  kill(escaped, SIGKILL);
}

TEST_CASE("process cancel: what is left of the group dies with the step") {
  ProcessBench bench;
  std::unique_ptr<Watch> left;
  ProcessSpec spec{.argv = {"sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!"}};
  spec.on_output = [&](bool, std::string_view chunk) {
    left = std::make_unique<Watch>(std::atoi(std::string(chunk).c_str()));
  };
  auto result = bench.run(std::move(spec));
  REQUIRE(result.ok());
  CHECK(result->code == 0);
  REQUIRE(left);
  REQUIRE(left->found());
  CHECK(left->ends());
}

TEST_CASE("process cancel: cancelling an error that is on its way changes nothing, twice neither") {
  ProcessBench bench;
  std::vector<std::string> told;
  auto effect = bench.runner->run({.argv = {"no-such-program-here"}}, [&](Result<ProcessResult> result) {
    told.push_back(result.error().code);
    bench.loop->stop();
  });
  effect->cancel();
  effect->cancel();
  bench.loop->run();
  CHECK(told == std::vector<std::string>{code::k_not_found});
  effect->cancel();
}

TEST_CASE("process cancel: a destroyed effect is cancelled and never tells") {
  ProcessBench bench;
  std::unique_ptr<Watch> child;
  std::unique_ptr<Effect> effect;
  ProcessSpec spec{.argv = {"sh", "-c", "echo $$; exec sleep 1000"}};
  spec.on_output = [&](bool, std::string_view chunk) {
    child = std::make_unique<Watch>(std::atoi(std::string(chunk).c_str()));
    effect.reset();
    bench.loop->stop();
  };
  effect = bench.runner->run(std::move(spec), [](Result<ProcessResult>) { FAIL("detached"); });
  bench.loop->run();
  REQUIRE(child->found());
  CHECK(child->ends());
  REQUIRE(bench.run({.argv = {"true"}}).ok());
}

TEST_CASE("process cancel: an effect may be destroyed in its own callback") {
  ProcessBench bench;
  std::unique_ptr<Effect> effect;
  effect = bench.runner->run({.argv = {"true"}}, [&](Result<ProcessResult> result) {
    CHECK(result.ok());
    effect.reset();
    bench.loop->stop();
  });
  bench.loop->run();
  CHECK(!effect);
}

TEST_CASE("process cancel: the runner takes its children along, and effects may outlive it") {
  const size_t before = open_descriptors();
  std::vector<std::unique_ptr<Watch>> children;
  {
    auto loop = loop::make_uv_loop();
    auto runner = make_process_runner(*loop);
    std::vector<std::unique_ptr<Effect>> effects;
    for (int i = 0; i < 5; i++) {
      ProcessSpec spec{.argv = {"sh", "-c", "trap '' TERM; echo $$; while :; do sleep 1000; done"}};
      spec.on_output = [&](bool, std::string_view chunk) {
        children.push_back(std::make_unique<Watch>(std::atoi(std::string(chunk).c_str())));
        if (children.size() == 5) loop->stop();
      };
      effects.push_back(runner->run(std::move(spec), [](Result<ProcessResult>) { FAIL("the runner is gone"); }));
    }
    effects.push_back(runner->run({.argv = {"no-such-program-here"}}, [](Result<ProcessResult>) {}));
    loop->run();
    runner.reset();
    effects[0]->cancel();
  }
  for (const auto& child : children) CHECK(child->ends());
  children.clear();
  CHECK(open_descriptors() == before);
}

TEST_CASE("process cancel: children die with the thread that started them") {
  ProcessBench bench;
  std::optional<Result<ProcessResult>> got;
  std::unique_ptr<Effect> effect;
  std::thread starter([&] {
    effect = bench.runner->run({.argv = {"sleep", "1000"}}, [&](Result<ProcessResult> result) {
      got = std::move(result);
      bench.loop->stop();
    });
  });
  starter.join();
  bench.loop->run();
  REQUIRE(got->ok());
  CHECK((*got)->signal == SIGKILL);
}

TEST_CASE("process cancel: many cancelled processes leak no descriptor") {
  ProcessBench bench;
  REQUIRE(bench.run({.argv = {"true"}}).ok());
  const size_t before = open_descriptors();
  int cancelled = 0;
  std::vector<std::unique_ptr<Effect>> effects;
  for (int i = 0; i < 50; i++) {
    effects.push_back(bench.runner->run({.argv = {"sleep", "1000"}}, [&](Result<ProcessResult> result) {
      cancelled += !result.ok() && result.error().code == code::k_cancelled;
      if (cancelled == 50) bench.loop->stop();
    }));
  }
  for (auto& effect : effects) effect->cancel();
  bench.loop->run();
  CHECK(cancelled == 50);
  CHECK(open_descriptors() == before);
}
