// The JSON that scripts rely on, made from rows and records by hand.
// SPDX-License-Identifier: MIT
#include "bindings/cli/json_view.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "runtime/journal/payload.hpp"

using namespace perilune;
using namespace perilune::cli;
using journal::Kind;
using journal::Record;
using nlohmann::json;

namespace {

constexpr int64_t k_begin_us = 1'700'000'000'000'000;

class Journal {
 public:
  Journal& add(Kind kind, uint32_t op, const std::string& name, std::string data = "") {
    Record record;
    record.seq = records.size() + 1;
    record.kind = kind;
    record.task = "0";
    record.op = op;
    record.name = name;
    record.at_us = k_begin_us + static_cast<int64_t>(record.seq) * 1'000'000;
    record.data = std::move(data);
    records.push_back(record);
    return *this;
  }
  std::vector<Record> records;
};

std::string value(const std::string& text, int attempt = 1) {
  return journal::with_value({k_begin_us, attempt, {}}, text);
}
std::string error(const std::string& message, int attempt) {
  return journal::with_error({k_begin_us, attempt, {}}, to_json_text(Error("io", message)));
}

store::RunRow row_of(const Journal& journal, store::Status status) {
  store::RunRow row;
  row.id = "r1";
  row.workflow = "order";
  row.version = 2;
  row.input = R"({"z":1,"a":2})";
  row.status = status;
  row.last_seq = journal.records.size();
  row.created_us = k_begin_us;
  row.updated_us = k_begin_us + 1'500'000;
  return row;
}

}  // namespace

TEST_CASE("the object of a run has its seven members in order", "[cli]") {
  RunResult result{"r1", "order",  store::Status::completed, R"({"b":1.0,"a":12345678901234567890})", nullptr,
                   7,    1'234'567};
  CHECK(run_json(result) ==
        R"({"run":"r1","workflow":"order","status":"completed",)"
        R"("output":{"b":1.0,"a":12345678901234567890},"error":null,"records":7,"duration_ms":1234})");
}

TEST_CASE("a run that could not start has an error and no id", "[cli]") {
  RunResult result;
  result.error = std::make_shared<const Error>("validation", "input.n: 0 is below the minimum 1");
  json parsed = json::parse(run_json(result));
  CHECK(parsed["run"].is_null());
  CHECK(parsed["status"].is_null());
  CHECK(parsed["error"]["code"] == "validation");
}

TEST_CASE("steps are shown by name, the latest occurrence with a count", "[cli]") {
  Journal journal;
  journal.add(Kind::step_done, 1, "load", value("1"))
      .add(Kind::attempt_failed, 2, "charge", error("no net", 1))
      .add(Kind::step_done, 2, "charge", value(R"({"error":"none"})", 2))
      .add(Kind::step_done, 3, "load", value("2"))
      .add(Kind::step_skipped, 4, "mail")
      .add(Kind::step_failed, 5, "ship", error("no truck", 3))
      .add(Kind::step_started, 6, "slow", R"({"started":1700000000000000,"attempt":1})");
  json shown = json::parse(show_json(row_of(journal, store::Status::running), journal.records));
  const json& steps = shown["steps"];
  CHECK(steps["load"]["count"] == 2);
  CHECK(steps["load"]["output"] == 2);
  CHECK(steps["charge"]["status"] == "completed");
  CHECK(steps["charge"]["attempts"] == 2);
  CHECK(steps["charge"]["count"] == 1);
  CHECK(steps["charge"]["output"] == json{{"error", "none"}});
  CHECK(steps["charge"]["error"].is_null());
  CHECK(steps["charge"]["started_at"] == "2023-11-14T22:13:20.000Z");
  CHECK(steps["charge"]["completed_at"] == "2023-11-14T22:13:23.000Z");
  CHECK(steps["mail"]["status"] == "skipped");
  CHECK(steps["mail"]["attempts"] == 0);
  CHECK(steps["ship"]["error"]["message"] == "no truck");
  CHECK(steps["slow"]["status"] == "running");
  CHECK(steps["slow"]["completed_at"].is_null());
  CHECK(shown["current_step"] == "slow");
  CHECK(shown["workflow_version"] == 2);
  CHECK(shown["records"].size() == 7);
  CHECK(shown["records"][1]["kind"] == "attempt_failed");
  CHECK(shown["records"][4]["data"].is_null());
}

TEST_CASE("a cancelled sleep is no step, a cancelled step is one", "[cli]") {
  Journal journal;
  journal.add(Kind::timer_set, 1, "sleep", R"({"due":1})")
      .add(Kind::op_cancelled, 1, "sleep", error("x", 0))
      .add(Kind::op_cancelled, 2, "charge", error("x", 0));
  std::vector<StepView> steps = steps_of(journal.records);
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].name == "charge");
  CHECK(steps[0].status == "cancelled");
}

TEST_CASE("damaged data is shown as a string and keeps the document whole", "[cli]") {
  Journal journal;
  journal.add(Kind::event, 1, "odd", "{\"cut");
  store::RunRow row = row_of(journal, store::Status::completed);
  row.output = "{broken";
  json shown = json::parse(show_json(row, journal.records));
  CHECK(shown["records"][0]["data"] == "{\"cut");
  CHECK(shown["output"] == "{broken");
}

TEST_CASE("strings are quoted so that neither JSON nor a terminal is hurt", "[cli]") {
  CHECK(json_quoted("a\"b\\c\n\t") == R"("a\"b\\c\n\t")");
  CHECK(json_quoted("\x1b[2J\x7f\xc2\x9b") == R"("\u001b[2J\u007f\u009b")");
  CHECK(json_quoted("é\xff") == "\"é\xEF\xBF\xBD\"");
}

TEST_CASE("pretty JSON is the same JSON", "[cli]") {
  std::string text = R"({"a":[1,2.50,{"b":"x, {y}: \"z\""}],"e":{},"f":[]})";
  CHECK(json_pretty(text) ==
        "{\n  \"a\": [\n    1,\n    2.50,\n    {\n      \"b\": \"x, {y}: \\\"z\\\"\"\n    }\n  ],\n  \"e\": {},\n  "
        "\"f\": []\n}");
  CHECK(json::parse(json_pretty(text)) == json::parse(text));
  CHECK(json_pretty("null") == "null");
}
