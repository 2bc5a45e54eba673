// All attempts, in four contexts and with both garbage collectors: each has its verdict, the run beside it ends well,
// and the memory is given back. PERILUNE_SANDBOX=slice makes each attempt in one context with one collector, in turn.
// SPDX-License-Identifier: MIT
#include "tests/sandbox/attempts.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace perilune;
using sandbox::Attempt;
using sandbox::Context;

namespace {

engine::Settings small_limits() {
  engine::Settings settings;
  settings.cpu_us = 40'000;
  settings.memory_bytes = 128u << 20;  // a Lua stack that overflows takes 96 MB
  return settings;
}

// What needs more than the small limit of time to show that it does no harm.
engine::Settings limits_for(const Attempt& attempt) {
  engine::Settings settings = small_limits();
  if (attempt.verdicts.find("killed budget") == attempt.verdicts.npos) settings.cpu_us = 60'000'000;
  return settings;
}

}  // namespace

TEST_CASE("Every attempt on the sandbox has its verdict, and disturbs nobody", "[sandbox]") {
  const char* size = std::getenv("PERILUNE_SANDBOX");
  const bool slice = size != nullptr && std::string(size) == "slice";
  const auto attempts = sandbox::read_attempts();
  std::map<int, std::string> seen;
  int turn = 0;
  for (const Attempt& attempt : attempts) {
    for (Context context : sandbox::k_contexts) {
      for (bool generational : {false, true}) {
        if (slice && turn++ % 8 != attempt.number % 8) continue;
        const sandbox::Ending ending = sandbox::make(attempt, context, generational, limits_for(attempt));
        INFO(attempt.number << " in " << sandbox::name_of(context) << (generational ? ", generational" : ""));
        INFO("expected: " << attempt.verdicts);
        INFO("ended as: " << ending.text);
        CHECK(sandbox::fits(attempt, ending.text, seen));
        CHECK(ending.beside == sandbox::k_beside);
        CHECK(ending.kept_bytes < (4u << 20));
      }
    }
  }
}

// Attempt 39: whichever allocation of an attempt is refused, the process lives and the run beside it ends.
TEST_CASE("No attempt survives a heap that is too small for it, and none takes others down", "[sandbox]") {
  const auto attempts = sandbox::read_attempts();
  size_t bytes = 100'000;
  for (const Attempt& attempt : attempts) {
    for (int n = 0; n < 3; ++n) {
      bytes = bytes * 37 % 4'000'037 + 60'000;
      engine::Settings settings = small_limits();
      settings.memory_bytes = bytes;
      const sandbox::Ending ending = sandbox::make(attempt, sandbox::k_contexts[bytes % 4], bytes % 3 == 0, settings);
      INFO(attempt.number << " in " << bytes << " bytes: " << ending.text);
      CHECK(ending.text != "never ended");
      CHECK((ending.beside == sandbox::k_beside || ending.beside.starts_with("killed memory") ||
             ending.beside.starts_with("refused")));
    }
  }
}

TEST_CASE("The attempts are all there, each once", "[sandbox]") {
  const auto attempts = sandbox::read_attempts();
  REQUIRE(attempts.size() == 101);
  for (size_t i = 0; i < attempts.size(); ++i) CHECK(attempts[i].number == int(i) + (i < 38 ? 1 : 2));  // 39 is above
}

TEST_CASE("An attempt with another verdict than its own is noticed", "[sandbox]") {
  std::map<int, std::string> seen;
  Attempt attempt{1, "returns 2 | killed budget", "return 1 + 1"};
  const auto ending = [&] { return sandbox::make(attempt, Context::body, false, small_limits()).text; };
  CHECK(sandbox::fits(attempt, ending(), seen));
  attempt.code = "return 3";
  CHECK_FALSE(sandbox::fits(attempt, ending(), seen));
  attempt.code = "while true do end";
  CHECK(sandbox::fits(attempt, ending(), seen));
  attempt.verdicts = "raises nothing";
  CHECK_FALSE(sandbox::fits(attempt, ending(), seen));
}
