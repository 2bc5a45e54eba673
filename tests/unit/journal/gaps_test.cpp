// Which journals are whole. SPDX-License-Identifier: MIT
#include "runtime/journal/gaps.hpp"

#include <catch2/catch.hpp>

using namespace perilune::journal;

namespace {

std::vector<Record> journal_of(std::initializer_list<std::pair<uint64_t, Kind>> list) {
  std::vector<Record> records;
  for (const auto& [seq, kind] : list) {
    records.emplace_back();
    records.back().seq = seq;
    records.back().kind = kind;
  }
  return records;
}

constexpr Kind k_first = Kind::run_started, k_step = Kind::step_done;

}  // namespace

TEST_CASE("a journal without gaps is whole, one that lacks a record is not", "[journal]") {
  CHECK(is_whole(journal_of({{1, k_first}})));
  CHECK(is_whole(journal_of({{1, k_first}, {2, k_step}, {3, k_step}})));
  CHECK_FALSE(is_whole({}));
  CHECK_FALSE(is_whole(journal_of({{2, k_step}, {3, k_step}})));
  CHECK_FALSE(is_whole(journal_of({{1, k_first}, {3, k_step}})));
  CHECK_FALSE(is_whole(journal_of({{1, k_first}, {2, k_step}, {2, k_step}})));
  CHECK_FALSE(is_whole(journal_of({{1, k_first}, {3, k_step}, {2, k_step}})));
}

TEST_CASE("a gap is what a loop let go of when a record of the loop follows it", "[journal]") {
  for (Kind kind : {Kind::loop_snapshot, Kind::loop_done}) {
    CHECK(is_whole(journal_of({{1, k_first}, {5, kind}})));
    CHECK(is_whole(journal_of({{1, k_first}, {3, k_step}, {7, kind}, {8, k_step}})));
    CHECK_FALSE(is_whole(journal_of({{1, k_first}, {2, kind}, {4, k_step}})));
    CHECK_FALSE(is_whole(journal_of({{1, k_first}, {4, kind}, {4, k_step}})));
  }
}
