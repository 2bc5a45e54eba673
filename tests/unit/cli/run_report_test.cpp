// The completion report: times, steps, gates, what was undone, from records.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "bindings/cli/run_report.hpp"
#include "runtime/flow/gate.hpp"
#include "runtime/journal/payload.hpp"

using namespace perilune;
using cli::CoveredTime;
using cli::RunReport;
using Catch::Matchers::Contains;
using journal::Kind;
using journal::Record;

namespace {

constexpr int64_t k_s = 1'000'000;

// A journal in seconds since its beginning.
class Journal {
 public:
  Record& add(Kind kind, const std::string& name, int64_t at_s, std::string data = {}) {
    Record record;
    record.seq = records_.size() + 1;
    record.kind = kind;
    record.name = name;
    record.task = "0";
    record.op = op;
    record.at_us = (1000 + at_s) * k_s;
    record.data = std::move(data);
    records_.push_back(std::move(record));
    return records_.back();
  }
  static journal::Meta since(int64_t started_s, int attempt = 1, std::string_view extra = {}) {
    return {(1000 + started_s) * k_s, attempt, extra};
  }
  const std::vector<Record>& records() const { return records_; }
  uint32_t op = 1;

 private:
  std::vector<Record> records_;
};

const std::string k_error = R"({"code":"busy","message":"busy"})";

store::RunRow row_of(store::Status status, int64_t elapsed_s) {
  store::RunRow row;
  row.id = "r-1";
  row.workflow = "w";
  row.status = status;
  row.created_us = 1000 * k_s;
  row.updated_us = (1000 + elapsed_s) * k_s;
  return row;
}

// reserve 0-2 s; charge fails 2-4, backs off to 7, done 7-9; a gate fails; reserve is undone 10-11.
Journal failed_run() {
  Journal journal;
  journal.add(Kind::run_started, "w", 0);
  journal.add(Kind::step_done, "reserve", 2, journal::with_value(Journal::since(0), "1"));
  journal.op = 2;
  std::string again = "\"retry_at\":" + std::to_string(1007 * k_s);
  journal.add(Kind::attempt_failed, "charge", 4, journal::with_error(Journal::since(2, 1, again), k_error));
  journal.add(Kind::gate, "charge", 9, flow::gate_data(flow::k_gate_expect, nullptr));
  journal.add(Kind::step_done, "charge", 9, journal::with_value(Journal::since(2, 2), "1"));
  journal.op = 3;
  Error no(code::k_gate, "no disk");
  journal.add(Kind::gate, "postflight", 9, flow::gate_data(flow::k_gate_postflight, &no));
  journal.add(Kind::step_failed, "postflight", 9, journal::with_error(Journal::since(9), k_error));
  journal.op = 4;
  journal.add(Kind::attempt_failed, "undo reserve", 10, journal::with_error(Journal::since(10, 1, "\"since\":2"), k_error));
  journal.add(Kind::compensation_done, "undo reserve", 11, journal::with_value(Journal::since(10, 2, "\"since\":2"), "null"));
  return journal;
}

}  // namespace

TEST_CASE("time that is covered counts once, whatever overlaps", "[cli][report]") {
  CoveredTime time;
  time.add(0, 10);
  time.add(5, 12);
  time.add(20, 30);
  time.add(22, 25);   // within
  CHECK(time.total_us() == 22);
  time.add(8, 40);    // over all that came before
  CHECK(time.total_us() == 40);
  time.add(50, 50);
  time.add(60, 50);
  CHECK(time.total_us() == 40);
  CoveredTime many;
  for (int64_t i = 0; i < 100'000; ++i) many.add(i * 10, i * 10 + 3);
  CHECK(many.total_us() == 300'000);
}

TEST_CASE("a report tells work from waits, attempts, gates and what was undone", "[cli][report]") {
  RunReport report = cli::report_of(failed_run().records());
  CHECK(report.worked_us() == 7 * k_s);   // 0-4, 7-9, 10-11
  REQUIRE(report.steps().size() == 3);
  CHECK(report.steps()[1].name == "charge");
  CHECK(report.steps()[1].duration_us == 4 * k_s);
  CHECK(report.steps()[1].attempts == 2);
  CHECK(report.steps()[1].retries == 1);
  CHECK(report.all_steps().count == 3);
  CHECK(report.all_steps().failed == 1);
  REQUIRE(report.gates().size() == 2);
  CHECK(report.gates()[0].held == 1);
  CHECK(report.gates()[1].message == "no disk");
  REQUIRE(report.undone().size() == 1);   // the attempt that failed was tried again
  CHECK(report.undone()[0].done);
}

TEST_CASE("a report as JSON and as text say the same", "[cli][report]") {
  RunReport report = cli::report_of(failed_run().records());
  store::RunRow row = row_of(store::Status::failed, 12);
  std::string json = cli::report_json(row, report, 0);
  CHECK_THAT(json, Contains(R"("elapsed_ms":12000,"worked_ms":7000,"waited_ms":5000,"retries":1)") &&
                       Contains(R"({"name":"charge","count":1,"done":1,"failed":0,"skipped":0,"cancelled":0,"attempts":2,"retries":1,"duration_ms":4000})") &&
                       Contains(R"({"gate":"postflight","name":"postflight","held":0,"failed":1,"message":"no disk"})") &&
                       Contains(R"("undone":[{"name":"undo reserve","done":true,"error":null}])"));
  std::string text = cli::report_text(row, report, 0, {});
  CHECK_THAT(text, Contains("took 12.0s: worked 7.0s, waited 5.0s") && Contains("charge      4.0s    done, 2 attempts") &&
                       Contains("expect charge  held") && Contains("postflight     did not hold: no disk") &&
                       Contains("undo reserve  done"));
  RunReport live(false);
  for (const Record& record : failed_run().records()) live.apply(record);
  CHECK(cli::report_short(live, 12 * k_s) ==
        std::vector<std::string>{"3 steps, 1 failed, 1 retry, 1 undone; worked 7.0s, waited 5.0s", "gate postflight did not hold: no disk"});
  CHECK(live.steps().empty());
}

TEST_CASE("a run that goes on is reported as far as it has come", "[cli][report]") {
  Journal journal;
  journal.add(Kind::run_started, "w", 0);
  journal.add(Kind::step_started, "slow", 1, "{\"started\":1001000000,\"attempt\":1}");
  RunReport report = cli::report_of(journal.records());
  std::string text = cli::report_text(row_of(store::Status::running, 1), report, 1005 * k_s, {});
  CHECK_THAT(text, Contains("took 5.0s") && Contains("slow  0us     not ended"));
}
