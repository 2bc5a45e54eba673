// What hooks return: every result at every point, what comes of several hooks, and the record.
// SPDX-License-Identifier: MIT
#include "runtime/hooks/decision.hpp"

#include <catch2/catch.hpp>

using namespace perilune;
using namespace perilune::hooks;
using Catch::Matchers::Contains;

namespace {

struct Said {
  Reply reply;
  const char* key;     // of replace
  const char* json;
};
constexpr Said k_said[] = {
    {Reply::skip, "", R"({"result":"skip","value":1})"},
    {Reply::replace, "input", R"({"result":"replace","input":1})"},
    {Reply::replace, "value", R"({"result":"replace","value":1})"},
    {Reply::replace, "error", R"({"result":"replace","error":"other"})"},
    {Reply::deny, "", R"({"result":"deny","text":"no"})"},
    {Reply::delay, "", R"({"result":"delay","delay_us":5})"},
    {Reply::redirect, "", R"({"result":"redirect","text":"flow"})"},
    {Reply::retry, "", R"({"result":"retry","delay_us":5,"input":2})"},
    {Reply::resolve, "", R"({"result":"resolve","value":1})"},
    {Reply::suppress, "", R"({"result":"suppress"})"},
    {Reply::escalate, "", R"({"result":"escalate"})"},
};

bool allowed(const PointRow& row, const Said& said) {
  if (!row.allows(said.reply)) return false;
  if (said.reply != Reply::replace) return true;
  for (std::string_view key : row.replaces)
    if (key == said.key) return true;
  return false;
}

Decision read(Point point, std::string_view json) {
  Result<Decision> decision = read_reply(point, json);
  REQUIRE(decision.ok());
  return *decision;
}

}  // namespace

TEST_CASE("each result is taken where the table says so, and refused elsewhere with what is allowed there", "[hooks]") {
  size_t taken = 0, refused = 0;
  for (const PointRow& row : points()) {
    for (const Said& said : k_said) {
      CAPTURE(row.name, said.json);
      Result<Decision> decision = read_reply(row.point, said.json);
      CHECK(decision.ok() == allowed(row, said));
      if (decision.ok()) {
        ++taken;
        CHECK_FALSE(decision->nothing());
        continue;
      }
      ++refused;
      CHECK(decision.error().code == "usage");
      CHECK_THAT(decision.error().message, Contains(std::string(row.name) + " takes no " + std::string(reply_name(said.reply))));
      CHECK_THAT(decision.error().message, Contains(row.decides() ? replies_text(row) : "it returns nothing"));
    }
  }
  CHECK(taken > 20);
  CHECK(refused > 300);
}

TEST_CASE("what is no result at all is refused", "[hooks]") {
  for (const char* json : {"null", "1", "{}", R"({"result":"continue"})", R"({"result":"none"})", R"({"result":7})"})
    CHECK_THAT(read_reply(Point::step_before, json).error().message, Contains("takes no such value: a hook there may return skip(result)"));
  CHECK_THAT(read_reply(Point::step_before, R"({"result":"replace"})").error().message, Contains("replace{} of nothing"));
}

TEST_CASE("several hooks: replacements and delays add up, the rest ends the round", "[hooks]") {
  Decision decision;
  add(decision, read(Point::step_before, R"({"result":"delay","delay_us":5})"));
  add(decision, read(Point::step_before, R"({"result":"replace","input":[1]})"));
  add(decision, read(Point::step_before, R"({"result":"delay","delay_us":7})"));
  CHECK_FALSE(decision.ends_round());
  CHECK(decision.delay_us == 12);
  CHECK(decision.input == "[1]");
  add(decision, read(Point::step_before, R"({"result":"redirect","text":"flow"})"));
  CHECK(decision.ends_round());
  CHECK(decision.text == "flow");
  CHECK(decision.input == "[1]");
}

TEST_CASE("a decision is read back from its record, for its point and round alone", "[hooks]") {
  Decision decision = read(Point::step_fail, R"({"result":"retry","delay_us":5,"input":{"n":2}})");
  decision.by = "hooks.lua";
  std::string data = record_data(Point::step_fail, 3, decision);
  auto back = decision_in(data, Point::step_fail, 3);
  REQUIRE(back);
  CHECK(back->final == Reply::retry);
  CHECK(back->delay_us == 5);
  CHECK(back->input == R"({"n":2})");
  CHECK(back->by == "hooks.lua");
  CHECK_FALSE(decision_in(data, Point::step_fail, 2));
  CHECK_FALSE(decision_in(data, Point::step_before, 3));
  CHECK(decision_in(data, Point::step_fail, k_any_round));
  CHECK_FALSE(decision_in("", Point::step_fail, 0));

  Error error("boom", "it broke");
  auto failed = decision_in(record_data(Point::step_before, 0, failure(error, "x.lua")), Point::step_before, 0);
  REQUIRE(failed);
  CHECK(failed->failed);
  CHECK(error_from_json_text(failed->error).code == "boom");
}
