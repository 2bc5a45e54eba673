// Names of record kinds, and which of them carry an outcome.
// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <set>
#include <string>

#include "runtime/journal/record.hpp"

using namespace perilune::journal;

TEST_CASE("every record kind has a name of its own that reads back as the kind", "[journal]") {
  std::set<std::string_view> names;
  for (int i = 1; i <= static_cast<int>(Kind::run_done); ++i) {
    Kind kind = static_cast<Kind>(i);
    CHECK(kind_from_name(kind_name(kind)) == kind);
    names.insert(kind_name(kind));
  }
  CHECK(names.size() == static_cast<size_t>(Kind::run_done));
  CHECK(kind_name(Kind::step_done) == "step_done");
  CHECK(kind_name(Kind::operator_act) == "operator_act");
}

TEST_CASE("what is no record kind has no name and carries nothing", "[journal]") {
  CHECK_FALSE(kind_from_name("step_gone").has_value());
  CHECK_FALSE(kind_from_name("").has_value());
  CHECK_FALSE(kind_from_name("unknown").has_value());
  CHECK(kind_name(static_cast<Kind>(0)) == "unknown");
  CHECK(kind_name(static_cast<Kind>(255)) == "unknown");
  CHECK_FALSE(carries_outcome(static_cast<Kind>(0)));
  CHECK_FALSE(carries_outcome(static_cast<Kind>(255)));
}

TEST_CASE("records that end an operation or the run carry an outcome, those on the way do not", "[journal]") {
  for (Kind kind :
       {Kind::step_done, Kind::step_failed, Kind::op_cancelled, Kind::timer_fired, Kind::signal, Kind::decision,
        Kind::loop_done, Kind::child_started, Kind::child_done, Kind::cancel_requested, Kind::run_done})
    CHECK(carries_outcome(kind));
  for (Kind kind : {Kind::run_started, Kind::step_started, Kind::attempt_failed, Kind::timer_set, Kind::scope_opened,
                    Kind::loop_snapshot, Kind::lock_taken, Kind::lock_released, Kind::event})
    CHECK_FALSE(carries_outcome(kind));
}
