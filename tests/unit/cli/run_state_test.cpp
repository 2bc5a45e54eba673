// What is read off records for progress and status, and the small things beside it: texts, log lines, exit codes.
// SPDX-License-Identifier: MIT
#include "bindings/cli/run_state.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "bindings/cli/exit_code.hpp"
#include "bindings/cli/json_position.hpp"
#include "bindings/cli/record_text.hpp"
#include "bindings/cli/run_log.hpp"
#include "bindings/cli/terminal.hpp"

using namespace perilune;
using namespace perilune::cli;
using journal::Kind;
using journal::Record;

namespace {

Record record_of(Kind kind, const std::string& task, uint32_t op, const std::string& name,
                 const std::string& data = "") {
  Record record;
  record.kind = kind;
  record.task = task;
  record.op = op;
  record.name = name;
  record.at_us = 2'000'000;
  record.data = data;
  return record;
}

}  // namespace

TEST_CASE("branches are counted for the scope that their parent waits for", "[cli]") {
  RunState state;
  state.apply(record_of(Kind::scope_opened, "0", 1, "items", R"({"call":"map","total":3})"));
  state.apply(record_of(Kind::branch_done, "0.1", 0, "1", R"({"scope":1})"));
  state.apply(record_of(Kind::branch_done, "0.2", 0, "2", R"({"scope":1,"error":{"code":"io"}})"));
  state.apply(record_of(Kind::branch_done, "0.2.1", 0, "1", R"({"scope":1})"));
  state.apply(record_of(Kind::branch_done, "0.3", 0, "\"spawned\""));
  REQUIRE(state.scopes().size() == 1);
  CHECK(state.scopes()[0]->call == "map");
  CHECK(state.scopes()[0]->total == 3);
  CHECK(state.scopes()[0]->done == 1);
  CHECK(state.scopes()[0]->failed == 1);
  state.apply(record_of(Kind::branch_joined, "0", 1, "items"));
  CHECK(state.scopes().empty());
}

TEST_CASE("an operation is open from its first record to its outcome", "[cli]") {
  RunState state;
  state.apply(record_of(Kind::step_started, "0", 1, "charge", R"({"started":1000000,"attempt":1})"));
  REQUIRE(state.operations().size() == 1);
  CHECK(state.operations()[0]->since_us == 1'000'000);
  state.apply(record_of(Kind::attempt_failed, "0", 1, "charge",
                        R"({"attempt":1,"retry_at":5000000,"error":{"code":"io","message":"no net"}})"));
  REQUIRE(state.operations().size() == 1);
  CHECK(state.operations()[0]->state == OpenOperation::State::retrying);
  CHECK(state.operations()[0]->due_us == 5'000'000);
  state.apply(record_of(Kind::timer_set, "0.1", 1, "sleep", R"({"due":9000000})"));
  state.apply(record_of(Kind::step_done, "0", 1, "charge", R"({"value":1})"));
  CHECK(state.operations().empty());
  REQUIRE(state.waits().size() == 1);
  CHECK(state.waits()[0]->due_us == 9'000'000);
  CHECK(state.steps_done() == 1);
  CHECK_THAT(state.last_error(), Catch::Contains("no net"));
}

TEST_CASE("events are told in words, with nothing that acts on a terminal", "[cli]") {
  auto text = [](const Record& record) { return event_text(record)->text; };
  CHECK(text(record_of(Kind::step_done, "0", 1, "reserve", R"({"started":1988000,"attempt":1,"value":1})")) ==
        "step reserve done in 12ms");
  CHECK(text(record_of(Kind::step_done, "0", 1, "a\x1b[2Jb", R"({"attempt":2,"value":1})")) ==
        "step a\\x1b[2Jb done (attempt 2)");
  CHECK(text(record_of(Kind::step_failed, "0", 1, "pay", R"({"attempt":3,"error":{"code":"io","message":"a\nb"}})")) ==
        "step pay failed after 3 attempts: io: a\\nb");
  CHECK_FALSE(event_text(record_of(Kind::run_done, "", 0, "completed")).has_value());
  CHECK_FALSE(event_text(record_of(Kind::timer_set, "0", 1, "sleep", R"({"due":2100000})")).has_value());
}

TEST_CASE("durations are told in two units at most", "[cli]") {
  CHECK(short_duration(999) == "999us");
  CHECK(short_duration(1'500) == "1.5ms");
  CHECK(short_duration(12'999) == "12ms");
  CHECK(short_duration(3'450'000) == "3.4s");
  CHECK(short_duration(90'000'000) == "1m30s");
  CHECK(short_duration(5'400'000'000) == "1h30m");
  CHECK(short_duration(90'000'000'000) == "1d01h");
}

TEST_CASE("text is cut and filled by columns, not by bytes", "[cli]") {
  CHECK(columns_of("aé界") == 4);
  CHECK(clipped("abcdef", 4) == "abc…");
  CHECK(clipped("界界界", 4) == "界…");
  CHECK(padded("é", 3) == "é  ");
  CHECK(printable("a\r\n\x9b\xe2\x80\xae") == "a\\r\\n\\x9b\\xe2\\x80\\xae");
  CHECK(printable_lines("a\nb\x07") == "a\nb\\x07");
  CHECK(indented("a\nb\n", "  ") == "  a\n  b\n");
}

TEST_CASE("a log line is one line of JSON whatever is logged", "[cli]") {
  std::string line = log_line("r1", 1'700'000'000'000'000, "warn", "a\nb\x1b", R"({"n":1})");
  CHECK(line == R"({"at":"2023-11-14T22:13:20.000Z","level":"warn","run":"r1","text":"a\nb\u001b","n":1})");
  auto parsed = nlohmann::json::parse(log_line("r1", 0, "info", "x", R"({"text":"mine"})"));
  CHECK(parsed["text"] == "x");
  CHECK(parsed["fields"]["text"] == "mine");
  CHECK(nlohmann::json::parse(log_line("r1", 0, "info", "x", "{}")).size() == 4);
}

TEST_CASE("an id cannot lead a log out of its directory", "[cli]") {
  CHECK(log_path("/l", "0197-aa") == "/l/0197-aa.jsonl");
  CHECK(log_path("/l", "../../etc/x") == "/l/%2E.%2F..%2Fetc%2Fx.jsonl");
}

TEST_CASE("every kind of trouble has its exit code", "[cli]") {
  CHECK(exit_code_of(Error("usage", "")) == 2);
  CHECK(exit_code_of(Error("syntax", "")) == 3);
  CHECK(exit_code_of(Error("a_code_of_a_script", "")) == 3);
  CHECK(exit_code_of(Error("damaged", "")) == 65);
  CHECK(exit_code_of(Error("storage", "")) == 74);
  CHECK(exit_code_of(Error("owned", "")) == 75);
  CHECK(exit_code_of(Error("newer_schema", "")) == 78);
  Error storage("storage", "");
  CHECK(exit_code_of(store::Status::completed, nullptr) == 0);
  CHECK(exit_code_of(store::Status::cancelled, nullptr) == 1);
  CHECK(exit_code_of(store::Status::diverged, nullptr) == 1);
  CHECK(exit_code_of(store::Status::waiting, nullptr) == 4);
  CHECK(exit_code_of(store::Status::running, &storage) == 74);
}

TEST_CASE("text that is no JSON is refused with line and column", "[cli]") {
  CHECK(check_json(R"({"a": [1, 2.5, "x", null]})").ok());
  CHECK_THAT(check_json("{\n \"a\": x}").error().message, Catch::StartsWith("not JSON at line 2, column 7"));
  CHECK_THAT(check_json("{a:1}").error().message, Catch::StartsWith("not JSON at line 1, column 2"));
  CHECK_THAT(check_json("  ").error().message, Catch::Contains("empty"));
  CHECK_FALSE(check_json("[1e999]").ok());
  CHECK_FALSE(check_json("\"\xff\"").ok());
}
