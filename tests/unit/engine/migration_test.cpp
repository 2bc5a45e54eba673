// workflow { migrate = ... }: what is refused, and how a state comes to another version.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

namespace perilune::engine {
namespace {

using Catch::Contains;

std::string migrated(const std::string& script, int64_t from, int64_t to, const std::string& state,
                     const std::string& workflow = "flow") {
  Place place({});
  Result<std::string> result = place.engine().migrate_state(make_bundle("flow.lua", script, {}), workflow, from, to, state);
  return result.ok() ? *result : result.error().code + ": " + result.error().message;
}

const std::string k_steps = R"(version = 4, migrate = {
  [2] = function(state) state.total = state.sum state.sum = nil end,
  [4] = function(state) return { all = state } end })";

}  // namespace

TEST_CASE("a state goes through the steps between two versions", "[migration]") {
  for (const std::string& script :
       {"local w = workflow { " + k_steps + " } function w.run() end return w", "workflow { " + k_steps + " } sleep(1)",
        "return { workflow { name = 'other', run = print }, workflow { name = 'flow', run = print, " + k_steps + " } }"}) {
    CHECK(migrated(script, 1, 4, R"({"sum":1,"x":[2.0]})") == R"({"all":{"total":1,"x":[2.0]}})");
    CHECK(migrated(script, 1, 3, R"({"sum":1})") == R"({"total":1})");
    CHECK(migrated(script, 2, 4, R"({"sum":1})") == R"({"all":{"sum":1}})");
    CHECK(migrated(script, 4, 4, R"({"sum":1})") == R"({"sum":1})");
  }
  CHECK(migrated("sleep(1)", 1, 2, R"({"a":1})") == R"({"a":1})");
}

TEST_CASE("a step that fails, or gives no state, says so", "[migration]") {
  auto with = [](const std::string& step) { return "workflow { version = 2, migrate = { [2] = " + step + " } } sleep(1)"; };
  CHECK_THAT(migrated(with("function() error('broken') end"), 1, 2, "{}"), Contains("broken"));
  CHECK_THAT(migrated(with("function() return 5 end"), 1, 2, "{}"), Contains("a table with names"));
  CHECK_THAT(migrated(with("function(s) s.f = print end"), 1, 2, "{}"), Contains("state.f: a function can't be saved"));
}

TEST_CASE("what is no step is refused where the workflow is defined", "[migration]") {
  CHECK_THAT(result("workflow { migrate = 5 } sleep(1)"), Contains("migrate is a table"));
  CHECK_THAT(result("workflow { version = 3, migrate = { [1] = print } } sleep(1)"), Contains("from 2"));
  CHECK_THAT(result("workflow { version = 3, migrate = { [2] = 'x' } } sleep(1)"), Contains("functions under the versions"));
  CHECK_THAT(result("workflow { version = 3, migrate = { [4] = print } } sleep(1)"),
             Contains("a step to version 4, but the workflow's version is 3"));
  CHECK(result("workflow { version = 3, migrate = { [2] = print, [3] = print } } return this.version") == "3");
}

}  // namespace perilune::engine
