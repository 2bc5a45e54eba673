// What operators ask of runs: pause, resume, retry, skip, abort; who did it and when stands in the journal.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using engine::Lab;
using engine::Life;
using engine::Order;
using engine::Place;
using engine::result;
using journal::Kind;
using Act = engine::Order::Act;

namespace {

Order order(Act act) {
  Order made;
  made.act = act;
  made.by = "ana@desk";
  return made;
}

Order skip(const std::string& json) {
  Order made = order(Act::skip);
  made.result = json;
  return made;
}

std::string refusal(const Result<store::RunRow>& answer) {
  return answer.ok() ? "ok" : answer.error().code + ": " + answer.error().message;
}

// A step that fails in its first two attempts of all: as a rule a run with one attempt fails once or twice.
const std::string k_flaky = R"(
  local a = step("a", function() effect("a") return 1 end)
  local b = step("b", { retry = 1 }, function() effect("b") if this.attempt < 3 then fail("closed", { code = "bank" }) end return 2 end)
  return { a = a, b = b, attempt = this.attempt })";

const std::string k_undoes = R"(
  step("mail", function() effect("mail") end)
  step("book", { undo = function() effect("unbook") end }, function() effect("book") return "x" end)
  step("pay", { retry = 1 }, function() effect("pay") if this.attempt < 2 then fail("closed", { code = "bank" }) end end)
  return this.attempt)";

const std::string k_pauses = R"(
  workflow { on_error = "pause" }
  step("a", function() effect("a") end)
  local b = step("b", { retry = { attempts = 2, backoff = "1s" } }, function(attempt)
    effect("b " .. attempt.number)
    if this.attempt < 2 then fail("closed", { code = "bank" }) end
    return "done"
  end)
  return { b = b == nil and "null" or b })";

std::vector<std::string> acts(Lab& lab) { return lab.recorded({Kind::operator_act, Kind::paused, Kind::resumed}); }

}  // namespace

TEST_CASE("retry goes on from the step that failed: what was done stays done", "[engine][operator]") {
  Lab lab(k_flaky);
  CHECK(result(lab.live()) == "failed bank: closed");
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(lab.row().status == store::Status::running);
  CHECK(lab.row().error.empty());
  CHECK(result(lab.live()) == "failed bank: closed");
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == R"({"a":1,"attempt":3,"b":2})");
  CHECK(lab.ledger() == std::vector<std::string>{"a", "b", "b", "b"});
  CHECK(acts(lab) == std::vector<std::string>{"operator_act retry", "operator_act retry"});
  std::vector<journal::Record> records = lab.journal();
  CHECK(journal::operator_of(records[4]) == "ana@desk");
  CHECK(records.back().generation == 2);
  uint64_t seq = 0;
  for (const journal::Record& record : records) CHECK(record.seq == ++seq);   // nothing of the history has gone
}

TEST_CASE("retry of a run that has undone its steps goes back to before the first of them", "[engine][operator]") {
  Lab lab(k_undoes);
  CHECK(result(lab.live()) == "failed bank: closed");
  CHECK(lab.ledger() == std::vector<std::string>{"mail", "book", "pay", "unbook"});
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == "2");
  CHECK(lab.ledger() == std::vector<std::string>{"mail", "book", "pay", "unbook", "book", "pay"});
}

TEST_CASE("a retry keeps the keys of steps, unless what they did was undone", "[engine][operator]") {
  auto keys = [](const std::string& undo) {
    Lab lab("step('book', { " + undo + " }, function(a) effect(a.key) end) step('pay', { retry = 1 }, function(a) effect(a.key) "
            "if this.attempt < 2 then fail('no') end end)");
    lab.live();
    REQUIRE(lab.operate(order(Act::retry)).ok());
    lab.live();
    return lab.ledger();
  };
  std::vector<std::string> kept = keys("");
  REQUIRE(kept.size() == 3);
  CHECK(kept[1] == kept[2]);
  std::vector<std::string> undone = keys("undo = function() end");
  REQUIRE(undone.size() == 4);
  CHECK(undone[0] != undone[2]);
  CHECK(undone[1] != undone[3]);
}

TEST_CASE("retry cut at every record", "[engine][operator][crash]") {
  for (const std::string& script : {k_flaky, k_undoes}) {
    for (uint64_t cut = 0; cut < 14; ++cut) {
      Lab lab(script);
      Life life = lab.live(cut);
      for (int lives = 0; lives < 60 && !(life.ended && life.status == store::Status::completed); ++lives) {
        INFO("cut " << cut << ", life " << lives << ": " << result(life));
        if (life.ended && life.status == store::Status::failed) {
          (void)lab.operate(order(Act::retry), lives % 2);   // every other time it dies before the act is on disk
          life = lab.live(1 + (cut + static_cast<uint64_t>(lives)) % 3);
          REQUIRE((!life.refused || life.error.code == "usage"));
          if (life.refused) life.ended = true, life.status = store::Status::failed;
        } else {
          life = lab.live(1 + cut % 3);
        }
        REQUIRE(life.error.code != code::k_diverged);
      }
      INFO("cut " << cut);
      CHECK(life.status == store::Status::completed);
      CHECK(lab.recorded({Kind::run_done}).back() == "run_done completed");
    }
  }
}

TEST_CASE("this.attempt changes where the retry stands, not in what is replayed", "[engine][operator]") {
  Lab lab(R"(
    local first = this.attempt
    step("a", { input = { n = this.attempt } }, function() end)
    step("b", { retry = 1 }, function() if this.attempt < 2 then fail("no") end end)
    step("c", { retry = 1 }, function() if this.attempt < 3 then fail("no") end end)
    return { first, this.attempt })");
  CHECK(result(lab.live()) == "failed step_failed: no");
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == "failed step_failed: no");
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == "[1,3]");
}

TEST_CASE("a step that failed beside others is tried again, and so are those that were cancelled for it", "[engine][operator]") {
  Lab lab(R"(
    local r = parallel {
      quick = function() return step("quick", function() effect("quick") return 1 end) end,
      bad = function() return step("bad", { retry = 1 }, function() sleep(1) effect("bad") if this.attempt < 2 then fail("no") end return 2 end) end,
      slow = function() return step("slow", function() work("slow", 5) return 3 end) end,
    }
    return r)");
  CHECK(result(lab.live()) == "failed step_failed: no");
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == R"({"bad":2,"quick":1,"slow":3})");
  CHECK(lab.ledger() == std::vector<std::string>{"quick", "slow", "bad", "cancelled slow", "slow", "bad"});
}

TEST_CASE("a run that took too long has its whole timeout again", "[engine][operator]") {
  Lab lab(R"(
    workflow { timeout = "10s" }
    step("a", function() work("a", 6) end)
    step("b", function() work("b", 6) end)
    return "done")");
  CHECK_THAT(result(lab.live()), Contains("failed timeout"));
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == "\"done\"");
  CHECK(lab.recorded({Kind::step_done}) == std::vector<std::string>{"step_done a", "step_done b"});
}

TEST_CASE("a once step of unknown outcome is tried again when an operator says so", "[engine][operator]") {
  Lab lab("return step('pay', { once = true }, function() effect('pay') sleep(1) return 'paid' end)");
  lab.live(2);   // the intent is on disk
  CHECK_THAT(result(lab.live()), Contains("failed unknown_outcome"));
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == "\"paid\"");
}

TEST_CASE("signals that came before a retry are not lost", "[engine][operator]") {
  Lab lab(R"(
    step("a", { retry = 1 }, function() if this.attempt < 2 then fail("no") end end)
    return receive("go"))");
  {
    Place place({lab.disk()});
    engine::StartRequest request;
    request.file = "flow.lua";
    request.text = lab.script;
    request.id = lab.id;
    place.engine().start(
        request, [&](Result<store::RunRow>) { place.engine().signal(lab.id, "go", "7", "", [](Result<void>) {}); },
        [](const store::RunRow&, const flow::Ending&) {});
    place.loop().run();
  }
  REQUIRE(lab.row().status == store::Status::failed);
  REQUIRE(lab.operate(order(Act::retry)).ok());
  CHECK(result(lab.live()) == "7");
}

TEST_CASE("a failed step that paused its run is tried again, or skipped with a result", "[engine][operator]") {
  SECTION("retry") {
    Lab lab(k_pauses);
    CHECK(result(lab.live()) == "paused bank: closed");
    REQUIRE(lab.operate(order(Act::retry)).ok());
    CHECK(result(lab.live()) == R"({"b":"done"})");
    CHECK(lab.ledger() == std::vector<std::string>{"a", "b 1", "b 2", "b 1"});
  }
  SECTION("skip") {
    Lab lab(k_pauses);
    lab.live();
    REQUIRE(lab.operate(skip(R"({"x":1})")).ok());
    CHECK(result(lab.live()) == R"({"b":{"x":1}})");
    CHECK(acts(lab) == std::vector<std::string>{"operator_act skip"});
    CHECK(lab.recorded({Kind::step_skipped}) == std::vector<std::string>{"step_skipped b"});
  }
  SECTION("skip without a result") {
    Lab lab(k_pauses);
    lab.live();
    REQUIRE(lab.operate(skip("null")).ok());
    CHECK(result(lab.live()) == R"({"b":"null"})");
  }
  SECTION("resume is recorded") {
    Lab lab(k_pauses);
    lab.live();
    REQUIRE(lab.operate(order(Act::resume)).ok());
    CHECK(result(lab.live()) == "paused bank: closed");
    CHECK(acts(lab) == std::vector<std::string>{"resumed resume"});
  }
}

TEST_CASE("an undo that failed for good is tried again, or given up", "[engine][operator]") {
  const std::string script = R"(
    compensate("first", function() effect("first") end)
    compensate("second", function() effect("second") if not this.attempt or this.attempt < 2 then fail("no", { retry = false }) end end)
    step("a", { retry = 1 }, function() fail("broken") end))";
  for (Act act : {Act::retry, Act::skip}) {
    Lab lab(script);
    CHECK(result(lab.live()) == "paused step_failed: no");
    REQUIRE(lab.operate(order(act)).ok());
    CHECK(result(lab.live()) == "failed step_failed: broken");
    CHECK(lab.ledger().back() == "first");
    CHECK(lab.recorded({Kind::compensation_done}) ==
          std::vector<std::string>{"compensation_done second", "compensation_done first"});
  }
}

TEST_CASE("pause leaves a run as it is, with who did it; it goes on when it is resumed", "[engine][operator]") {
  Lab lab("step('a', function() effect('a') end) sleep(100) step('b', function() effect('b') end) return now() > 0");
  lab.live(3);
  REQUIRE(lab.operate(order(Act::pause)).ok());
  CHECK(lab.row().status == store::Status::paused);
  CHECK_THAT(refusal(lab.operate(order(Act::pause))), Contains("usage: run 'run-1' is paused"));
  REQUIRE(lab.operate(order(Act::resume)).ok());
  CHECK(result(lab.live(0)) == "cut");   // before the end of the pause is on disk
  CHECK(result(lab.live()) == "true");
  CHECK(lab.ledger() == std::vector<std::string>{"a", "b"});
  CHECK(acts(lab) == std::vector<std::string>{"paused pause", "resumed resume"});
}

TEST_CASE("a run that is paused behind its last call ends well all the same", "[engine][operator]") {
  Lab lab("return step('a', function() return 1 end)");
  lab.live(2);
  REQUIRE(lab.operate(order(Act::pause)).ok());
  REQUIRE(lab.operate(order(Act::resume)).ok());
  CHECK(result(lab.live()) == "1");
}

TEST_CASE("a live run is paused or aborted where it stands", "[engine][operator]") {
  for (Act act : {Act::pause, Act::abort}) {
    Lab lab("step('a', { undo = function() effect('undone') end }, function() end) step('b', function() work('b', 100) end) return 1");
    std::string seen;
    {
      Place place({lab.disk()});
      engine::StartRequest request;
      request.file = "flow.lua";
      request.text = lab.script;
      request.id = lab.id;
      place.engine().start(
          request, [](Result<store::RunRow>) {},
          [&](const store::RunRow&, const flow::Ending& ending) { seen = store::status_name(ending.status); });
      place.loop().start_timer(5'000'000, [&] {
        place.engine().operate(lab.id, order(Act::retry), [&](Result<store::RunRow> row) {
          CHECK_THAT(refusal(row), Contains("is being executed"));
        });
        place.engine().operate(lab.id, order(act), [&](Result<store::RunRow> row) { seen += row.ok() ? " told" : " refused"; });
      });
      place.loop().run();
      CHECK(place.effects() == std::vector<std::string>{"b"});
    }
    CHECK(seen == (act == Act::pause ? "paused told" : "cancelled told"));
    CHECK(acts(lab) == std::vector<std::string>{act == Act::pause ? "paused pause" : "operator_act abort"});
    if (act == Act::abort) continue;
    REQUIRE(lab.operate(order(Act::resume)).ok());
    CHECK(result(lab.live()) == "1");
  }
}

TEST_CASE("abort ends a run as cancelled and undoes nothing", "[engine][operator]") {
  Lab lab("step('a', { undo = function() effect('undone') end }, function() end) sleep(100)");
  lab.live(3);
  REQUIRE(lab.operate(order(Act::abort)).ok());
  CHECK(lab.row().status == store::Status::cancelled);
  CHECK_THAT(lab.row().error, Contains("aborted by ana@desk"));
  CHECK(lab.ledger().empty());
  CHECK_THAT(result(lab.live()), Contains("refused usage"));
}

TEST_CASE("an act that is not open is refused with those that are", "[engine][operator]") {
  Lab lab("return 1");
  lab.live();
  CHECK_THAT(refusal(lab.operate(order(Act::retry))),
             Contains("usage: run 'run-1' is completed: only a run that failed can be tried again; open are: fork"));
  for (Act act : {Act::pause, Act::resume, Act::skip, Act::abort}) CHECK_THAT(refusal(lab.operate(order(act))), Contains("usage"));
  lab.id = "nobody";
  CHECK_THAT(refusal(lab.operate(order(Act::retry))), Contains("not_found: no run 'nobody'"));
}
