// Steps and crashes: what runs again, what does not, and what is kept from one life to the next.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::result;
using journal::Kind;

namespace {

size_t count(const std::vector<std::string>& list, const std::string& what) {
  return static_cast<size_t>(std::count(list.begin(), list.end(), what));
}

// Lives until the next record to be committed would be the first of that kind: it is lost.
Life live_up_to(Lab& lab, Kind kind) {
  for (uint64_t records = 1; records < 200; ++records) {
    Lab copy(lab.script);
    copy.settings = lab.settings;
    copy.live(records);
    auto found = copy.journal();
    if (!found.empty() && found.back().kind == kind) return lab.live(records - 1);
  }
  FAIL("no such record");
  return {};
}

}  // namespace

TEST_CASE("a recorded step does not run again, one without a record does", "[flow][crash]") {
  Lab lab(
      "local a = step('a', function() effect('a') return 1 end) local b = step('b', function() effect('b') return 2 "
      "end) return a + b");
  CHECK_FALSE(lab.live(2).ended);  // run_started, step_done a
  CHECK(lab.ledger() == std::vector<std::string>{"a", "b"});
  CHECK(result(lab.live()) == "3");
  CHECK(lab.ledger() == std::vector<std::string>{"a", "b", "b"});
}

TEST_CASE("a once step that was cut between intent and result fails with unknown_outcome and never runs again",
          "[flow][crash]") {
  Lab lab("return step('charge', { once = true }, function() effect('charge') return 1 end)");
  CHECK_FALSE(lab.live(2).ended);
  CHECK(lab.recorded({Kind::intent, Kind::step_done}) == std::vector<std::string>{"intent charge"});
  CHECK(count(lab.ledger(), "charge") == 1);
  Life life = lab.live();
  CHECK(life.status == store::Status::failed);
  CHECK(life.error.code == "unknown_outcome");
  CHECK(life.error.step == "charge");
  CHECK(count(lab.ledger(), "charge") == 1);
}

TEST_CASE("the intent of a once step is on disk before the body begins", "[flow][crash]") {
  Lab lab("return step('charge', { once = true }, function() effect('charge') return 1 end)");
  CHECK_FALSE(lab.live(1).ended);
  CHECK(lab.ledger().empty());
  CHECK(result(lab.live()) == "1");
  CHECK(count(lab.ledger(), "charge") == 1);
}

TEST_CASE("once means one attempt unless retry is given", "[flow][crash]") {
  Lab one("return step('a', { once = true }, function() effect('a') error('no') end)");
  CHECK_THAT(result(one.live()), Contains("step_failed"));
  CHECK(one.ledger().size() == 1);
  Lab many("return step('a', { once = true, retry = 3 }, function() effect('a') error('no') end)");
  many.live();
  CHECK(many.ledger().size() == 3);
  CHECK(many.recorded({Kind::intent}).size() == 3);
}

TEST_CASE("a timeout of a once step is unknown_outcome", "[flow][crash]") {
  Lab lab("return step('a', { once = true, timeout = 2, retry = 3 }, function() work('a', 60) end)");
  Life life = lab.live();
  CHECK(life.error.code == "unknown_outcome");
  CHECK(life.error.step == "a");
  CHECK(count(lab.ledger(), "a") == 1);
}

TEST_CASE("attempts that failed count on in the next life, and so does the pause", "[flow][crash]") {
  Lab lab(R"(return step("a", { retry = { attempts = 3, backoff = "100s", factor = 1, jitter = 0 } }, function(attempt)
    effect("attempt " .. attempt.number) log.info(attempt.key) error("no " .. attempt.number) end))");
  Life first = lab.live(2);  // run_started, attempt_failed; then it waits
  CHECK(first.effects == std::vector<std::string>{"attempt 1", "attempt 2"});
  lab.wait(0);
  Life second = lab.live();
  CHECK(second.effects == std::vector<std::string>{"attempt 2", "attempt 3"});
  CHECK(second.error.attempt == 3);
  CHECK(second.error.suppressed.size() == 2);
  CHECK(first.logs.front() == second.logs.front());  // the key
}

TEST_CASE("a pause goes on after a crash for what is left of it", "[flow][crash]") {
  Lab lab(R"(return step("a", { retry = { attempts = 2, backoff = "100s", max = "10m", jitter = 0 } }, function(attempt)
    if attempt.number == 1 then error("no") end return "ok" end))");
  engine::Place::Options options;
  options.disk = lab.disk();
  {  // killed 40 s into the pause
    engine::Place place(options);
    engine::StartRequest request;
    request.file = lab.file;
    request.text = lab.script;
    request.id = lab.id;
    place.engine().start(request, [](Result<store::RunRow>) {}, {});
    place.loop().advance_us(40'000'000);
  }
  lab.wait(40'000'000);
  Life life = lab.live();
  CHECK(result(life) == "\"ok\"");
  CHECK(life.seconds() == Approx(60).margin(0.1));
}

TEST_CASE("progress of an attempt is there after a crash", "[flow][crash]") {
  Lab lab(R"(return step("a", function(attempt)
    for i = (attempt.last_progress or { at = 0 }).at + 1, 5 do
      effect("part " .. i)
      sleep(1)
      attempt.heartbeat({ at = i })
    end
    return "all"
  end))");
  CHECK_FALSE(lab.live(4).ended);  // run_started, step_started, two heartbeats
  CHECK(lab.recorded({Kind::heartbeat}).size() == 2);
  CHECK(result(lab.live()) == "\"all\"");
  CHECK(count(lab.ledger(), "part 1") == 1);
  CHECK(count(lab.ledger(), "part 2") == 1);
  CHECK(count(lab.ledger(), "part 3") == 2);  // it was under way
}

TEST_CASE("heartbeats that come close together are merged: the newest counts", "[flow][crash]") {
  Lab lab(R"(return step("a", function(attempt)
    for i = 1, 50 do sleep(0.001) attempt.heartbeat(i) end
    sleep(10)
    return attempt.last_progress or "none"
  end))");
  live_up_to(lab, Kind::step_done);
  std::vector<std::string> beats = lab.recorded({Kind::heartbeat});
  CHECK(beats.size() >= 1);
  CHECK(beats.size() <= 3);
  CHECK(result(lab.live()) == "50");
}

TEST_CASE("a second attempt in the same life sees the progress of the first", "[flow][crash]") {
  CHECK(result(engine::run(R"(return step("a", { retry = { backoff = 0 } }, function(attempt)
    if attempt.number == 1 then attempt.heartbeat("half") error("no") end
    return attempt.last_progress
  end))")) == "\"half\"");
}

TEST_CASE("an attempt that lasts is recorded as started, a short one is not", "[flow][crash]") {
  Lab lab("step('short', function() end) step('long', function() sleep(1) end)");
  lab.live();
  CHECK(lab.recorded({Kind::step_started}) == std::vector<std::string>{"step_started long"});
}

TEST_CASE("a script that asks for another step than the recorded one has diverged, with zero effects",
          "[flow][crash]") {
  // Scripts are pinned, so only one that is not deterministic comes here.
  Lab lab(
      "local name = outside('which') step('first', function() effect('first') end) step(name, function() effect(name) "
      "sleep(9) end) step('c', function() effect('c') end)");
  lab.outside["which"] = "old";
  CHECK_FALSE(lab.live(4).ended);  // run_started, first, step_started, old
  lab.outside["which"] = "new";
  Life life = lab.live();
  CHECK(life.status == store::Status::diverged);
  CHECK(life.effects.empty());
  CHECK_THAT(life.error.message,
             Contains("'old'") && Contains("'new'") && Contains("flow.lua:1") && Contains("record 4"));
  CHECK(lab.row().status == store::Status::diverged);
  CHECK_THAT(result(lab.live()), Contains("refused usage"));
}

TEST_CASE("what was begun under another name is found out as well, before anything runs", "[flow][crash]") {
  Lab lab(
      "local name = outside('which') step(name, { retry = { backoff = 100 } }, function() effect(name) error('x') "
      "end)");
  lab.outside["which"] = "old";
  CHECK_FALSE(lab.live(2).ended);  // run_started, attempt_failed
  lab.outside["which"] = "new";
  Life life = lab.live();
  CHECK(life.status == store::Status::diverged);
  CHECK(life.effects.empty());
}

TEST_CASE("other arguments of the same call diverge as well", "[flow][crash]") {
  Lab lab("sleep(tonumber(outside('long'))) step('a', function() effect('a') end)");
  lab.outside["long"] = "1";
  CHECK_FALSE(lab.live(3).ended);  // run_started, timer_set, timer_fired
  lab.outside["long"] = "2";
  Life life = lab.live();
  CHECK(life.status == store::Status::diverged);
  CHECK_THAT(life.error.message, Contains("other arguments"));
}

TEST_CASE("a script that ends before its records do has diverged", "[flow][crash]") {
  Lab lab("if outside('more') == 'yes' then step('a', function() end) step('b', function() sleep(9) end) end");
  lab.outside["more"] = "yes";
  CHECK_FALSE(lab.live(2).ended);
  lab.outside["more"] = "no";
  Life life = lab.live();
  CHECK(life.status == store::Status::diverged);
  CHECK_THAT(life.error.message, Contains("'a'"));
}
