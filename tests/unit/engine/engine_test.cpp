// The engine: both kinds of script file, schemas, run ids, resuming, time-outs.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "tests/unit/engine/harness.hpp"

using namespace perilune;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using engine::Lab;
using engine::Life;
using engine::Place;
using engine::result;
using engine::run;

namespace {

engine::StartRequest request_of(const std::string& text, const std::string& id, const std::string& input = "{}") {
  engine::StartRequest request;
  request.file = "dir/flow.lua";
  request.text = text;
  request.id = id;
  request.input = input;
  return request;
}

// What became of one start or resume.
struct Watch {
  std::string started;  // "ok STATUS", or "CODE: message"
  std::vector<std::string> endings;
  engine::Engine::Started on_start() {
    return [this](Result<store::RunRow> row) {
      started = row.ok() ? "ok " + std::string(store::status_name(row->status))
                         : row.error().code + ": " + row.error().message;
    };
  }
  engine::Engine::Ended on_end() {
    return [this](const store::RunRow&, const flow::Ending& ending) {
      endings.push_back(std::string(store::status_name(ending.status)) + " " +
                        (ending.error ? ending.error->code : ending.output));
    };
  }
};

}  // namespace

TEST_CASE("a file that returns a workflow defines it; its run gets the input", "[engine]") {
  Lab lab(R"(
    local order = workflow { name = "order", version = 3, input = { n = "integer" }, output = { twice = "integer" } }
    function order.run(input) return { twice = step("double", function() return input.n * 2 end) } end
    return order)");
  lab.input = R"({"n":4})";
  CHECK(result(lab.live()) == R"({"twice":8})");
  CHECK(lab.row().workflow == "order");
  CHECK(lab.row().version == 3);
}

TEST_CASE("a file that is itself the workflow runs from its first line, named after its stem", "[engine]") {
  Lab lab(
      "local n = step('a', function() return input.n + 1 end) return { n = n, this = this.workflow, id = this.id }");
  lab.file = "some/dir/count.lua";
  lab.input = R"({"n":1})";
  CHECK(result(lab.live()) == R"({"id":"run-1","n":2,"this":"count"})");
  CHECK(result("return { 1, input.x }", R"({"x":2})") == "[1,2]");  // no durable call at all
  CHECK(result("") == "null");
}

TEST_CASE("workflow{} in a script, without a run, declares what it is", "[engine]") {
  Lab lab(
      "workflow { name = 'named', version = 2, input = { n = { type = 'integer', default = 7 } } } return step('a', "
      "function() return input.n end)");
  CHECK(result(lab.live()) == "7");
  CHECK(lab.row().workflow == "named");
  CHECK(lab.row().input == R"({"n":7})");
}

TEST_CASE("a file may define several workflows, of which one is chosen", "[engine]") {
  const std::string text = R"(
    local a = workflow { name = "a", run = function() return "ran a" end }
    local b = workflow { name = "b", run = function() return "ran b" end }
    return { a, b })";
  Lab lab(text);
  lab.workflow = "b";
  CHECK(result(lab.live()) == "\"ran b\"");
  Lab none(text);
  CHECK_THAT(result(none.live()), StartsWith("refused usage") && Contains("a, b"));
  Lab other(text);
  other.workflow = "c";
  CHECK_THAT(result(other.live()), StartsWith("refused not_found") && Contains("'c'") && Contains("a, b"));
}

TEST_CASE("a definition without a run, or with wrong keys, is refused with what would be right", "[engine]") {
  CHECK_THAT(result("return workflow { name = 'a' }"), Contains("no run function"));
  CHECK_THAT(result("return workflow { nmae = 'a', run = function() end }"), Contains("did you mean 'name'"));
  CHECK_THAT(result("return workflow { run = 5 }"), Contains("run must be a function"));
  CHECK_THAT(result("return workflow { name = 5, run = function() end }"), Contains("name must be a text"));
  CHECK_THAT(result("return workflow { timeout = 'soon', run = function() end }"), Contains("timeout"));
  CHECK_THAT(result("return workflow { input = { a = 'strng' }, run = function() end }"),
             Contains("did you mean 'string'"));
  CHECK_THAT(result("return workflow 'order'"), Contains("give it a table"));
}

TEST_CASE("input that breaks its schema is refused before the run starts, with path, value and rule", "[engine]") {
  Lab lab(
      "workflow { input = { items = { type = 'array', items = { properties = { quantity = { type = 'integer', minimum "
      "= 1 } } } } } } step('a', function() effect('ran') end)");
  lab.input = R"({"items":[{"quantity":1},{"quantity":0}]})";
  Life life = lab.live();
  CHECK_THAT(result(life),
             StartsWith("refused validation") && Contains("items[1].quantity") && Contains("0") && Contains("minimum"));
  CHECK(lab.journal().empty());
  CHECK(life.effects.empty());
}

TEST_CASE("input that is no JSON is refused", "[engine]") {
  CHECK_THAT(result("return 1", "{bad"), StartsWith("refused validation"));
  CHECK_THAT(result("return 1", ""), StartsWith("refused validation"));
}

TEST_CASE("output that breaks its schema fails the run", "[engine]") {
  Life life = run("workflow { output = { n = 'integer' } } return { n = 'x' }");
  CHECK_THAT(result(life), StartsWith("failed validation: output.n"));
  CHECK_THAT(result("return { f = print }"), StartsWith("failed validation: result.f"));
}

TEST_CASE("syntax errors and errors while loading name file and line", "[engine]") {
  CHECK_THAT(result("local x = 1\nlocal y = = 2"), StartsWith("refused syntax") && Contains("flow.lua:2"));
  CHECK_THAT(result("\nerror('at load')"), StartsWith("refused script") && Contains("flow.lua:2"));
  CHECK_THAT(result("\n\nreturn undefined_name"), Contains("undefined_name"));
  CHECK_THAT(result("\x1bLua"), StartsWith("refused syntax"));
}

TEST_CASE("a workflow's timeout counts running time: a long sleep does not count", "[engine]") {
  Life life =
      run("workflow { timeout = '10s' } sleep('1h') sleep('4s') step('a', function() sleep(5) end) sleep('4s') return "
          "'ok'");
  CHECK(result(life) == "\"ok\"");
  life = run("workflow { timeout = '10s' } for i = 1, 5 do step('a', function() sleep(3) end) end return 'ok'");
  CHECK_THAT(result(life), StartsWith("failed timeout") && Contains("10s"));
  CHECK(life.seconds() == Approx(10).margin(0.1));
}

TEST_CASE("running time of earlier lives counts for the timeout", "[engine]") {
  Lab lab(
      "workflow { timeout = '10s' } for i = 1, 5 do step('a', { input = { started = 1 } }, function() sleep(3) return "
      "{ started = 1 } end) end return 'ok'");
  CHECK_FALSE(lab.live(5).ended);  // run_started, and twice step_started, step_done
  lab.wait(1'000'000'000);
  Life life = lab.live();
  CHECK_THAT(result(life), StartsWith("failed timeout"));
  CHECK(life.seconds() == Approx(4).margin(0.1));
}

TEST_CASE("an id that stands gives that run for the same input, and is a conflict for another", "[engine][ids]") {
  Place place({});
  const std::string text = "return step('a', function() effect('a') sleep(2) return input.n end)";
  Watch first, same, spaced, other;
  place.engine().start(request_of(text, "id-1", R"({"n":1,"m":2})"), first.on_start(), first.on_end());
  place.loop().advance_us(1'000'000);
  place.engine().start(request_of(text, "id-1", R"({"n":1,"m":2})"), same.on_start(), same.on_end());  // while it runs
  place.loop().run();
  CHECK(first.endings == std::vector<std::string>{"completed 1"});
  CHECK(same.started == "ok running");
  CHECK(same.endings == first.endings);
  place.engine().start(request_of(text, "id-1", R"({ "m": 2, "n": 1 })"), spaced.on_start(),
                       spaced.on_end());  // when it is over
  place.engine().start(request_of(text, "id-1", R"({"n":2})"), other.on_start(), other.on_end());
  place.loop().run();
  CHECK(spaced.started == "ok completed");
  CHECK(spaced.endings == first.endings);
  CHECK_THAT(other.started, StartsWith("conflict"));
  CHECK(other.endings.empty());
  CHECK(place.effects().size() == 1);
}

TEST_CASE("an id that stands and waits in a store of an earlier process is resumed", "[engine][ids]") {
  Lab lab("step('a', function() effect('a') end) step('b', function() effect('b') end) return 1");
  CHECK_FALSE(lab.live(2).ended);
  Place::Options options;
  options.disk = lab.disk();
  Place place(options);
  Watch watch;
  engine::StartRequest request = request_of(lab.script, lab.id);
  request.file = lab.file;
  place.engine().start(request, watch.on_start(), watch.on_end());
  place.loop().run();
  CHECK(watch.endings == std::vector<std::string>{"completed 1"});
  CHECK(place.effects() == std::vector<std::string>{"b"});
}

TEST_CASE("resuming what is over or unknown is refused", "[engine][ids]") {
  Lab lab("return 1");
  lab.live();
  CHECK_THAT(result(lab.live()), StartsWith("refused usage") && Contains("completed"));
  Place place({});
  Watch watch;
  place.engine().resume("none", watch.on_start(), watch.on_end());
  place.loop().run();
  CHECK_THAT(watch.started, StartsWith("not_found"));
}

TEST_CASE("several may resume one run at once: it runs once and tells them all", "[engine][ids]") {
  Lab lab("step('a', function() effect('a') end) step('b', function() effect('b') sleep(1) end) return 1");
  CHECK_FALSE(lab.live(2).ended);
  Place::Options options;
  options.disk = lab.disk();
  Place place(options);
  Watch one, two, three;
  place.engine().resume(lab.id, one.on_start(), one.on_end());
  place.engine().resume(lab.id, two.on_start(), two.on_end());  // while it is being claimed
  place.loop().advance_us(500'000);
  place.engine().resume(lab.id, three.on_start(), three.on_end());
  place.loop().run();
  for (Watch* watch : {&one, &two, &three}) {
    CHECK(watch->started == "ok running");
    CHECK(watch->endings == std::vector<std::string>{"completed 1"});
  }
  CHECK(place.effects() == std::vector<std::string>{"b"});
}

TEST_CASE("resuming a run that sleeps out of memory attaches to it", "[engine][ids]") {
  Place place({});
  Watch one, two;
  place.engine().start(request_of("sleep('1h') return 'awake'", "s-1"), one.on_start(), one.on_end());
  place.loop().advance_us(10'000'000);
  REQUIRE(place.engine().sleeping() == 1);
  place.engine().resume("s-1", two.on_start(), two.on_end());
  CHECK(place.engine().sleeping() == 1);
  place.loop().run();
  CHECK(one.endings == std::vector<std::string>{"completed \"awake\""});
  CHECK(two.endings == one.endings);
}

TEST_CASE("a run that sleeps out of memory can be cancelled", "[engine][ids]") {
  Place place({});
  Watch watch;
  place.engine().start(request_of("local ok, e = pcall(sleep, '1h') effect(e.code) error(e)", "s-1"), watch.on_start(),
                       watch.on_end());
  place.loop().advance_us(10'000'000);
  REQUIRE(place.engine().sleeping() == 1);
  CHECK(place.engine().cancel("s-1", "ana"));
  place.loop().advance_us(1'000'000);
  CHECK(watch.endings == std::vector<std::string>{"cancelled cancelled"});
  CHECK(place.effects() == std::vector<std::string>{"cancelled"});
  CHECK(place.engine().live() + place.engine().sleeping() == 0);
}

TEST_CASE("logs are written once: not again when the run waits where it was left", "[engine]") {
  Lab lab("log.info('one') sleep(5) log.info('two')");
  CHECK(lab.live(2).logs == std::vector<std::string>{"info: one"});   // the timer is set
  CHECK(lab.live().logs == std::vector<std::string>{"info: two"});
}

TEST_CASE("logs are written once: not again when the run is replayed", "[engine]") {
  Lab lab(
      "log.info('one') step('a', function() end) log.warn('two', { n = 2 }) step('b', function() end) print('three', "
      "3)");
  Life first = lab.live(2);
  CHECK(first.logs == std::vector<std::string>{"info: one", "warn: two {\"n\":2}"});
  CHECK(lab.live().logs == std::vector<std::string>{"info: three\t3"});
}

TEST_CASE("a branch left to the background, then a long sleep: the run still leaves memory", "[engine]") {
  Place place({});
  Watch watch;
  place.engine().start(
      request_of("parallel { function() sleep(20) end, function() sleep('2h') end } return 'ok'", "p-1"),
      watch.on_start(), watch.on_end());
  place.loop().advance_us(30'000'000);  // one branch has ended: a note of that is all that is new
  CHECK(place.engine().live() == 0);
  CHECK(place.engine().sleeping() == 1);
  place.loop().run();
  CHECK(watch.endings == std::vector<std::string>{"completed \"ok\""});
}

TEST_CASE("a signal and a resume at the same moment both come through", "[engine]") {
  for (bool signal_first : {true, false}) {
    INFO(signal_first);
    engine::Lab lab("return { receive('x'), step('s', function() return 2 end) }");
    CHECK_FALSE(lab.live().ended);   // it waits, and the process ends
    engine::Place place({lab.disk()});
    std::string output, told;
    auto signal = [&] {
      place.engine().signal("run-1", "x", "1", "", [&](Result<void> done) { told += done.ok() ? "ok" : done.error().message; });
    };
    if (signal_first) signal();
    place.engine().resume("run-1", [](Result<store::RunRow>) {},
                          [&](const store::RunRow&, const flow::Ending& ending) { output = ending.output; });
    if (!signal_first) signal();
    place.loop().run();
    CHECK(told == "ok");
    CHECK(output == "[1,2]");
  }
}
