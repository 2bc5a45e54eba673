// Questions that a run asks: choices, time-outs, withdrawal, several at once, answers live and stored, crashes.
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::Place;
using engine::result;
using journal::Kind;

namespace {

// The number of the newest question with this text; 0 = there is none.
uint64_t question(Lab& lab, const std::string& text) {
  uint64_t number = 0;
  for (const journal::Record& record : lab.living())
    if (record.kind == Kind::ask_opened && record.name == text) number = record.seq;
  return number;
}

// What an answer to a run that nobody executes is told: "" = it was taken.
std::string answer(Lab& lab, uint64_t number, const std::string& value, int64_t at_us = 1'700'000'000'000'000) {
  Place place({lab.disk(), engine::k_all_records, at_us});
  std::string said = "nothing";
  place.engine().answer(lab.id, {number, value, "ana", [&](Result<void> taken) {
    said = taken.ok() ? "" : taken.error().code + ": " + taken.error().message;
  }});
  place.loop().run();
  return said;
}

// A run that a place executes up to where it stands.
struct Live {
  explicit Live(const std::string& script, std::shared_ptr<store::MemoryDisk> disk = store::make_memory_disk())
      : place({disk}) {
    engine::StartRequest request;
    request.file = "flow.lua";
    request.text = script;
    request.id = "run-1";
    place.engine().start(std::move(request), [](Result<store::RunRow>) {},
                         [this](const store::RunRow&, const flow::Ending& end) { ending = end; });
    place.loop().advance_us(1'000'000);
  }
  std::string answer(uint64_t number, const std::string& value) {
    std::string said = "nothing";
    place.engine().answer("run-1", {number, value, "ben", [&](Result<void> taken) {
      said = taken.ok() ? "" : taken.error().code + ": " + taken.error().message;
    }});
    place.loop().advance_us(1'000'000);
    return said;
  }
  flow::Ending ending;
  Place place;
};

const char* const k_deploy = "local a, by = ask('Deploy?', { choices = { 'yes', 'no' }, to = 'ops' }) return { a, by }";

}  // namespace

TEST_CASE("a question is open until somebody answers it", "[flow][ask]") {
  Lab lab(k_deploy);
  CHECK(result(lab.live()) == "cut");
  CHECK(lab.row().status == store::Status::waiting);
  CHECK(lab.recorded({Kind::ask_opened}) == std::vector<std::string>{"ask_opened Deploy?"});
  CHECK(answer(lab, 0, "\"yes\"").empty());
  CHECK(result(lab.live()) == R"(["yes","ana"])");
  CHECK(lab.recorded({Kind::ask_opened, Kind::ask_answered}).size() == 2);
}

TEST_CASE("an answer of another kind than the choices is refused, with their names", "[flow][ask]") {
  Lab lab(k_deploy);
  lab.live();
  CHECK(answer(lab, 0, "\"maybe\"") == "validation: \"maybe\" is none of the choices: \"yes\", \"no\"");
  CHECK_THAT(answer(lab, 0, "yes"), Contains("not JSON"));
  Live live(k_deploy);
  CHECK(live.answer(0, "\"maybe\"") == "validation: \"maybe\" is none of the choices: \"yes\", \"no\"");
  CHECK(live.answer(0, "\"no\"").empty());
  CHECK(live.ending.output == R"(["no","ben"])");
}

TEST_CASE("when its time is over a question has its default, or nothing", "[flow][ask]") {
  CHECK(result("local a, why = ask('x', { timeout = '1d', default = 'no', choices = { 'yes', 'no' } }) return { a, why }") ==
        R"(["no","timeout"])");
  CHECK(result("local a, why = ask('x', { timeout = 5 }) return { a == nil, why }") == R"([true,"timeout"])");
  Lab lab("return (ask('x', { timeout = '1d', default = { n = 1 } }))");
  CHECK(lab.live(2).ended == false);
  lab.wait(86'401'000'000);
  CHECK_THAT(answer(lab, 0, "1", 1'700'086'401'000'000), Contains("was open until 2023-11-15T22:13:20."));
  Life life = lab.live();
  CHECK(result(life) == R"({"n":1})");
  CHECK(life.seconds() < 1);
}

TEST_CASE("several questions are told apart by their numbers", "[flow][ask]") {
  Lab lab("return parallel { a = function() return (ask 'A?') end, b = function() return (ask 'B?') end }");
  lab.live();
  CHECK_THAT(answer(lab, 0, "1"), Contains("usage: ") && Contains("asks several questions") && Contains("'A?'") && Contains("'B?'"));
  uint64_t b = question(lab, "B?");
  CHECK_THAT(answer(lab, 99, "1"), Contains("has no question 99; open: question") && Contains("'A?'"));
  CHECK(answer(lab, b, "2").empty());
  CHECK_THAT(answer(lab, b, "3"), Contains("was answered already, by ana") && Contains("'A?'"));
  CHECK(answer(lab, 0, "1").empty());
  CHECK_THAT(answer(lab, 0, "1"), Contains("asks no question now"));
  CHECK(result(lab.live()) == R"({"a":1,"b":2})");
  CHECK_THAT(answer(lab, b, "3"), Contains("is completed already: it takes no answers"));
}

TEST_CASE("a live run is told which question is meant, and once", "[flow][ask]") {
  Live live("return parallel { a = function() return (ask 'A?') end, b = function() sleep(60) return (ask 'B?') end }");
  CHECK_THAT(live.answer(99, "1"), Contains("has no question 99"));
  std::vector<std::string> said;
  for (int i = 0; i < 2; ++i)
    live.place.engine().answer("run-1", {0, "7", "ben", [&](Result<void> taken) {
      said.push_back(taken.ok() ? "" : taken.error().message);
    }});
  live.place.loop().advance_us(100'000'000);
  REQUIRE(said.size() == 2);
  std::sort(said.begin(), said.end());
  CHECK(said[0].empty());
  CHECK_THAT(said[1], Contains("is being answered already"));
  CHECK(live.answer(0, "8").empty());
  CHECK(live.ending.output == R"({"a":7,"b":8})");
}

TEST_CASE("a run that has left memory is answered as well", "[flow][ask]") {
  Live live("step('before', function() end) return (ask 'x')");
  REQUIRE(live.place.engine().sleeping() == 1);
  CHECK_THAT(live.answer(77, "1"), Contains("has no question 77"));
  live.place.loop().advance_us(1'000'000);
  CHECK(live.answer(0, "[1,2]").empty());
  CHECK(live.ending.output == "[1,2]");
}

TEST_CASE("a question is withdrawn with the task that asks it", "[flow][ask]") {
  Lab lab("local who = select(2, race { q = function() return (ask 'x') end, t = function() sleep(1) end }) "
          "receive('end') return who");
  CHECK(lab.live().ended == false);
  CHECK_THAT(answer(lab, question(lab, "x"), "1"), Contains("was withdrawn by the run"));
}

TEST_CASE("asking is answered the same after a crash at every record", "[flow][ask]") {
  const char* const script =
      "local a = ask('first', { choices = { 1, 2 } }) step('do ' .. a, function() effect('do ' .. a) end) "
      "local b, by = ask('second', { timeout = '1h', default = 'late' }) return { a, b, by }";
  for (uint64_t records = 1; records < 12; ++records) {
    INFO("cut after " << records << " records");
    Lab lab(script);
    lab.live(records);
    for (int lives = 0; lives < 8 && lab.row().status != store::Status::completed; ++lives) {
      if (question(lab, "first") != 0) answer(lab, question(lab, "first"), "2");
      lab.live();
    }
    CHECK(lab.row().output == R"([2,"late","timeout"])");
    CHECK(lab.recorded({Kind::ask_opened}).size() == 2);
  }
}

TEST_CASE("an answer that was given before a rollback is asked for again", "[flow][ask]") {
  Lab lab("checkpoint 'start' local a = ask('x') receive('more') return a");
  lab.live();
  CHECK(answer(lab, 0, "1").empty());
  lab.live();
  engine::Order order;
  order.act = engine::Order::Act::rollback;
  order.by = "ana";
  order.checkpoint = "start";
  REQUIRE(lab.operate(order).ok());
  lab.live();
  CHECK(answer(lab, 0, "2").empty());
}

TEST_CASE("wrong arguments of ask are told", "[flow][ask]") {
  auto said = [](const std::string& call) { return result("ask(" + call + ")"); };
  CHECK_THAT(said("''"), Contains("the question must not be empty"));
  CHECK_THAT(said("'x', { chioces = {} }"), Contains("did you mean 'choices'"));
  CHECK_THAT(said("'x', { choices = {} }"), Contains("a list of at least one answer"));
  CHECK_THAT(said("'x', { choices = { 'a', {} } }"), Contains("choice 2 must be a string, a number or a boolean"));
  CHECK_THAT(said("'x', { choices = { 'a', 'b', 'a' } }"), Contains("choices 1 and 3 are the same"));
  CHECK_THAT(said("'x', { default = 1 }"), Contains("say with timeout"));
  CHECK_THAT(said("'x', { default = 'c', timeout = 1, choices = { 'a', 'b' } }"), Contains("none of the choices: \"a\", \"b\""));
  CHECK_THAT(result("step('s', function() ask 'x' end)"), Contains("can't be called inside a step"));
}
