// Queries: what a script answers to others, of runs that live, sleep, are at rest or over; nothing is changed by asking.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Place;
using engine::result;

namespace {

std::string ask(engine::Engine& engine, const std::string& run, const std::string& name, const std::string& input = "null") {
  std::string said = "nothing";
  engine.query(run, name, input, [&](Result<std::string> answer) {
    said = answer.ok() ? *answer : answer.error().code + ": " + answer.error().message;
  });
  return said;
}

// As a process that only reads.
std::string ask(Lab& lab, const std::string& name, const std::string& input = "null") {
  Place place({lab.disk()});
  return ask(place.engine(), lab.id, name, input);
}

const char* const k_progress =
    "local done, state = 0, { last = 'none' } "
    "answer('progress', function(input) return { done = done, last = state.last, input = input } end) "
    "for i = 1, 3 do step('s' .. i, function() effect('s' .. i) end) done = i state.last = 's' .. i "
    "  if i == 2 then receive('go') end end return done";

}  // namespace

TEST_CASE("a run at rest answers as it stands, and nothing is changed", "[flow][query]") {
  Lab lab(k_progress);
  lab.live();
  auto before = lab.journal().size();
  CHECK(ask(lab, "progress", "{\"x\":[1]}") == R"({"done":2,"input":{"x":[1]},"last":"s2"})");
  CHECK(ask(lab, "progress") == R"({"done":2,"last":"s2"})");
  CHECK(lab.journal().size() == before);
  CHECK(lab.ledger() == std::vector<std::string>{"s1", "s2"});
  CHECK(lab.row().status == store::Status::waiting);
}

TEST_CASE("a run is asked at every record of its life", "[flow][query]") {
  for (uint64_t records = 2; records < 4; ++records) {
    Lab lab(k_progress);
    lab.live(records);
    CHECK(ask(lab, "progress") == "{\"done\":" + std::to_string(records - 1) + ",\"last\":\"s" + std::to_string(records - 1) + "\"}");
    CHECK(lab.ledger().size() <= records);
  }
  Lab over("answer('sum', function() return 6 end) step('s', function() end) return 1");
  over.live();
  CHECK(over.row().status == store::Status::completed);
  CHECK(ask(over, "sum") == "6");
  Lab failed("answer('sum', function() return 7 end) compensate('c', function() effect('c') end) "
             "step('s', { retry = 1 }, function() error 'no' end)");
  failed.live();
  CHECK(failed.row().status == store::Status::failed);
  CHECK(ask(failed, "sum") == "7");
  CHECK(failed.ledger() == std::vector<std::string>{"c"});
}

TEST_CASE("a live run answers at once, and goes on as if nobody had asked", "[flow][query]") {
  std::string output;
  Place place({});
  engine::StartRequest request;
  request.file = "flow.lua";
  request.text = "local n = 0 answer('n', function() n = n + 100 return n end) "
                 "for i = 1, 3 do sleep(1) n = n + 1 end return { n, tostring({}) }";
  request.id = "asked";
  for (const char* id : {"asked", "not-asked"}) {
    request.id = id;
    std::string& mine = output;
    place.engine().start(request, [](Result<store::RunRow>) {},
                         [&mine](const store::RunRow&, const flow::Ending& ending) { mine += ending.output + " "; });
  }
  place.loop().advance_us(1'500'000);
  CHECK(ask(place.engine(), "asked", "n") == "101");
  place.loop().advance_us(1'000'000);
  CHECK(ask(place.engine(), "asked", "n") == "102");
  CHECK(ask(place.engine(), "asked", "n") == "102");
  place.loop().run();
  CHECK(output == R"([3,"table: #1"] [3,"table: #1"] )");
}

TEST_CASE("a loop that was put back has its answers", "[flow][query]") {
  Lab lab("local total = 0 answer('total', function() return total end) "
          "loop('l', { times = 30, keep = 0 }, function(_, i) total = total + step('s' .. i, function() return i end) "
          "  if i == 5 then answer('five', function() return total * 1000 end) end end) receive('end')");
  lab.snapshot_due = [] { return true; };
  lab.live();
  CHECK(lab.journal().size() < 30);   // the records of most iterations are gone
  CHECK(ask(lab, "total") == "465");
  CHECK(ask(lab, "five") == "465000");
}

TEST_CASE("what a query may not do is told", "[flow][query]") {
  auto said = [](const std::string& body, const std::string& name = "q") {
    Lab lab("answer('q', function() " + body + " end) receive('x')");
    lab.live();
    return ask(lab, name);
  };
  CHECK_THAT(said("sleep(1)"), Contains("sleep can't be called in the answer to a query"));
  CHECK_THAT(said("step('s', function() end)"), Contains("step can't be called in the answer to a query"));
  CHECK_THAT(said("parallel { function() end }"), Contains("parallel can't be called in the answer to a query"));
  CHECK_THAT(said("file.write('x', 'y')"), Contains("can't be called in the answer to a query"));
  CHECK_THAT(said("answer('p', print)"), Contains("answer can't be called in the answer to a query"));
  CHECK_THAT(said("error('no idea')"), Contains("script: ") && Contains("no idea"));
  CHECK_THAT(said("return print"), Contains("validation: answer: a function can't be saved"));
  CHECK_THAT(said("", "qq"), Contains("not_found: unknown query 'qq' of this run: did you mean 'q'"));
  CHECK(said("return now() > 0 and #uuid() == 36 and math.random(3) < 4") == "true");
  Lab none("receive('x')");
  none.live();
  CHECK_THAT(ask(none, "q"), Contains("not_found: the run answers no queries"));
  CHECK_THAT(ask(none, "q", "{x"), Contains("validation: the input is not JSON"));
  none.id = "nobody";
  CHECK_THAT(ask(none, "q"), Contains("not_found: no run 'nobody'"));
}

TEST_CASE("a query has the budget of a slice, and its run none the worse", "[flow][query]") {
  Lab lab("answer('q', function() while true do end end) receive('x') return 1");
  lab.settings.cpu_us = 50'000;
  lab.live();
  Place::Options options{lab.disk()};
  options.settings = lab.settings;
  {
    Place place(options);
    CHECK_THAT(ask(place.engine(), lab.id, "q"), Contains("budget: "));
  }
  CHECK(lab.row().status == store::Status::waiting);
}

TEST_CASE("wrong arguments of answer are told", "[flow][query]") {
  CHECK_THAT(result("sleep(0) answer('', print)"), Contains("the name must not be empty"));
  CHECK_THAT(result("sleep(0) answer('x', 1)"), Contains("the second argument must be a function"));
  CHECK_THAT(result("step('s', { retry = 1 }, function() answer('x', print) end)"), Contains("can't be called inside a step"));
}
