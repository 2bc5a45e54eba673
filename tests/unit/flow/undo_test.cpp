// What an undo and a compensation are given: the result, and the attempt with an idempotency key.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using engine::Lab;
using engine::Life;
using engine::result;
using Names = std::vector<std::string>;

namespace {

// A step's undo fails twice, and notes its key each time.
const std::string k_script = R"(
  local ok = pcall(saga, function()
    step("book", { undo = function(r, attempt)
      effect("undo " .. r .. " " .. attempt.number .. " " .. attempt.key)
      if attempt.number < 3 then error("busy") end
    end }, function(attempt) effect("book " .. attempt.key) return "room" end)
    error("no")
  end)
  return ok)";

std::string key_of(const std::string& effect) { return effect.substr(effect.rfind(' ') + 1); }

}  // namespace

TEST_CASE("an undo is given the attempt, with one key for all attempts and all lives", "[flow][undo]") {
  Lab whole(k_script);
  Life life = whole.live();
  CHECK(result(life) == "false");
  REQUIRE(life.effects.size() == 4);
  CHECK(life.effects[1].starts_with("undo room 1 "));
  CHECK(life.effects[3].starts_with("undo room 3 "));
  for (size_t i : {2u, 3u}) CHECK(key_of(life.effects[i]) == key_of(life.effects[1]));
  CHECK(key_of(life.effects[0]) != key_of(life.effects[1]));
  for (uint64_t cut = 1; cut < whole.journal().size(); ++cut) {
    Lab lab(k_script);
    lab.live(cut);
    CHECK(result(lab.live()) == "false");
    for (const std::string& effect : lab.ledger())
      if (effect.starts_with("undo")) CHECK(key_of(effect) == key_of(life.effects[1]));
  }
}

TEST_CASE("a compensation is given the attempt, the undo of a step without a result nil before it", "[flow][undo]") {
  Life life = engine::run(R"(
    pcall(saga, function()
      step("nothing", { undo = function(r, attempt) effect(tostring(r) .. " " .. attempt.number) end }, function() end)
      compensate("tell", function(attempt) effect("tell " .. attempt.number .. " " .. #attempt.key) end)
      error("no")
    end))");
  CHECK(life.effects == Names{"tell 1 52", "nil 1"});
}
