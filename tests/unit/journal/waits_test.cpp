// What a run waits for, as its records tell it.
// SPDX-License-Identifier: MIT
#include "runtime/journal/waits.hpp"

#include <catch2/catch.hpp>

using namespace perilune::journal;

namespace {

class Told {
 public:
  Told& add(Kind kind, const std::string& task, uint32_t op, const std::string& name, const std::string& data = "") {
    Record record;
    record.seq = ++seq_;
    record.kind = kind;
    record.task = task;
    record.op = op;
    record.name = name;
    record.at_us = static_cast<int64_t>(seq_) * 1'000'000;
    record.data = data;
    waits_.apply(record);
    return *this;
  }
  Told& signal(const std::string& name) { return add(Kind::signal, "", 0, name); }
  Told& receives(const std::string& task, uint32_t op, const std::string& name, uint64_t after) {
    return add(Kind::wait_started, task, op, name, "{" + signal_wait_members(after) + "}");
  }
  // "signal approved" of each, in order.
  std::vector<std::string> open() const {
    std::vector<std::string> all;
    for (const Wait* wait : waits_.open()) all.push_back(std::string(wait_name(wait->what)) + " " + wait->name);
    return all;
  }
  const Wait& only() const {
    REQUIRE(waits_.open().size() == 1);
    return *waits_.open().front();
  }

 private:
  Waits waits_;
  uint64_t seq_ = 0;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a timer is waited for until it has fired or is cancelled", "[journal]") {
  Told told;
  told.add(Kind::timer_set, "0.1", 1, "sleep", R"({"due":9000000})").add(Kind::timer_set, "0.2", 1, "nap", R"({"due":8000000})");
  CHECK(told.open() == Names{"timer sleep", "timer nap"});
  told.add(Kind::timer_fired, "0.2", 1, "nap");
  CHECK(told.only().due_us == 9'000'000);
  CHECK(told.only().since_us == 1'000'000);
  told.add(Kind::op_cancelled, "0.1", 1, "sleep");
  CHECK(told.open().empty());
}

TEST_CASE("a signal ends the wait of the receive that has waited longest for it", "[journal]") {
  Told told;
  told.receives("0.2", 1, "go", 0).receives("0.1", 1, "go", 0).receives("0.3", 1, "stop", 0);
  told.signal("go");
  CHECK(told.open() == Names{"signal go", "signal stop"});
  told.signal("go").signal("other");
  CHECK(told.open() == Names{"signal stop"});
}

TEST_CASE("a receive with a time-out says when it ends", "[journal]") {
  Told told;
  told.add(Kind::timer_set, "0", 3, "go", R"({"due":7000000,)" + signal_wait_members(0) + "}");
  CHECK(told.open() == Names{"signal go"});
  CHECK(told.only().due_us == 7'000'000);
  told.add(Kind::timer_fired, "0", 3, "go").signal("go");
  CHECK(told.open().empty());
}

TEST_CASE("a signal that stands before the receive is its end only when it was not delivered by then", "[journal]") {
  SECTION("it was on its way") {
    Told told;
    told.signal("go").receives("0", 1, "go", 0);
    CHECK(told.open().empty());
  }
  SECTION("it was delivered, and nobody may have it any more") {
    Told told;
    told.signal("go").receives("0", 1, "go", 1);
    CHECK(told.open() == Names{"signal go"});
    told.signal("go");
    CHECK(told.open().empty());
  }
  SECTION("each is somebody's") {
    Told told;
    told.signal("go").signal("go").receives("0.1", 1, "go", 0).receives("0.2", 1, "go", 0).receives("0.3", 1, "go", 0);
    CHECK(told.only().task == "0.3");
  }
}

TEST_CASE("a task that goes on waits no more", "[journal]") {
  Told told;
  told.add(Kind::wait_started, "0", 2, "account", "{" + lock_wait_members(false) + "}");
  CHECK_FALSE(told.only().of_all_runs);
  SECTION("it has taken its lock") { told.add(Kind::lock_taken, "0", 2, "account"); }
  SECTION("its wait ended without a record: what it does next tells") { told.add(Kind::scope_opened, "0", 3, "parallel"); }
  SECTION("the task has ended") { told.add(Kind::branch_done, "0", 0, "1"); }
  SECTION("the run has ended") { told.add(Kind::run_done, "", 0, "failed"); }
  CHECK(told.open().empty());
}

TEST_CASE("what another task does ends no wait", "[journal]") {
  Told told;
  told.add(Kind::wait_started, "0.1", 1, "door", "{" + lock_wait_members(true) + "}");
  told.add(Kind::step_done, "0.2", 4, "work").add(Kind::step_done, "0", 9, "work").add(Kind::lock_taken, "0.2", 5, "door");
  CHECK(told.only().of_all_runs);
  told.add(Kind::lock_granted, "0.1", 1, "door");
  CHECK(told.open().empty());
}

TEST_CASE("a step waits for its next attempt", "[journal]") {
  Told told;
  const std::string failed = R"({"attempt":2,"retry_at":5000000,"error":{"code":"io","message":"no net"}})";
  told.add(Kind::attempt_failed, "0", 1, "pay", failed);
  CHECK(told.open() == Names{"retry pay"});
  CHECK(told.only().due_us == 5'000'000);
  CHECK(told.only().attempt == 2);
  CHECK_THAT(told.only().error, Catch::Contains("no net"));
  SECTION("which has begun") { told.add(Kind::step_started, "0", 1, "pay", R"({"attempt":3})"); }
  SECTION("which is over") { told.add(Kind::step_done, "0", 1, "pay"); }
  SECTION("there is none: it has paused the run") { told.add(Kind::attempt_failed, "0", 1, "pay", R"({"attempt":3})"); }
  CHECK(told.open().empty());
}

TEST_CASE("a run waits for another run, and for an answer", "[journal]") {
  Told told;
  told.add(Kind::wait_started, "0.1", 2, "billing", "{" + run_wait_members("run-7") + "}");
  CHECK(told.only().run == "run-7");
  told.add(Kind::child_done, "0.1", 2, "billing");
  CHECK(told.open().empty());
  told.add(Kind::ask_opened, "0", 1, "Deploy?", R"({"choices":["yes","no"],"to":"ops","due":6000000})");
  CHECK(told.open() == Names{"answer Deploy?"});
  CHECK(told.only().choices == R"(["yes","no"])");
  CHECK(told.only().to == "ops");
  CHECK(told.only().seq == 3);
  told.add(Kind::ask_answered, "0", 1, "Deploy?");
  CHECK(told.open().empty());
}

TEST_CASE("a record that is damaged is no reason to fail", "[journal]") {
  Told told;
  told.add(Kind::wait_started, "0", 1, "x", "{\"for\":").add(Kind::timer_set, "0.1", 1, "y", "[1]");
  CHECK(told.open() == Names{"timer x", "timer y"});
}
